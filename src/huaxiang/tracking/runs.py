"""Runs, models and versions as MLflow is told of them: each is found again by its key, so that none is made twice."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from huaxiang.settings import Settings
from huaxiang.tracking import champions
from huaxiang.tracking.fits import Fit, Training, Version
from huaxiang.tracking.leaderboard import leaderboard
from huaxiang.tracking.mlflow_store import CHAMPION, asking
from huaxiang.tracking.model_card import card
from huaxiang.tracking.plan import Plan, role_of
from huaxiang.tracking.spool import Entry

KEY, MODEL = "spool_key", "spool_model"


def logged(settings: Settings, fit: Fit, tags: Mapping[str, str], is_resumed: bool) -> tuple[str, str]:
    """One fit as one run, named so that the compare view reads like a leaderboard; its id and the model's address."""
    with asking(settings) as mlflow:
        experiment = experiment_of(settings, mlflow, fit.target, fit.description)
        done = complete_run(mlflow, experiment, tags[KEY]) if is_resumed else None
        if done:
            return done
        name = f"{fit.as_of} {fit.recipe or fit.algorithm}"
        with mlflow.start_run(experiment_id=experiment, run_name=name, tags=dict(tags)) as run:  # none without its key
            mlflow.log_params(fit.parameters)
            mlflow.log_metrics(dict(fit.metrics))
            for metric, values in fit.series.items():
                for step, value in values.items():
                    mlflow.log_metric(metric, value, step=step)
            for table, rows in fit.tables.items():
                mlflow.log_dict(rows, f"{table}.json")
            for picture in fit.pictures.values():
                mlflow.log_artifact(str(picture), "plots")
            mlflow.log_text(card(fit), "model_card.md")
            model_uri = _log_model(mlflow, fit)
            mlflow.set_tag(MODEL, model_uri)  # the last of all: now the run is complete
        return str(run.info.run_id), model_uri


def led(settings: Settings, entry: Entry, training: Training, plan: Plan, is_resumed: bool) -> dict[str, str]:
    """The run above those of the recipes, which holds the leaderboard; the tag that puts a run below it."""
    first, key = training.fits[0], f"{entry.key}/leaderboard"
    outcomes = {fit.recipe: role_of(fit, plan)[1] for fit in training.fits}
    rows = leaderboard(training, outcomes)
    with asking(settings) as mlflow:
        experiment = experiment_of(settings, mlflow, first.target, first.description)
        found = complete_run(mlflow, experiment, key) if is_resumed else None
        if found is None:
            tags = {KEY: key, "as_of": first.as_of, "recipe": "leaderboard"}
            name = f"{first.as_of} leaderboard"
            with mlflow.start_run(experiment_id=experiment, run_name=name, tags=tags) as run:
                columns = {column: [row[column] for row in rows] for column in rows[0]}
                mlflow.log_table(columns, "leaderboard.json")
                mlflow.log_metric("recipes", float(len(training.fits)))
                mlflow.log_metric("left_out", float(len(training.left_out)))
                mlflow.set_tag(MODEL, "-")
            found = str(run.info.run_id), "-"
    return {"mlflow.parentRunId": found[0]}


def complete_run(mlflow: ModuleType, experiment: str, key: str) -> tuple[str, str] | None:
    """The run with this key and its model's address; one that was not completed is deleted."""
    client = mlflow.MlflowClient()
    done = None
    for run in client.search_runs([experiment], filter_string=f"tags.{KEY} = '{key}'"):
        if MODEL in run.data.tags:
            done = str(run.info.run_id), str(run.data.tags[MODEL])
            if run.info.status != "FINISHED":
                client.set_terminated(run.info.run_id)
        else:
            client.delete_run(run.info.run_id)
    return done


def tags_of(fit: Fit, code: Mapping[str, Any]) -> dict[str, str]:
    return {
        "algorithm": fit.algorithm,
        "recipe": fit.recipe or fit.algorithm,
        "as_of": fit.as_of,
        "fingerprint": fit.fingerprint,
        "code_revision": code["revision"] or "outside a checkout",
        "code_hash": code["hash"],
        "notes": "; ".join(fit.notes),
        "mlflow.note.content": card(fit),
    }


def _log_model(mlflow: ModuleType, fit: Fit) -> str:
    """The model's address; "-" where there is none."""
    if fit.model_code is None:
        return "-"
    with tempfile.TemporaryDirectory() as folder:
        paths = {}
        for name, content in fit.model_files.items():
            path = Path(folder) / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            paths[path.stem] = str(path)
        paths |= {name: str(path) for name, path in fit.model_folders.items()}
        warnings.filterwarnings("ignore", message=".*input example.*", category=UserWarning)
        # No input_example: that would store customers' rows. Requirements are said, not guessed by loading the model.
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(fit.model_code),
            artifacts=paths,
            signature=fit.signature,
            pip_requirements=list(fit.pip_requirements),
        )
    return str(logged.model_uri)


def registered(
    settings: Settings,
    fit: Fit,
    costs: Mapping[str, float],
    run_id: str,
    model_uri: str,
    alias: str,
    is_resumed: bool,
) -> Version:
    """The run's model as a registered version that bears the alias; a champion is also kept in the home."""
    from mlflow.exceptions import MlflowException

    recipe = fit.recipe or fit.algorithm
    tags = {"algorithm": fit.algorithm, "recipe": recipe, "fingerprint": fit.fingerprint, "as_of": fit.as_of}
    tags |= {"costs": json.dumps(dict(costs))}
    with asking(settings) as mlflow:
        client = mlflow.MlflowClient()
        try:
            client.get_registered_model(fit.target)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            client.create_registered_model(fit.target, description=fit.description)
        made = client.search_model_versions(f"name = '{fit.target}' and run_id = '{run_id}'") if is_resumed else []
        version = (
            made[0]
            if made
            else client.create_model_version(
                fit.target,
                source=model_uri,
                run_id=run_id,
                tags=tags,
                description=card(fit),
                model_id=model_uri.rpartition("/")[2],  # a server asks for it, to see that the source is this model's
            )
        )
        client.set_registered_model_alias(fit.target, alias, version.version)
        said = Version(
            fit.target, str(version.version), run_id, fit.fingerprint, dict(fit.metrics), recipe, dict(costs)
        )
        model = downloaded(mlflow, said)
    if alias == CHAMPION:
        champions.keep(settings, said, model)
    return said


def downloaded(mlflow: ModuleType, version: Version) -> Path:
    """Where the whole model can be read, from MLflow."""
    uri = mlflow.MlflowClient().get_model_version_download_uri(version.target, version.version)
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))


def experiment_of(settings: Settings, mlflow: ModuleType, name: str, description: str = "") -> str:
    found = mlflow.get_experiment_by_name(name)
    if found:
        return str(found.experiment_id)
    if settings.servers.mlflow:  # a server keeps the files itself, in a place of its own
        return str(mlflow.create_experiment(name, tags={"mlflow.note.content": description}))
    settings.home.mlflow_artifacts.mkdir(parents=True, exist_ok=True)
    place = (settings.home.mlflow_artifacts / name).as_uri()
    return str(mlflow.create_experiment(name, artifact_location=place, tags={"mlflow.note.content": description}))
