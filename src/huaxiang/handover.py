"""Hand what was written down over to MLflow: runs, versions, aliases and releases, each exactly once.

A training is handed over by a plan that is written before anything is done: which fit won and against whom. Whoever is
killed in between leaves the plan, and the next one goes on: a run is found by its key, a version by its run.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from huaxiang import champions, spool
from huaxiang.disk import is_full
from huaxiang.errors import HuaxiangError, MlflowAway
from huaxiang.files import write_text
from huaxiang.fits import MEASURED, Fit, Training, Version
from huaxiang.leaderboard import leaderboard
from huaxiang.mlflow_store import CANDIDATE, CHALLENGER, CHAMPION, aliased, asking
from huaxiang.model_card import card
from huaxiang.promotion import Decision
from huaxiang.settings import Settings
from huaxiang.spool import Entry

RELEASES = "releases"
_KEY, _MODEL = "spool_key", "spool_model"
_TAG_FIGURES = ("coverage", "confidence", "changed", "gain", "gain_low", "gain_high")

# Whether a champion cannot score with what a training had: (training, champion) -> it cannot.
CannotScore = Callable[[Training, Version], bool]


@dataclass(frozen=True)
class Plan:
    """What is to be done with a training, and the champion it was decided against."""

    key: str
    champion_run: str | None
    outcome: str
    decision: Decision | None
    is_challenger_new: bool
    against: str = ""  # the champion in words, for a candidate


WON = {"won": "is the champion", "held": "is the candidate, which has to prove itself beside the champion"}


def hand_over(settings: Settings, entry: Entry, cannot_score: CannotScore | None = None) -> tuple[Version | None, str]:
    """Give a training to MLflow and promote by the rule; the version that won or None, and 'won', 'held' (it is the
    candidate), 'unchanged' or 'lost'.

    The entry is removed at the end. Raises MlflowAway when MLflow does not take all of it; it stays after any error.
    """
    training = spool.training(entry)
    is_resumed = entry.plan_file.exists()
    plan = _plan(settings, entry, training, cannot_score)
    if plan.decision and plan.decision != training.decision:
        training = _told_anew(training, plan.decision)
    code = spool.facts(entry)["code"]
    version = None
    above = _led(settings, entry, training, plan, is_resumed) if len(training.fits) > 1 else {}
    for number, fit in enumerate(training.fits):
        role, outcome = _role(fit, plan)
        reason = plan.decision.reason if plan.decision else ""
        told = {"promotion": outcome, "promotion_reason": reason, _KEY: f"{entry.key}/{number}"}
        if role == CANDIDATE:
            told |= {"against": plan.against, "backtest": reason or f"as good as {plan.against} or better"}
        tags = _tags(fit, code) | told | above
        run_id, model_uri = _logged(settings, fit, tags, is_resumed)
        if role:
            made = _registered(settings, fit, training.costs, run_id, model_uri, role, is_resumed)
            version = made if role in (CHAMPION, CANDIDATE) else version
            if role == CANDIDATE:
                with asking(settings) as mlflow:
                    for name in ("against", "backtest"):
                        mlflow.MlflowClient().set_model_version_tag(fit.target, made.version, name, told[name])
    if plan.decision and not plan.decision.challenger and aliased(settings, training.target, CHALLENGER):
        with asking(settings) as mlflow:
            mlflow.MlflowClient().delete_registered_model_alias(training.target, CHALLENGER)
    spool.remove(entry)
    return version, plan.outcome


def hand_over_release(settings: Settings, entry: Entry) -> str:
    """Give a release to MLflow as a run of the experiment `releases`; its run id. Raises MlflowAway."""
    said = spool.manifest(entry)
    models = said["models"]
    tags = {f"model.{name}": f"{name} version {one['version']}" for name, one in models.items()}
    tags |= {f"model_run.{name}": one["run_id"] for name, one in models.items()}
    tags |= {f"fingerprint.{name}": one["fingerprint"] for name, one in models.items()}
    tags |= {f"code.{name}": value for name, value in said["code"].items()}
    with asking(settings) as mlflow:
        experiment = _experiment(settings, mlflow, RELEASES)
        found = _complete_run(mlflow, experiment, entry.key)
        if found is None:
            key = {_KEY: entry.key}  # with the run, so that none is ever without
            with mlflow.start_run(experiment_id=experiment, run_name=said["release_id"], tags=key | tags) as run:
                mlflow.log_params({name: said[name] for name in ("release_id", "as_of", "known_at")})
                mlflow.log_metrics({f"rows_{name}": float(table["rows"]) for name, table in said["tables"].items()})
                mlflow.log_metric("input_files", float(said["inputs"]["files"]))
                mlflow.log_metrics(_tag_figures(said))
                mlflow.set_tag(_MODEL, "-")
            found = str(run.info.run_id), "-"
    spool.remove(entry)
    return found[0]


def _tag_figures(said: Mapping[str, Any]) -> dict[str, float]:
    """Of every tag the share of customers who have it, its mean confidence, the share whose value changed since the
    release before, by how much its model is better than the baseline, with the interval, and the age in days of what it
    rests on; as `tag_<figure>.<tag>`."""
    found: dict[str, float] = {}
    for name, one in (said.get("tags") or {}).items():
        age_days = (date.fromisoformat(said["as_of"]) - date.fromisoformat(one["rests_on"])).days
        of_tag = {key: one.get(key) for key in _TAG_FIGURES} | {"age_days": age_days}
        found |= {f"tag_{key}.{name}": float(value) for key, value in of_tag.items() if value is not None}
    return found


def replay(settings: Settings, tell: Callable[[str], None], cannot_score: CannotScore) -> None:
    """Hand over all that waits, the oldest first, and say so. What MLflow refuses is set aside, so the others go on.

    Raises MlflowAway when MLflow does not answer (any more), OSError when the disk is full; what is left then waits.
    """
    for entry in spool.entries(settings):
        try:
            if entry.kind == spool.RELEASE:
                hand_over_release(settings, entry)
                tell(f"MLflow has now {entry.about}")
            else:
                version, outcome = hand_over(settings, entry, cannot_score)
                said = f"version {version.version} {WON[outcome]}" if version else f"{outcome}: the champion stays"
                tell(f"MLflow has now the training of {entry.about}; {said}")
        except MlflowAway:
            raise
        except Exception as error:
            if is_full(error):  # it is the home that cannot go on, not the entry
                raise
            place = spool.set_aside(settings, entry)
            reason = str(error) if isinstance(error, HuaxiangError) else type(error).__name__
            tell(f"{entry.about} could not be handed to MLflow ({reason}): set aside in {place}")


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


# Deciding.


def _plan(settings: Settings, entry: Entry, training: Training, cannot_score: CannotScore | None) -> Plan:
    """The plan that was begun, if its champion is still there or was replaced by this very training; else a new one."""
    now = aliased(settings, training.target, CHAMPION)
    if entry.plan_file.exists():
        said = json.loads(entry.plan_file.read_text(encoding="utf-8"))
        decision = Decision(**said["decision"]) if said["decision"] else None
        plan = Plan(**{**said, "decision": decision})
        ours = {fit.fingerprint for fit in training.fits}
        if plan.key == entry.key and (now is None or now.run_id == plan.champion_run or now.fingerprint in ours):
            return plan
    plan = _planned(settings, entry, training, now, cannot_score)
    write_text(entry.plan_file, json.dumps(asdict(plan), indent=1) + "\n")
    return plan


def _planned(
    settings: Settings, entry: Entry, training: Training, now: Version | None, cannot_score: CannotScore | None
) -> Plan:
    """Decide against the champion as it is now, by what was measured then."""
    is_as_then = (now.run_id if now else None) == (training.against.run_id if training.against else None)
    decision, must_replace = training.decision, training.must_replace
    if not is_as_then:
        must_replace = bool(now and cannot_score and cannot_score(training, now))
        decision = training.judging.decide(now.recipe if now else None) if training.judging else decision
    is_challenger_new = False
    if decision:
        winner = next(fit for fit in training.fits if fit.recipe == decision.winner)
        is_refit = now is not None and now.recipe == winner.recipe
        outcome = judge(winner, now, training.judged_by, must_replace or not is_refit)
        second = aliased(settings, training.target, CHALLENGER)
        challenger = next((fit for fit in training.fits if fit.recipe == decision.challenger), None)
        is_challenger_new = bool(challenger and (second is None or second.fingerprint != challenger.fingerprint))
    else:
        outcome = judge(training.fits[0], now, training.judged_by, must_replace)
    if now and outcome == "won" and training.is_held and not must_replace:
        outcome = "held"
    against = f"version {now.version}" if now else ""
    return Plan(entry.key, now.run_id if now else None, outcome, decision, is_challenger_new, against)


def _role(fit: Fit, plan: Plan) -> tuple[str | None, str]:
    """The alias a fit is to get, if any, and what became of it."""
    if fit.model_code is None:
        return None, MEASURED
    if plan.decision is None or fit.recipe == plan.decision.winner:
        return {"won": CHAMPION, "held": CANDIDATE}.get(plan.outcome), plan.outcome
    if fit.recipe == plan.decision.challenger:
        return (CHALLENGER if plan.is_challenger_new else None), "challenger"
    return None, "lost"


def _told_anew(training: Training, decision: Decision) -> Training:
    """The models' files also tell which recipe won: say there what was decided in the end."""

    def told(content: str | bytes) -> str | bytes:
        said = json.loads(content)
        for one in said.get("report", {}).get("tried", []):
            if one["recipe"] not in training.left_out:
                one["outcome"] = decision.outcome(one["recipe"])
        return json.dumps(said, indent=1, sort_keys=True) + "\n"

    fits = [
        replace(
            fit,
            model_files={
                name: told(content) if name.endswith(".json") else content for name, content in fit.model_files.items()
            },
        )
        for fit in training.fits
    ]
    fits.sort(key=lambda fit: fit.recipe != decision.winner)
    return replace(training, fits=tuple(fits), decision=decision)


