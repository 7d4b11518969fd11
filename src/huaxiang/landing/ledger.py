"""The ledger: what every drop became. Written last by each call, it commits: what it does not name has not landed.

One row per file, table and reason; the records of a file's rows add up to `records_in`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from huaxiang.failpoints import reach
from huaxiang.files import replacing, sync_all
from huaxiang.landing.drops import landed_stem
from huaxiang.settings import Settings
from huaxiang.tables import Home

ACCEPTED, QUARANTINED, DUPLICATE = "accepted", "quarantined", "duplicate_file"


@dataclass(frozen=True)
class LedgerRow:
    """`records` of a file had this outcome, for this reason ('' if accepted).

    `net_amount` is the money of these records (order lines only; of refused ones what can be read). A repair is booked
    like in any ledger: the records are added to the accepted and taken off the refused, with the repair's number.
    `landed_sha256` is that of the Parquet file of accepted records, '' where there is none.
    """

    call_number: int
    source_name: str
    table_name: str
    file_id: str
    sha256: str
    file_name: str
    load_date: date
    known_at: date
    bytes: int
    records_in: int
    outcome: str
    reason: str
    records: int
    net_amount: Decimal | None
    repair_number: int = 0
    landed_sha256: str = ""


@dataclass(frozen=True)
class TableConservation:
    """What came in and what became of it, per source and table. Repeated files are counted apart: they took no part.

    `net_amount` and `net_refused` are the money of accepted and refused records, None where no record holds any.
    `repaired` records are among the accepted.
    """

    source_name: str
    table_name: str
    files: int
    duplicate_files: int
    records_in: int
    accepted: int
    quarantined: int
    net_amount: Decimal | None
    net_refused: Decimal | None = None
    repaired: int = 0


def read_ledger(settings: Settings) -> list[LedgerRow]:
    """Every row of every call, in the order written."""
    import pyarrow.parquet as pq

    rows: list[LedgerRow] = []
    for path in _files(settings):
        columns = pq.ParquetFile(path).read().to_pydict()
        count = len(columns["call_number"])
        # A column that came later is absent in older files: its default holds for them.
        values = [columns.get(one.name, [one.default] * count) for one in fields(LedgerRow)]
        rows.extend(LedgerRow(*row) for row in zip(*values, strict=True))
    return rows


def write_call(settings: Settings, call_number: int, rows: Iterable[LedgerRow]) -> Path:
    """Commit one landing call: only when all that it names is safely on disk does the ledger name it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = settings.home.ledger / f"{call_number:06d}.parquet"
    columns = list(zip(*map(astuple, rows), strict=True))
    table = pa.table(columns, schema=_schema())
    sync_all()
    reach("landing.before_commit")
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
    reach("landing.committed")
    return path


def next_call_number(settings: Settings) -> int:
    return max((int(path.stem) for path in _files(settings)), default=0) + 1


def landed_names(rows: Iterable[LedgerRow]) -> set[tuple[str, str, str]]:
    """(source, table, stem) of the files that the rows commit: others in landing/ or quarantine/ have not landed."""
    return {(row.source_name, row.table_name, landed_stem(row.file_id, row.repair_number)) for row in rows}


def landed_path(home: Home, row: LedgerRow) -> Path:
    """Where the accepted records of a ledger row lie."""
    folder = home.landing / row.source_name / row.table_name / f"load_date={row.load_date}"
    return folder / f"{landed_stem(row.file_id, row.repair_number)}.parquet"


def first_rows(rows: Iterable[LedgerRow]) -> dict[tuple[str, str, str], LedgerRow]:
    """By source, table and file id the row of its first arrival, with the number of records it was last found to hold.

    The number changes where a file that could not be read at all is taken again.
    """
    first: dict[tuple[str, str, str], LedgerRow] = {}
    for row in rows:
        key = row.source_name, row.table_name, row.file_id
        first[key] = replace(first.get(key, row), records_in=row.records_in)
    return first


def landed_tables(settings: Settings, known_at: date) -> set[str]:
    """The canonical tables with accepted rows known at that day."""
    return {row.table_name for row in _known(settings, known_at) if row.outcome == ACCEPTED and row.records}


def input_hashes(settings: Settings, known_at: date) -> list[tuple[str, str, str]]:
    """Sorted (source, table, sha256) of every drop known at that day: what a release was made of."""
    return inputs_of(_known(settings, known_at))


def inputs_of(rows: Iterable[LedgerRow]) -> list[tuple[str, str, str]]:
    """Sorted (source, table, sha256) of every drop the rows speak of."""
    return sorted({(row.source_name, row.table_name, row.sha256) for row in rows if row.outcome != DUPLICATE})


def conservation(settings: Settings, known_at: date) -> list[TableConservation]:
    """Totals per source and table of the drops known at that day, in that order."""
    groups: dict[tuple[str, str], list[LedgerRow]] = {}
    for row in _known(settings, known_at):
        groups.setdefault((row.source_name, row.table_name), []).append(row)
    return [_total(source, table, rows) for (source, table), rows in sorted(groups.items())]


def _total(source: str, table: str, rows: list[LedgerRow]) -> TableConservation:
    landed = [row for row in rows if row.outcome != DUPLICATE]
    return TableConservation(
        source_name=source,
        table_name=table,
        files=len({row.sha256 for row in landed}),
        duplicate_files=len(rows) - len(landed),
        records_in=sum({row.sha256: row.records_in for row in landed}.values()),
        accepted=sum(row.records for row in landed if row.outcome == ACCEPTED),
        quarantined=sum(row.records for row in landed if row.outcome == QUARANTINED),
        net_amount=_money(landed, ACCEPTED),
        net_refused=_money(landed, QUARANTINED),
        repaired=sum(row.records for row in landed if row.outcome == ACCEPTED and row.repair_number),
    )


def _money(rows: list[LedgerRow], outcome: str) -> Decimal | None:
    amounts = [row.net_amount for row in rows if row.outcome == outcome and row.net_amount is not None]
    return sum(amounts, Decimal(0)) if amounts else None


def _known(settings: Settings, known_at: date) -> list[LedgerRow]:
    return [row for row in read_ledger(settings) if row.load_date <= known_at]


def _files(settings: Settings) -> list[Path]:
    return sorted(settings.home.ledger.glob("[0-9]*.parquet"))


def _schema() -> Any:
    import pyarrow as pa

    kinds = {
        "int": pa.int64(),
        "str": pa.string(),
        "date": pa.date32(),
        "Decimal | None": pa.decimal128(38, 2),
    }
    return pa.schema([(one.name, kinds[str(one.type)]) for one in fields(LedgerRow)])
