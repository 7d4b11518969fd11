"""The champions as this home last knew them: a sealed copy of each, which scores while MLflow is away."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

from huaxiang.errors import BrokenConservation
from huaxiang.files import write_text
from huaxiang.sealed import sealing, verify
from huaxiang.settings import Settings
from huaxiang.tracking.fits import Version

_FACTS, _MODEL, _LAST = "version.json", "model", "LAST"


def keep(settings: Settings, version: Version, model: Path) -> Path:
    """Copy a version's model folder into the home as the one last used, without what was kept before; its new place."""
    folder = settings.home.champions / version.target / version.version
    with sealing(folder) as draft:
        shutil.copytree(model, draft / _MODEL)
        (draft / _FACTS).write_text(json.dumps(asdict(version), indent=2) + "\n", encoding="utf-8")
    write_text(folder.parent / _LAST, f"{version.version}\n")
    for other in folder.parent.iterdir():
        if other.is_dir() and other != folder:
            shutil.rmtree(other)
    return folder / _MODEL


def last(settings: Settings, target: str) -> Version | None:
    """The version last used, or None. Raises BrokenConservation when the copy is not as it was sealed."""
    place = settings.home.champions / target
    if not (place / _LAST).exists():
        return None
    folder = place / (place / _LAST).read_text(encoding="utf-8").strip()
    verify(folder)
    return Version(**json.loads((folder / _FACTS).read_text(encoding="utf-8")))


def model(settings: Settings, version: Version) -> Path | None:
    """The kept model folder of exactly this version; None where it is not kept, or is not as it was sealed."""
    try:
        kept = last(settings, version.target)
    except BrokenConservation:
        return None
    is_it = kept is not None and (kept.version, kept.run_id) == (version.version, version.run_id)
    return settings.home.champions / version.target / version.version / _MODEL if is_it else None


def are_kept(settings: Settings) -> bool:
    """Whether any champion was ever kept here, so that MLflow once had one."""
    return any(settings.home.champions.glob(f"*/{_LAST}"))
