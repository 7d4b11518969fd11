"""`huaxiang propose`: which models should be trained anew, and why, by what the day's release says of them.

A model is proposed when customers or its scores have moved far since it is in use, or when it is old. A proposal is a
small file; it asks again for the same model only a week later, so that a drift that stays is not trained for daily.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from huaxiang.drift import daily as drift
from huaxiang.errors import MissingPartition, NothingDue
from huaxiang.files import write_text
from huaxiang.release import store
from huaxiang.settings import Run, Settings, require_due
from huaxiang.steps import step

ASKS_AGAIN_DAYS = 7
_SAID = 3  # figures named in a reason; the page Models shows all


@dataclass(frozen=True)
class Proposal:
    """What to train on the day, each model with its reasons in words. Model names are targets."""

    as_of: str
    release_id: str
    reasons: dict[str, list[str]]


def propose(settings: Settings, run: Run) -> Proposal:
    """Write the day's proposal. Raises MissingPartition without a release of the day, NothingDue when all is well, or
    when the home's data have ended."""
    require_due(settings, run)
    release = store.of_run(settings, run)
    if release is None:
        raise MissingPartition(f"propose: {run.as_of} is not released: run 'huaxiang run --as-of {run.as_of}' first")
    with step("propose", run, settings) as log:
        found = reasons(cards(release.path), drift.read(release.path), run.as_of, settings.retrain_days)
        asked = _asked_lately(settings, run.as_of)
        due = {target: said for target, said in found.items() if target not in asked}
        log.fact("models", len(due))
        for target in sorted(set(found) & asked):
            log.progress(f"{target}: proposed within the last {ASKS_AGAIN_DAYS} days already")
        for target, said in due.items():
            log.progress(f"{target}: {'; '.join(said)}")
        if not due:
            raise NothingDue(f"{release.id}: no model is old, and nothing has moved far since they are in use")
        proposal = Proposal(str(run.as_of), release.id, due)
        write_text(_file(settings, run.as_of), json.dumps(asdict(proposal), indent=1) + "\n")
    return proposal


def read(settings: Settings, run: Run) -> Proposal:
    """The day's proposal. Raises MissingPartition where nothing was proposed."""
    path = _file(settings, run.as_of)
    if not path.exists():
        raise MissingPartition(f"nothing is proposed for {run.as_of}: run 'huaxiang propose --as-of {run.as_of}' first")
    return Proposal(**json.loads(path.read_text(encoding="utf-8")))


def reasons(
    models: Mapping[str, Mapping[str, Any]], moved: tuple[drift.Drift, ...], as_of: date, retrain_days: int
) -> dict[str, list[str]]:
    """Target -> why it should be trained anew. `models`: target -> its card, with `training_as_of` and `family`."""
    far = sorted((one for one in moved if one.status == "moved"), key=lambda one: -one.psi)
    found: dict[str, list[str]] = {}
    for target, card in models.items():
        said = []
        seen = {drift.FEATURE} if card["family"] in drift.READERS else set()
        seen |= {drift.DIMENSION} if card["family"] == "vectors" else set()
        inputs = [one for one in far if one.kind in seen]
        if inputs:
            said.append(f"{_named(inputs)} moved far since {inputs[0].reference_on}")
        for one in far:
            if one.kind == drift.SCORE and one.name == target:
                said.append(f"its scores moved far since {one.reference_on} (index {one.psi:.2f})")
        age = (as_of - date.fromisoformat(card["training_as_of"])).days
        if age >= retrain_days:
            said.append(f"trained on days up to {card['training_as_of']}, {age} days ago")
        if said:
            found[target] = said
    return found


def cards(folder: Path) -> dict[str, dict[str, Any]]:
    """The models of a build or release: target -> card, with the `family` that wrote it."""
    paths = sorted(folder.glob("*/model*.json"))
    found = [json.loads(path.read_text(encoding="utf-8")) | {"family": path.parent.name} for path in paths]
    return {one["model"]: one for one in found}


def _named(features: list[drift.Drift]) -> str:
    said = ", ".join(f"{one.name} (index {one.psi:.2f})" for one in features[:_SAID])
    return said + (f" and {len(features) - _SAID} more" if len(features) > _SAID else "")


def _asked_lately(settings: Settings, as_of: date) -> set[str]:
    days = (as_of - timedelta(days=back) for back in range(1, ASKS_AGAIN_DAYS))
    files = (path for day in days if (path := _file(settings, day)).exists())
    return {target for path in files for target in json.loads(path.read_text(encoding="utf-8"))["reasons"]}


def _file(settings: Settings, day: date) -> Path:
    return settings.home.proposals / f"{day}.json"
