"""A private home inside the home: a past state to compute in, removed at the end however that comes."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from huaxiang.contracts import load_contracts
from huaxiang.errors import BrokenConservation, MissingPartition
from huaxiang.files import sha256
from huaxiang.landing import land
from huaxiang.landing.files import write_empty_tables
from huaxiang.landing.ledger import ACCEPTED, LedgerRow, landed_path, read_ledger
from huaxiang.settings import Run, Servers, Settings
from huaxiang.tables import Home

_PREFIX = ".timetravel-"
_LOCK = "in_use"


@contextmanager
def private_home(settings: Settings, name: str) -> Iterator[Settings]:
    """The same settings in an empty home, `<home>/.timetravel-<name>-<process>`; models are read where they are.

    What an earlier process left behind because it was killed is removed first: nobody holds its lock any more.
    """
    for leftover in settings.home.root.glob(f"{_PREFIX}*"):
        if not _is_in_use(leftover):
            shutil.rmtree(leftover, ignore_errors=True)
    root = settings.home.root / f"{_PREFIX}{name}-{os.getpid()}"
    root.mkdir(parents=True)
    try:
        with (root / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            servers = Servers(mlflow=settings.mlflow_uri)
            yield replace(settings, home=Home(root), inbox=root / "inbox", servers=servers)
    finally:
        shutil.rmtree(root)


def replay_landing(settings: Settings, past: Settings, ledger: Sequence[LedgerRow]) -> int:
    """Land every call of `ledger` again in `past`, from the raw bytes and repairs of `settings`.

    Returns how many ledger rows came out otherwise: 0 unless mappings, contracts or code have changed.
    Raises BrokenConservation for raw bytes that are missing or have changed.
    """
    _check_raw(settings, ledger)
    for _, rows in groupby(sorted(ledger, key=lambda row: row.call_number), key=lambda row: row.call_number):
        call = list(rows)
        shutil.rmtree(past.inbox, ignore_errors=True)
        for source in past.sources:
            (past.inbox / source).mkdir(parents=True)
        for row in call:
            if row.repair_number:
                name = f"{row.repair_number:06d}.json"
                _link(settings.home.repairs / name, past.home.repairs / name)
            else:
                _link(settings.home.raw / row.sha256, past.home.raw / row.sha256)
                _link(settings.home.raw / row.sha256, past.inbox / row.file_name)
        known_at = call[0].known_at
        land(past, Run(known_at, known_at))
    return len(_accounts(ledger) ^ _accounts(read_ledger(past)))


def link_landed(settings: Settings, past: Settings, ledger: Sequence[LedgerRow]) -> None:
    """Show `past` the landed rows of `ledger` as they lie in `settings`: nothing is landed again."""
    write_empty_tables(past, load_contracts(past))
    for row in ledger:
        if row.outcome != ACCEPTED or not row.records:
            continue
        path = landed_path(settings.home, row)
        _link(path, past.home.landing / path.relative_to(settings.home.landing))
    for call in sorted({row.call_number for row in ledger}):
        name = f"{call:06d}.parquet"
        _link(settings.home.ledger / name, past.home.ledger / name)


def link_identity(settings: Settings, past: Settings, up_to: Mapping[str, int] | None = None) -> None:
    """Show `past` the decisions and models by which people are recognised: all, or up to those a release names."""
    for folder, most in (("decisions", "decisions"), ("models", "model")):
        for path in sorted((settings.home.identity / folder).glob("[0-9]*.json")):
            if up_to is None or int(path.stem) <= up_to.get(most, 0):
                _link(path, past.home.identity / folder / path.name)


def _check_raw(settings: Settings, ledger: Iterable[LedgerRow]) -> None:
    checked: set[str] = set()
    for row in ledger:
        if row.sha256 in checked:
            continue
        checked.add(row.sha256)
        path = settings.home.raw / row.sha256
        if not path.exists() or sha256(path) != row.sha256:
            state = "no longer hash to their name" if path.exists() else "are missing"
            raise BrokenConservation(
                f"{row.file_name}: its raw bytes ({path}) {state}, so what was known cannot be made again; restore the"
                " file from a copy of the home, or from the source's drop, and try again"
            )


def _accounts(ledger: Iterable[LedgerRow]) -> set[tuple[object, ...]]:
    """What became of each drop, whatever the numbers of the calls are."""
    return {
        (row.source_name, row.table_name, row.file_name, row.sha256, row.outcome, row.reason, row.records,
         row.net_amount, row.repair_number)
        for row in ledger
    }  # fmt: skip


def _link(path: Path, target: Path) -> None:
    """A second name for the same bytes; a copy where the file system has no hard links."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        target.hardlink_to(path)
    except FileNotFoundError as error:
        raise MissingPartition(
            f"{path}: not there, so the past cannot be made again; restore it from a copy"
        ) from error
    except OSError:
        shutil.copyfile(path, target)


def _is_in_use(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:  # it is being made or removed right now, unless that process is dead
        return Path("/proc", folder.name.rpartition("-")[2]).exists()
    return False