# What MLflow is told.


def _logged(settings: Settings, fit: Fit, tags: Mapping[str, str], is_resumed: bool) -> tuple[str, str]:
    """One fit as one run, named so that the compare view reads like a leaderboard; its id and the model's address."""
    with asking(settings) as mlflow:
        experiment = _experiment(settings, mlflow, fit.target, fit.description)
        done = _complete_run(mlflow, experiment, tags[_KEY]) if is_resumed else None
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
            mlflow.set_tag(_MODEL, model_uri)  # the last of all: now the run is complete
        return str(run.info.run_id), model_uri


def _led(settings: Settings, entry: Entry, training: Training, plan: Plan, is_resumed: bool) -> dict[str, str]:
    """The run above those of the recipes, which holds the leaderboard; the tag that puts a run below it."""
    first, key = training.fits[0], f"{entry.key}/leaderboard"
    outcomes = {fit.recipe: _role(fit, plan)[1] for fit in training.fits}
    rows = leaderboard(training, outcomes)
    with asking(settings) as mlflow:
        experiment = _experiment(settings, mlflow, first.target, first.description)
        found = _complete_run(mlflow, experiment, key) if is_resumed else None
        if found is None:
            tags = {_KEY: key, "as_of": first.as_of, "recipe": "leaderboard"}
            name = f"{first.as_of} leaderboard"
            with mlflow.start_run(experiment_id=experiment, run_name=name, tags=tags) as run:
                columns = {column: [row[column] for row in rows] for column in rows[0]}
                mlflow.log_table(columns, "leaderboard.json")
                mlflow.log_metric("recipes", float(len(training.fits)))
                mlflow.log_metric("left_out", float(len(training.left_out)))
                mlflow.set_tag(_MODEL, "-")
            found = str(run.info.run_id), "-"
    return {"mlflow.parentRunId": found[0]}


