"""Which landed files are in force, and which of them wins where two hold the same key.

A drop's name is its identity: what comes later under the same name replaces what came before (a corrected drop), unless
nothing of it could be accepted. Among files in force the one of the later load day wins, on one day the later name. So
what holds depends on names, load days and contents, and only for one name on the order in which its contents came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from huaxiang.files import replacing
from huaxiang.landing.ledger import ACCEPTED, LedgerRow
from huaxiang.settings import Settings

_Content = tuple[str, str, str]  # source, table, file id
_Name = tuple[str, str, str]  # source, table, file name


@dataclass(frozen=True)
class KnownFile:
    """A landed file known at a day. The highest `file_rank` of a source's table wins; None: it has been replaced.

    `file_version` differs when a repair added records to it, or when it came again under a later name: as long as it is
    the same, nothing that was made of the file needs to be made again.
    """

    source_name: str
    table_name: str
    file_id: str
    load_date: date
    file_rank: int | None
    file_version: str


def known_files(ledger: Iterable[LedgerRow], known_at: date) -> list[KnownFile]:
    """Every landed file with accepted rows and a load day of at most `known_at`, by source, table and rank."""
    rows = [row for row in ledger if row.load_date <= known_at]
    first_day: dict[_Content, date] = {}
    records: Counter[_Content] = Counter()
    for row in _accepted(rows):
        first_day.setdefault(_content(row), row.load_date)
        records[_content(row)] += row.records
    # A content in force under several names holds from the last of them: it may be a state that has come back.
    place: dict[_Content, tuple[date, str]] = {}
    for row in held(rows).values():
        here = (row.load_date, row.file_name)
        place[_content(row)] = max(place.get(_content(row), here), here)
    in_force = sorted((*content[:2], *here, content[2]) for content, here in place.items())
    ranks = {(source, table, file_id): rank for rank, (source, table, _, _, file_id) in enumerate(in_force, start=1)}
    found = [
        KnownFile(*content, day, ranks.get(content), _version(records[content], place.get(content)))
        for content, day in first_day.items()
    ]
    return sorted(found, key=lambda one: (one.source_name, one.table_name, one.file_rank or 0, one.file_id))


def held(ledger: Iterable[LedgerRow]) -> dict[_Name, LedgerRow]:
    """What each drop name holds: the arrival of the last content that came under it and had anything to accept."""
    rows = list(ledger)
    usable = {_content(row) for row in _accepted(rows)}
    arrivals = sorted((row for row in rows if not row.repair_number), key=lambda row: row.call_number)
    return {(row.source_name, row.table_name, row.file_name): row for row in arrivals if _content(row) in usable}


def write_known_files(settings: Settings, files: Iterable[KnownFile]) -> Path:
    """Write the files in force to `warehouse/known_files.parquet`, which staging reads beside the landed rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = settings.home.known_files
    in_force = [one for one in files if one.file_rank is not None]
    table = pa.table(
        {
            "source_name": pa.array([one.source_name for one in in_force], pa.string()),
            "table_name": pa.array([one.table_name for one in in_force], pa.string()),
            "file_id": pa.array([one.file_id for one in in_force], pa.string()),
            "file_rank": pa.array([one.file_rank for one in in_force], pa.int64()),
            "file_version": pa.array([one.file_version for one in in_force], pa.string()),
        }
    )
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
    return path


def _version(records: int, place: tuple[date, str] | None) -> str:
    return f"{records} records, {place[0]} {place[1]}" if place else ""


def _accepted(rows: Iterable[LedgerRow]) -> Iterable[LedgerRow]:
    return (row for row in rows if row.outcome == ACCEPTED and row.records)


def _content(row: LedgerRow) -> _Content:
    return row.source_name, row.table_name, row.file_id
