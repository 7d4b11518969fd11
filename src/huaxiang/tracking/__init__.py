"""What MLflow keeps: every fit as a run, the versions that won, the champion, and the releases made of them.

What it is to keep is written down in the home first (`tracking.spool`) and then handed over (`tracking.handover`); the
champion is also kept in the home (`tracking.champions`). So the data path and a training outlive an MLflow that is
away, and nothing is promoted without it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from huaxiang.disk import is_full
from huaxiang.errors import BrokenConservation, MlflowAway
from huaxiang.settings import Run, Settings
from huaxiang.tracking import champions, handover, mlflow_store, runs, spool
from huaxiang.tracking.fits import Fit, Training, Version
from huaxiang.tracking.handover import RELEASES
from huaxiang.tracking.mlflow_store import CHALLENGER, CHAMPION, QUIET_ENVIRONMENT, ask_again, away, connect
from huaxiang.tracking.plan import judge
from huaxiang.tracking.promotion import Decision, Judging

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "QUIET_ENVIRONMENT",
    "RELEASES",
    "Fit",
    "Version",
    "ask_again",
    "away",
    "champion",
    "connect",
    "incumbent",
    "judge",
    "log_release",
    "model_file",
    "model_folder",
    "model_path",
    "numbered",
    "open_store",
    "pinned",
    "record",
    "record_all",
    "waiting",
]


def open_store(settings: Settings) -> None:
    """Open the home's store; the first time this creates its tables, which takes seconds. Raises MlflowAway."""
    with mlflow_store.asking(settings) as mlflow:
        mlflow.MlflowClient().search_registered_models(max_results=1)


def pinned(*packages: str) -> tuple[str, ...]:
    """`name==version` of each package as it is installed here: what a model says it needs to be served."""
    from importlib.metadata import version

    return tuple(f"{name}=={version(name)}" for name in packages)


def champion(settings: Settings, target: str) -> Version | None:
    """The version that scores, or None before the first fit; while MLflow is away the one last known.

    Pinned models stand in for the champions. Raises MlflowAway when MLflow is away and none is kept: then nobody can
    say whether there is a champion.
    """
    if settings.pinned_models is not None:
        return numbered(settings, target, settings.pinned_models.get(target, ""))
    try:
        return mlflow_store.aliased(settings, target, CHAMPION)
    except MlflowAway as error:
        kept = champions.last(settings, target)
        if kept is None:
            raise MlflowAway(f"no champion of {target} is kept in this home, and {error}") from error
        return kept


def numbered(settings: Settings, target: str, number: str) -> Version | None:
    """The version of that number, or None when it is not in the registry. Raises MlflowAway."""
    return mlflow_store.numbered(settings, target, number) if number else None


def incumbent(settings: Settings, target: str) -> Version | None:
    """The champion a training is judged against: as `champion`, but None where nobody can say."""
    try:
        return champion(settings, target)
    except (MlflowAway, BrokenConservation):
        return None


def model_file(settings: Settings, version: Version, name: str) -> str:
    """Text of one of the files the model was logged with."""
    return model_path(settings, version, name).read_text(encoding="utf-8")


def model_path(settings: Settings, version: Version, name: str) -> Path:
    """Where one of the files the model was logged with can be read."""
    return model_folder(settings, version) / "artifacts" / name


def model_folder(settings: Settings, version: Version) -> Path:
    """Where the whole model can be read: what `mlflow.pyfunc.load_model` loads. A champion is kept in the home from
    then on; a pinned model is of the past, and is only read.

    Raises MlflowAway when it is not kept and MLflow does not give it.
    """
    kept = champions.model(settings, version)
    if kept:
        return kept
    with mlflow_store.asking(settings) as mlflow:
        model = runs.downloaded(mlflow, version)
    if settings.pinned_models is not None:
        return model
    return champions.keep(settings, version, model)


