"""The cards of a build: what each model says of itself, and each day of what is foretold without a training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Card:
    """A card as it was written. family: the folder it lies in."""

    family: str
    said: Mapping[str, Any]


def paths(build: Path) -> list[Path]:
    """`model*.json` of a version that scored, then `judged.*.json` of what has no version."""
    return [path for pattern in ("*/model*.json", "*/judged.*.json") for path in sorted(build.glob(pattern))]


def cards(build: Path) -> list[Card]:
    """All cards of the build."""
    return [Card(path.parent.name, json.loads(path.read_text(encoding="utf-8"))) for path in paths(build)]
