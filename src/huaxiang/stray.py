"""What a command that was killed leaves behind, half-written files under hidden names, and how it is cleared up.

Everything here is of a writer of ours that held the lock, so whoever holds it now knows that nobody uses it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from huaxiang.settings import Settings
from huaxiang.tables import Home

# `.customers.parquet.4711.tmp` of `files.replacing`; `.2017-11-30-ab12.tmp` of a sealed folder that comes or goes.
_TEMPORARY = re.compile(r"\..+\.tmp")
# Folders of landing and of the Spark jobs that live as long as a call.
_SCRATCH = re.compile(r"\.landing-.*|\.spark")


def clear_up(settings: Settings) -> list[Path]:
    """Remove what dead commands left half-written. Called with the home's lock held. Returns what went."""
    found = list(_stray(settings.home))
    for path in found:
        remove(path)
    return found


def _stray(home: Home) -> Iterator[Path]:
    """Files and folders that only ever live as long as the command that makes them."""
    yield from (path for path in _children(home.root) if _is_stray(path.name))
    yield from _children(home.spark_scratch)
    for folder in (
        home.raw,
        home.landing,
        home.quarantine,
        home.ledger,
        home.repairs,
        home.errata,
        home.warehouse,
        home.releases,
        home.builds,
        home.mlflow_spool,
    ):
        for parent, folders, files in os.walk(folder):
            stray = [name for name in (*folders, *files) if _is_stray(name)]
            yield from (Path(parent) / name for name in stray)
            folders[:] = [name for name in folders if name not in stray]
            if Path(parent) in (home.releases, home.mlflow_spool):
                folders.clear()  # what is sealed: nothing is written in it


def remove(path: Path) -> None:
    """Remove a file or a folder, which may be gone already."""
    if path.is_dir() and not path.is_symlink():
        with suppress(FileNotFoundError):
            shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _is_stray(name: str) -> bool:
    return bool(_TEMPORARY.fullmatch(name) or _SCRATCH.fullmatch(name))


def _children(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
