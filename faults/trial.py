"""What one planted fault came to, and the least that planting one asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Folder(Protocol):
    """What is needed of the options of a kind: a folder of its own."""

    @property
    def folder(self) -> Path: ...


@dataclass(frozen=True)
class Trial:
    """One fault planted: `is_same` says whether all ended as without it (or as the fault's contract says)."""

    fault: str  # "F01 kill landing"
    detail: str  # "after 1.3 s"
    is_same: bool
    unaccounted: int = 0  # records nobody can account for
