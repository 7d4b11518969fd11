"""What MLflow keeps: every fit as a run, the versions that won, the champion, and the releases made of them."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from huaxiang.model_card import card
from huaxiang.promotion import Decision
from huaxiang.settings import Settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.models import ModelSignature

CHAMPION, CHALLENGER = "champion", "challenger"
RELEASES = "releases"
# Read by MLflow and its libraries when they are imported, so set before.
QUIET_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}


@dataclass(frozen=True)
class Fit:
    """One fit as it is to be kept. It holds figures, pictures and the model: never a row about a customer."""

    target: str
    algorithm: str
    description: str
    fingerprint: str
    as_of: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    notes: tuple[str, ...]
    model_code: Path
    model_files: Mapping[str, str | bytes]  # file name -> content
    signature: ModelSignature
    pip_requirements: tuple[str, ...]
    model_folders: Mapping[str, Path] = field(default_factory=dict)  # name -> another model, kept whole inside this one
    recipe: str = ""  # algorithm, features and parameters in one name; the algorithm where a target has only one
    baseline: str = ""  # the one-line baseline in words
    split: str = ""  # which days were learned from and which judged
    tables: Mapping[str, Any] = field(default_factory=dict)  # name -> rows of figures
    series: Mapping[str, Mapping[int, float]] = field(default_factory=dict)  # metric -> step -> value
    pictures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """A registered model version."""

    target: str
    version: str
    run_id: str
    fingerprint: str
    metrics: Mapping[str, float]
    recipe: str = ""


def connect(settings: Settings) -> ModuleType:
    """MLflow, talking to this home's own store and to nobody else."""
    for name, value in QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    settings.home.root.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(settings.mlflow_uri)
    mlflow.set_registry_uri(settings.mlflow_uri)
    return mlflow


def open_store(settings: Settings) -> None:
    """Open the home's store; the first time this creates its tables, which takes seconds."""
    connect(settings).MlflowClient().search_registered_models(max_results=1)


def pinned(*packages: str) -> tuple[str, ...]:
    """`name==version` of each package as it is installed here: what a model says it needs to be served."""
    from importlib.metadata import version

    return tuple(f"{name}=={version(name)}" for name in packages)


def champion(settings: Settings, target: str) -> Version | None:
    """The version that scores, or None before the first fit. Pinned models stand in for the champions."""
    if settings.pinned_models is not None:
        return numbered(settings, target, settings.pinned_models.get(target, ""))
    return _aliased(settings, target, CHAMPION)


def numbered(settings: Settings, target: str, number: str) -> Version | None:
    """The version of that number, or None when it is not in the registry."""
    return _found(settings, target, lambda client: client.get_model_version(target, number)) if number else None


def _aliased(settings: Settings, target: str, alias: str) -> Version | None:
    return _found(settings, target, lambda client: client.get_model_version_by_alias(target, alias))


def _found(settings: Settings, target: str, ask: Callable[[Any], Any]) -> Version | None:
    from mlflow.exceptions import MlflowException

    client = connect(settings).MlflowClient()
    try:
        found = ask(client)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    metrics = client.get_run(found.run_id).data.metrics
    tags = found.tags
    return Version(
        target, str(found.version), found.run_id, tags.get("fingerprint", ""), metrics, tags.get("recipe", "")
    )


def model_file(settings: Settings, version: Version, name: str) -> str:
    """Text of one of the files the model was logged with."""
    return model_path(settings, version, name).read_text(encoding="utf-8")


def model_path(settings: Settings, version: Version, name: str) -> Path:
    """Where one of the files the model was logged with can be read."""
    return model_folder(settings, version) / "artifacts" / name


def model_folder(settings: Settings, version: Version) -> Path:
    """Where the whole model can be read: what `mlflow.pyfunc.load_model` loads."""
    mlflow = connect(settings)
    uri = mlflow.MlflowClient().get_model_version_download_uri(version.target, version.version)
    return Path(mlflow.artifacts.download_artifacts(artifact_uri=uri))


def record(settings: Settings, fit: Fit, judged_by: str, must_replace: bool = False) -> tuple[Version | None, str]:
    """Keep the fit as a run and make it champion, unless the champion is as good as the same or clearly better.

    `judged_by` names the metric; higher is better. Returns the version, or None when the fit lost and stays a run
    only, and the outcome: 'won', 'unchanged' (the champion has the same fingerprint) or 'lost'.
    """
    now = champion(settings, fit.target)
    outcome = judge(fit, now, judged_by, must_replace)
    run_id, model_uri = _log_run(settings, fit, outcome)
    if outcome != "won":
        return None, outcome
    return _register(settings, fit, run_id, model_uri, CHAMPION), outcome


