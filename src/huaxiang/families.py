"""The model families of a home: which are switched on, which wrote into a build, which were left out and why."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from huaxiang.errors import BadConfiguration
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.tables import RELEASED

FAMILIES = (
    "segments",
    "recommendations",
    "associations",
    "scores",
    "sequences",
    "attributes",
    "categories",
    "vectors",
)
LEFT_OUT = "left_out.json"


def switched_on(settings: Settings) -> tuple[str, ...]:
    """The families of `models:` in huaxiang.yml, in the order they run. Raises BadConfiguration for an unknown one."""
    unknown = sorted(set(settings.models) - set(FAMILIES))
    if unknown:
        raise BadConfiguration(f"{settings.config}: there is no model '{unknown[0]}'; there are {', '.join(FAMILIES)}")
    return tuple(family for family in FAMILIES if family in settings.models)


def expected(settings: Settings, run: Run) -> tuple[str, ...]:
    """The families whose tables this run has or will have: those switched on and not left out."""
    missing = left_out(settings.home.build(run.id))
    return tuple(family for family in switched_on(settings) if family not in missing)


def left_out(build: Path) -> dict[str, str]:
    """The families that failed in this build (or release), each with its reason."""
    found = (build / family / LEFT_OUT for family in FAMILIES)
    said = (json.loads(path.read_text(encoding="utf-8")) for path in found if path.exists())
    return {one["family"]: one["reason"] for one in said}


def leave_out(settings: Settings, run: Run, family: str, reason: str) -> None:
    """Remove what the family wrote so far and note the reason in its place; the rest of the run goes on."""
    folder = settings.home.build(run.id) / family
    shutil.rmtree(folder, ignore_errors=True)
    write_text(folder / LEFT_OUT, json.dumps({"family": family, "reason": reason}, indent=2) + "\n")


def take_back(settings: Settings, run: Run, family: str) -> None:
    """Forget that an earlier try of the run left the family out."""
    (settings.home.build(run.id) / family / LEFT_OUT).unlink(missing_ok=True)


def has_written(build: Path, family: str) -> bool:
    """Whether the family has scored in this build; where nothing it tried was promoted, it left its model's card."""
    return any((build / table).exists() for table in tables_of(family)) or any((build / family).glob("model*.json"))


def tables_of(family: str) -> tuple[str, ...]:
    """Paths, inside a build, of the tables a family writes."""
    return tuple(table.path for table in RELEASED if table.folder == family)