def _complete_run(mlflow: ModuleType, experiment: str, key: str) -> tuple[str, str] | None:
    """The run with this key and its model's address; one that was not completed is deleted."""
    client = mlflow.MlflowClient()
    done = None
    for run in client.search_runs([experiment], filter_string=f"tags.{_KEY} = '{key}'"):
        if _MODEL in run.data.tags:
            done = str(run.info.run_id), str(run.data.tags[_MODEL])
            if run.info.status != "FINISHED":
                client.set_terminated(run.info.run_id)
        else:
            client.delete_run(run.info.run_id)
    return done


def _tags(fit: Fit, code: Mapping[str, Any]) -> dict[str, str]:
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


def _registered(
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


def _experiment(settings: Settings, mlflow: ModuleType, name: str, description: str = "") -> str:
    found = mlflow.get_experiment_by_name(name)
    if found:
        return str(found.experiment_id)
    if settings.servers.mlflow:  # a server keeps the files itself, in a place of its own
        return str(mlflow.create_experiment(name, tags={"mlflow.note.content": description}))
    settings.home.mlflow_artifacts.mkdir(parents=True, exist_ok=True)
    place = (settings.home.mlflow_artifacts / name).as_uri()
    return str(mlflow.create_experiment(name, artifact_location=place, tags={"mlflow.note.content": description}))