def record(
    settings: Settings, fit: Fit, judged_by: str, must_replace: bool = False, columns: Collection[str] = ()
) -> tuple[Version | None, str]:
    """Keep the fit as a run and make it champion, unless the champion is as good as the same or clearly better.

    `judged_by` names the metric; higher is better. Returns the version, or None when the fit lost and stays a run
    only, and the outcome: 'won', 'held' (it is the candidate), 'unchanged' (the champion has the same fingerprint),
    'lost', or 'waits': MLflow does not take it, so it is kept in the home's spool, and nothing is promoted.
    """
    now = incumbent(settings, fit.target)
    return _keep(settings, Training((fit,), judged_by, must_replace=must_replace, against=now, columns=tuple(columns)))


def in_words(version: Version | None, outcome: str) -> str:
    """What became of a training, as `record` returns it."""
    return {
        "won": f"version {version.version} is the champion" if version else "",
        "unchanged": "the champion is this very model and stays",
        "lost": "clearly worse than the champion, which stays",
        "held": f"version {version.version} is the candidate" if version else "",
        "waits": "MLflow is away, so it waits and nothing is promoted",
    }[outcome]


def record_all(
    settings: Settings,
    fits: Sequence[Fit],
    decision: Decision,
    judged_by: str,
    must_replace: bool = False,
    judging: Judging | None = None,
    columns: Collection[str] = (),
    left_out: Mapping[str, str] | None = None,
) -> tuple[Version | None, str]:
    """Keep the fits of one training, runs below one with the leaderboard, and act on what `promotion.decide` said.

    The winner becomes champion; where it is a refit of the champion's recipe, unless it is the same or clearly worse.
    The challenger is registered under its alias, unless it is there already; without one the alias goes. All others
    stay runs: tried, and lost; `left_out` gives the reasons of those that were not judged. With `judging` it can be
    decided anew against the champion that is there when MLflow is back. Returns as `record` does.
    """
    now = incumbent(settings, fits[0].target)
    winner_first = sorted(fits, key=lambda fit: fit.recipe != decision.winner)  # so it is version 1
    training = Training(
        tuple(winner_first), judged_by, decision, judging, must_replace, now, tuple(columns), left_out or {}
    )
    return _keep(settings, training)


def log_release(settings: Settings, manifest: Mapping[str, Any]) -> str:
    """The release as a run of the experiment `releases`, linked to every model version it used; returns its run id.

    Raises MlflowAway when MLflow does not take it: then it waits in the home's spool.
    """
    ask_again(settings)
    entry = spool.put_release(settings, manifest)
    try:
        return handover.hand_over_release(settings, entry)
    except MlflowAway as error:
        raise MlflowAway(f"{error}; the run is logged when it is back") from error


def _keep(settings: Settings, training: Training) -> tuple[Version | None, str]:
    from huaxiang.code_version import code_version

    known_at = str(training.fits[0].parameters.get("known_at", training.fits[0].as_of))
    facts = {
        "code": code_version(settings.project),
        "run": [training.fits[0].as_of, known_at, _inputs(settings, known_at)],
    }
    with spool.turn(settings):
        entry = spool.put_training(settings, replace(training, is_held=settings.holds_candidates), facts)
        try:
            return handover.hand_over(settings, entry)
        except MlflowAway:
            return None, "waits"
        except Exception as error:
            if not is_full(error):  # a fault that would come again
                spool.remove(entry)
            raise


def waiting(settings: Settings, run: Run | None = None) -> set[str]:
    """The targets whose training waits in the spool; with `run` only those of this day, these drops and this code."""
    from huaxiang.code_version import code_version

    entries = [entry for entry in spool.entries(settings) if entry.kind == spool.TRAINING]
    if run:
        known_at = str(run.known_at)
        wanted = {
            "code": code_version(settings.project),
            "run": [str(run.as_of), known_at, _inputs(settings, known_at)],
        }
        entries = [entry for entry in entries if spool.facts(entry) == wanted]
    return {spool.training(entry).target for entry in entries}


def _inputs(settings: Settings, known_at: str) -> str:
    """Hash of all drops that were known."""
    from huaxiang.landing.ledger import input_hashes

    hashes = input_hashes(settings, date.fromisoformat(known_at))
    return hashlib.sha256(json.dumps(hashes, default=str).encode()).hexdigest()[:16]
