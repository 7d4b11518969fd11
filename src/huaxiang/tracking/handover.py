"""Hand what was written down over to MLflow: runs, versions, aliases and releases, each exactly once.

A training is handed over by a plan that is written before anything is done: which fit won and against whom. Whoever is
killed in between leaves the plan, and the next one goes on: a run is found by its key, a version by its run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from huaxiang.disk import is_full
from huaxiang.errors import HuaxiangError, MlflowAway
from huaxiang.settings import Settings
from huaxiang.tracking import spool
from huaxiang.tracking.fits import Version
from huaxiang.tracking.mlflow_store import CANDIDATE, CHALLENGER, CHAMPION, aliased, asking
from huaxiang.tracking.plan import CannotScore, planned, role_of, told_anew
from huaxiang.tracking.runs import KEY, MODEL, complete_run, experiment_of, led, logged, registered, tags_of
from huaxiang.tracking.spool import Entry

RELEASES = "releases"
_TAG_FIGURES = ("coverage", "confidence", "changed", "gain", "gain_low", "gain_high")
WON = {"won": "is the champion", "held": "is the candidate, which has to prove itself beside the champion"}


def hand_over(settings: Settings, entry: Entry, cannot_score: CannotScore | None = None) -> tuple[Version | None, str]:
    """Give a training to MLflow and promote by the rule; the version that won or None, and 'won', 'held' (it is the
    candidate), 'unchanged' or 'lost'.

    The entry is removed at the end. Raises MlflowAway when MLflow does not take all of it; it stays after any error.
    """
    training = spool.training(entry)
    is_resumed = entry.plan_file.exists()
    plan = planned(settings, entry, training, cannot_score)
    if plan.decision and plan.decision != training.decision:
        training = told_anew(training, plan.decision)
    code = spool.facts(entry)["code"]
    version = None
    above = led(settings, entry, training, plan, is_resumed) if len(training.fits) > 1 else {}
    for number, fit in enumerate(training.fits):
        role, outcome = role_of(fit, plan)
        reason = plan.decision.reason if plan.decision else ""
        told = {"promotion": outcome, "promotion_reason": reason, KEY: f"{entry.key}/{number}"}
        if role == CANDIDATE:
            told |= {"against": plan.against, "backtest": reason or f"as good as {plan.against} or better"}
        tags = tags_of(fit, code) | told | above
        run_id, model_uri = logged(settings, fit, tags, is_resumed)
        if role:
            made = registered(settings, fit, training.costs, run_id, model_uri, role, is_resumed)
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
        experiment = experiment_of(settings, mlflow, RELEASES)
        found = complete_run(mlflow, experiment, entry.key)
        if found is None:
            key = {KEY: entry.key}  # with the run, so that none is ever without
            with mlflow.start_run(experiment_id=experiment, run_name=said["release_id"], tags=key | tags) as run:
                mlflow.log_params({name: said[name] for name in ("release_id", "as_of", "known_at")})
                mlflow.log_metrics({f"rows_{name}": float(table["rows"]) for name, table in said["tables"].items()})
                mlflow.log_metric("input_files", float(said["inputs"]["files"]))
                mlflow.log_metrics(_tag_figures(said))
                mlflow.set_tag(MODEL, "-")
            found = str(run.info.run_id), "-"
    spool.remove(entry)
    return found[0]


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
