"""The quarantine: refused records that nobody has repaired yet, with their reason and their text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from huaxiang.errors import MissingPartition
from huaxiang.expressions import literal
from huaxiang.landing.framing import FILE
from huaxiang.landing.ledger import LedgerRow, first_rows, read_ledger
from huaxiang.settings import Settings
from huaxiang.tables import Home

if TYPE_CHECKING:
    import duckdb

# The reason of a damaged file, in which nobody can tell one record from another.
UNREADABLE = "UNREADABLE"


@dataclass(frozen=True)
class OpenFile:
    """A drop with refused records. `records` counts them by reason."""

    row: LedgerRow
    records: dict[str, int]


@dataclass(frozen=True)
class OpenRecord:
    """A refused record, or the FILE itself. `raw_text` is what came, None where it is no text or cannot be read."""

    record_number: int
    line_number: int
    reason: str
    detail: str
    raw_text: str | None
    net_amount: Decimal | None


def open_records_sql(home: Home) -> str | None:
    """SQL for the refused records that no repair has taken out, with `filename`; None when nothing was ever refused.

    Columns: those of a quarantine file, and `load_date` from its folder.
    """
    if not any(home.quarantine.glob("*/*/load_date=*/*.parquet")):
        return None
    refused = _read(home.quarantine / "*" / "*" / "load_date=*" / "*.parquet", "hive_types = {'load_date': date}")
    if repaired := _repaired_sql(home):
        # A file refused as a whole is taken again as a whole.
        return f"""
            with repaired as ({repaired})

            select refused.* from {refused} as refused
            anti join repaired using (source_name, table_name, file_id, record_number)
            where
                (record_number <> {FILE} and reason <> '{UNREADABLE}')
                or (source_name, table_name, file_id) not in (
                    select (source_name, table_name, file_id) from repaired
                )
        """
    return f"select * from {refused}"


def _repaired_sql(home: Home) -> str | None:
    """SQL for the records that repairs have brought in, with the keys of what they mend."""
    if not any(home.landing.glob("*/*/load_date=*/*-*.parquet")):
        return None
    repaired = _read(home.landing / "*" / "*" / "load_date=*" / "*-*.parquet", "hive_partitioning = false")
    return f"select source_name, string_split(filename, '/')[-3] as table_name, file_id, record_number from {repaired}"


def open_files(settings: Settings, known_at: date | None = None) -> list[OpenFile]:
    """The drops with refused records, the latest load day first."""
    rows = first_rows(read_ledger(settings))
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    with _querying(settings) as (connection, records):
        counts = connection.execute(
            f"select source_name, table_name, file_id, reason, count(*) from ({records}) group by all order by all"
        ).fetchall()
    for source, table, file_id, reason, count in counts:
        found.setdefault((source, table, file_id), {})[reason] = count
    files = [OpenFile(rows[key], records) for key, records in found.items() if key in rows]
    files = [one for one in files if known_at is None or one.row.load_date <= known_at]
    return sorted(files, key=lambda one: (-one.row.load_date.toordinal(), one.row.table_name, one.row.file_name))


def find_file(settings: Settings, name: str, table: str | None = None) -> OpenFile:
    """The one drop with refused records of that file id (or the beginning of one) or file name.

    Raises MissingPartition when there is none or more than one.
    """
    files = [one for one in open_files(settings) if table in (None, one.row.table_name)]
    found = [one for one in files if name and (one.row.file_id.startswith(name) or one.row.file_name == name)]
    if not found:
        raise MissingPartition(
            f"no file '{name}' has refused records: 'huaxiang quarantine list' shows those that have, by their id"
        )
    if len(found) > 1:
        ids = ", ".join(f"{one.row.file_id} ({one.row.table_name})" for one in found[:5])
        raise MissingPartition(f"'{name}' fits {len(found)} files: {ids}; write the whole id, or add --table")
    return found[0]


def records_of(settings: Settings, file: OpenFile) -> list[OpenRecord]:
    """The refused records of a drop, in record order."""
    row = file.row
    with _querying(settings) as (connection, records):
        found = connection.execute(
            f"select record_number, line_number, reason, coalesce(detail, ''), raw_text, net_amount from ({records})"
            " where source_name = ? and table_name = ? and file_id = ? order by record_number",
            [row.source_name, row.table_name, row.file_id],
        ).fetchall()
    return [OpenRecord(*one) for one in found]


@contextmanager
def _querying(settings: Settings) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A connection and the SQL of the open records; where nothing was ever refused, SQL that gives no row."""
    import duckdb

    nothing = (
        "select '' as source_name, '' as table_name, '' as file_id, 0 as record_number, 0 as line_number,"
        " '' as reason, '' as detail, '' as raw_text, null::decimal(18, 2) as net_amount where false"
    )
    with duckdb.connect() as connection:
        yield connection, open_records_sql(settings.home) or nothing


def _read(files: object, options: str) -> str:
    return f"read_parquet({literal(str(files))}, {options}, union_by_name = true, filename = true)"
