"""Landed rows against bit rot: their files must be those the ledger names, or are made anew from the raw bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from huaxiang.errors import BrokenConservation, HuaxiangError
from huaxiang.files import sha256, sync
from huaxiang.landing.ledger import LedgerRow, first_rows, landed_path
from huaxiang.landing.repairs import rewrite
from huaxiang.landing.take import scratch_home, take_again
from huaxiang.settings import Settings
from huaxiang.tables import Home


def check_landed(home: Home, ledger: Iterable[LedgerRow]) -> None:
    """Raise BrokenConservation naming the first landed file that is gone or is not as it was written."""
    for row in _damaged(home, ledger):
        raise BrokenConservation(
            f"{landed_path(home, row)}: gone, or not as it was written (its SHA-256 differs), so nothing is read; run"
            " 'huaxiang landing' again: it makes the file anew from the raw bytes"
        )


def mend(settings: Settings, ledger: list[LedgerRow]) -> list[str]:
    """Make damaged landed files anew from the raw bytes, and say which drops they belong to.

    Raises BrokenConservation when the rows would not be those that landed: mapping, contract or code has changed since.
    """
    first, mended = first_rows(ledger), []
    for row in _damaged(settings.home, ledger):
        arrival = first[row.source_name, row.table_name, row.file_id]
        path = landed_path(settings.home, row)
        aside = path.with_name(f".{path.name}.damaged")  # out of the way of whoever reads all landed files
        if path.exists():
            path.replace(aside)
        try:
            _make_anew(settings, row, arrival, path)
        except HuaxiangError:
            if aside.exists():
                aside.replace(path)
            raise
        aside.unlink(missing_ok=True)
        mended.append(row.file_name)
    return mended


def _make_anew(settings: Settings, row: LedgerRow, arrival: LedgerRow, path: Path) -> None:
    with scratch_home(settings) as scratch:
        if not rewrite(settings, scratch, row, arrival):
            take_again(settings, scratch, arrival, row.repair_number)
        made = landed_path(scratch, row)
        if not made.exists() or sha256(made) != row.landed_sha256:
            raise BrokenConservation(
                f"{path}: gone, or not as it was written, and its drop {row.file_name} gives other rows today (mapping,"
                " contract or version has changed since), so nothing is landed; restore the file from a copy of the"
                " home, or go back to that mapping and run again"
            )
        sync(made)
        path.parent.mkdir(parents=True, exist_ok=True)
        made.replace(path)


def _damaged(home: Home, ledger: Iterable[LedgerRow]) -> Iterator[LedgerRow]:
    for row in ledger:
        if row.landed_sha256:
            path = landed_path(home, row)
            if not path.exists() or sha256(path) != row.landed_sha256:
                yield row
