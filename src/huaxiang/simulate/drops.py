"""A drop: one file that a source system leaves in the inbox on one day, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

_FORMATS = {
    ".csv": "format csv, header",
    ".jsonl": "format json",
    ".parquet": "format parquet, compression zstd",
}
_SAY_EVERY = 100


@dataclass(frozen=True)
class Drop:
    """One file of one load day. The suffix of `path` says the format, `query` fixes rows and their order."""

    path: Path
    query: str


@dataclass(frozen=True)
class Sample:
    """A part of a data set for a small home: what happened from `since` on, to the first so many `customers`.

    With `faults` the drops come as they do in real life: late, repeated, split (see the module `faults`).
    """

    since: date | None = None
    customers: int | None = None
    faults: bool = False


def write_drops(connection: duckdb.DuckDBPyConnection, drops: Sequence[Drop], progress: Callable[[str], None]) -> None:
    """Write the drops, two at a time (each is too small to keep the engine's own threads busy)."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        # map gives back the results in order, so the first error ends the work and is raised here.
        for count, _ in enumerate(pool.map(lambda drop: write_drop(connection.cursor(), drop), drops), start=1):
            if count % _SAY_EVERY == 0:
                progress(f"{count:,} of {len(drops):,} drops")


def remove_parts(folder: Path) -> None:
    """Remove what a killed call had begun to write."""
    for part in folder.rglob(".*.part"):
        part.unlink()


def write_drop(connection: duckdb.DuckDBPyConnection, drop: Drop) -> None:
    """Write one drop beside its place and move it there in one step, so that nobody meets half a file."""
    drop.path.parent.mkdir(parents=True, exist_ok=True)
    part = drop.path.with_name(f".{drop.path.name}.part")
    target = str(part).replace("'", "''")
    try:
        connection.execute(f"copy ({drop.query}) to '{target}' ({_FORMATS[drop.path.suffix]})")
        part.replace(drop.path)
    finally:
        part.unlink(missing_ok=True)
