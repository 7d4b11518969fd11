"""Readers that watch a home from processes of their own while something happens to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_READER = Path(__file__).with_name("reader.py")


@dataclass
class Seen:
    """What the readers saw, filled in when they have ended."""

    polls: int = 0
    whole: int = 0
    releases: list[str] = field(default_factory=list)  # every change that a reader saw
    violations: list[str] = field(default_factory=list)


@contextmanager
def reading(home: Path, readers: int = 4, seconds: float = 0.04) -> Iterator[Seen]:
    """Let readers poll `CURRENT` of the home, every so many seconds each, while the body runs."""
    seen = Seen()
    processes = [
        subprocess.Popen(
            [sys.executable, "-I", "-S", str(_READER), str(home), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(readers)
    ]
    try:
        yield seen
    finally:
        for process in processes:
            said = json.loads(process.communicate()[0])
            seen.polls += said["polls"]
            seen.whole += said["whole"]
            seen.releases += said["releases"]
            seen.violations += said["violations"]
