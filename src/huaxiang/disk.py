"""A full disk: how it is recognised, whichever tool met it, and what a user is told."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from huaxiang.doctor import NEEDED_DISK_GIB
from huaxiang.errors import DiskFull
from huaxiang.tables import Home

_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# Engines hand on the system's words, or have their own.
_WORDS = ("No space left on device", "Disk quota exceeded", "File too large", "database or disk is full")
_MB = 1_000_000


def is_full(error: BaseException) -> bool:
    """Whether this error, or one behind it, is that of a full disk."""
    return any(
        (isinstance(each, OSError) and each.errno in _NUMBERS) or any(words in str(each) for words in _WORDS)
        for each in _chain(error)
    )


def explained(home: Home, word: str) -> DiskFull:
    """The error to show: how much is free, how much a day needs, and what readers see meanwhile."""
    free = shutil.disk_usage(home.root).free / _MB
    current = home.current.read_text(encoding="utf-8").strip() if home.current.exists() else ""
    served = f"{current} stays released" if current else "nothing is released yet"
    return DiskFull(
        f"the disk of {home.root} is full ({free:,.0f} MB free), and a day of this home needs about "
        f"{needed_bytes(home) / _MB:,.0f} MB: free that much, then run 'huaxiang {word}' again; {served}"
    )


def needed_bytes(home: Home) -> int:
    """What a day takes beside what is there: the build and its sealed copy, and the work file written once more.

    Before the first release, what set-up asks for.
    """
    releases = [_size(folder) for folder in home.releases.glob("[!.]*")]
    if not releases:
        return int(NEEDED_DISK_GIB * 2**30)
    return 2 * max(releases) + 2 * _size(home.warehouse) + 10 * _MB


def _size(folder: Path) -> int:
    return sum((Path(parent) / name).lstat().st_size for parent, _, names in os.walk(folder) for name in names)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
