"""Bit rot: one bit of a sealed file flips on the disk, and is caught by its SHA-256 before anyone reads it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path


def flip_one_bit(path: Path, choose: random.Random) -> None:
    """Change one bit of the file."""
    data = bytearray(path.read_bytes())
    at = choose.randrange(len(data))
    data[at] ^= 1 << choose.randrange(8)
    path.write_bytes(data)


def caught(files: list[Path], check: Callable[[], bool], seeds: int) -> int:
    """How many of `seeds` flips, each in one of the files and undone afterwards, `check` sees."""
    found = 0
    for seed in range(seeds):
        choose = random.Random(seed)  # noqa: S311 (any choice will do)
        path = choose.choice(files)
        before = path.read_bytes()
        flip_one_bit(path, choose)
        found += check()
        path.write_bytes(before)
    return found