def record_all(
    settings: Settings, fits: Sequence[Fit], decision: Decision, judged_by: str, must_replace: bool = False
) -> tuple[Version | None, str]:
    """Keep the fits of one training, a run each, and act on what `promotion.decide` said.

    The winner becomes champion; where it is a refit of the champion's recipe, unless it is the same or clearly worse.
    The challenger is registered under its alias, unless it is there already; without one the alias goes. All others
    stay runs: tried, and lost. Returns as `record` does.
    """
    target = fits[0].target
    now, second = champion(settings, target), _aliased(settings, target, CHALLENGER)
    version, outcome = None, "lost"
    for fit in sorted(fits, key=lambda one: one.recipe != decision.winner):  # the winner first, so it is version 1
        if fit.recipe == decision.winner:
            is_refit = now is not None and now.recipe == fit.recipe
            outcome = judge(fit, now, judged_by, must_replace or not is_refit)
            run_id, model_uri = _log_run(settings, fit, outcome, decision.reason)
            if outcome == "won":
                version = _register(settings, fit, run_id, model_uri, CHAMPION)
        elif fit.recipe == decision.challenger:
            run_id, model_uri = _log_run(settings, fit, "challenger", decision.reason)
            if second is None or second.fingerprint != fit.fingerprint:
                _register(settings, fit, run_id, model_uri, CHALLENGER)
        else:
            _log_run(settings, fit, "lost", decision.reason)
    if second and not decision.challenger:
        connect(settings).MlflowClient().delete_registered_model_alias(target, CHALLENGER)
    return version, outcome


def judge(fit: Fit, now: Version | None, judged_by: str, must_replace: bool = False) -> str:
    """'won', 'unchanged' or 'lost'. A refit of the recipe wins unless its whole interval lies below the champion's.

    A fit that has no such metric (it could not segment at all) loses against a champion that has it.
    """
    if now is None or must_replace:
        return "won"
    if now.fingerprint == fit.fingerprint:
        return "unchanged"
    low = now.metrics.get(f"{judged_by}_low")
    high = fit.metrics.get(f"{judged_by}_high")
    return "lost" if low is not None and (high is None or high < low) else "won"


def log_release(settings: Settings, manifest: Mapping[str, Any]) -> str:
    """The release as a run of the experiment `releases`, linked to every model version it used; returns its run id."""
    mlflow = connect(settings)
    versions = {f"model.{name}": f"{name} version {said['version']}" for name, said in manifest["models"].items()}
    runs = {f"model_run.{name}": said["run_id"] for name, said in manifest["models"].items()}
    fingerprints = {f"fingerprint.{name}": said["fingerprint"] for name, said in manifest["models"].items()}
    code = {f"code.{name}": value for name, value in manifest["code"].items()}
    with mlflow.start_run(experiment_id=_experiment(settings, RELEASES), run_name=manifest["release_id"]) as run:
        mlflow.log_params({name: manifest[name] for name in ("release_id", "as_of", "known_at")})
        mlflow.set_tags({**versions, **runs, **fingerprints, **code})
        mlflow.log_metrics({f"rows_{name}": float(table["rows"]) for name, table in manifest["tables"].items()})
        mlflow.log_metric("input_files", float(manifest["inputs"]["files"]))
    return str(run.info.run_id)


def _experiment(settings: Settings, name: str, description: str = "") -> str:
    mlflow = connect(settings)
    found = mlflow.get_experiment_by_name(name)
    if found:
        return str(found.experiment_id)
    if settings.servers.mlflow:  # a server keeps the files itself, in a place of its own
        return str(mlflow.create_experiment(name, tags={"mlflow.note.content": description}))
    settings.home.mlflow_artifacts.mkdir(parents=True, exist_ok=True)
    place = (settings.home.mlflow_artifacts / name).as_uri()
    return str(mlflow.create_experiment(name, artifact_location=place, tags={"mlflow.note.content": description}))


def _log_run(settings: Settings, fit: Fit, outcome: str, reason: str = "") -> tuple[str, str]:
    """One fit as one run, named so that the compare view reads like a leaderboard; returns run id and model address."""
    mlflow = connect(settings)
    name = f"{fit.as_of} {fit.recipe or fit.algorithm}"
    experiment = _experiment(settings, fit.target, fit.description)
    with mlflow.start_run(experiment_id=experiment, run_name=name) as run:
        mlflow.set_tags(_tags(settings, fit) | {"promotion": outcome, "promotion_reason": reason})
        mlflow.log_params(fit.parameters)
        mlflow.log_metrics(dict(fit.metrics))
        for metric, values in fit.series.items():
            for step, value in values.items():
                mlflow.log_metric(metric, value, step=step)
        for table, rows in fit.tables.items():
            mlflow.log_dict(rows, f"{table}.json")
        for picture, figure in fit.pictures.items():
            mlflow.log_figure(figure, f"plots/{picture}.png")
        mlflow.log_text(card(fit), "model_card.md")
        return str(run.info.run_id), _log_model(mlflow, fit)


def _tags(settings: Settings, fit: Fit) -> dict[str, str]:
    from huaxiang.code_version import code_version

    code = code_version(settings.project)
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
    import tempfile

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


def _register(settings: Settings, fit: Fit, run_id: str, model_uri: str, alias: str) -> Version:
    from mlflow.exceptions import MlflowException

    client = connect(settings).MlflowClient()
    try:
        client.get_registered_model(fit.target)
    except MlflowException:
        client.create_registered_model(fit.target, description=fit.description)
    recipe = fit.recipe or fit.algorithm
    tags = {"algorithm": fit.algorithm, "recipe": recipe, "fingerprint": fit.fingerprint, "as_of": fit.as_of}
    made = client.create_model_version(
        fit.target,
        source=model_uri,
        run_id=run_id,
        tags=tags,
        description=card(fit),
        model_id=model_uri.rpartition("/")[2],  # a server asks for it, to see that the source is this model's
    )
    client.set_registered_model_alias(fit.target, alias, made.version)
    return Version(fit.target, str(made.version), run_id, fit.fingerprint, dict(fit.metrics), recipe)
