"""The refused records of a home: how many of each file for which reason, and where each one lies. Never their text."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.report.tables import BuildTables
from huaxiang.report.words import plain

# Beyond this many the page lists only counts: nobody reads on, and the Parquet files hold them all.
LISTED = 2_000

REASONS = {
    "TYPE": "a value is not of its column's type",
    "REQUIRED": "a value that must be there is missing",
    "RULE": "a rule of the table's contract is broken",
    "FIELDS": "the record has more or fewer fields than the header",
    "QUOTE": "text stands beside a quoted value",
    "UNREADABLE": "the file cannot be read at all",
    "UNREADABLE_RECORD": "the record looks whole, but cannot be loaded",
    "UNTERMINATED_QUOTE": "a quote is opened and never closed",
    "ENCODING": "the bytes are not text of the declared encoding",
    "HEADER": "the file's header lacks a column that the mapping needs",
    "JSON": "the line is not valid JSON",
    "TRUNCATED": "the file breaks off before its end",
    "ARCHIVE": "the file is compressed in a way that is not safe to open",
    "TOO_LONG": "the record is longer than any record of data",
    "FUTURE_TIME": "something is said to have happened after the file was dropped",
}


@dataclass(frozen=True)
class RefusedGroup:
    """Records of a file refused for one reason; `path` is the file of the home that holds their raw text."""

    source: str
    table: str
    file: str
    reason: str
    records: int
    path: str


@dataclass(frozen=True)
class RefusedRecord:
    """One refused record, by its place. `detail` names the column and rule, never the value."""

    file: str
    line: int | None
    record: int | None
    reason: str
    detail: str


@dataclass(frozen=True)
class Refused:
    """All refused records up to `known_at`; `records` are the first ones by file and line."""

    groups: tuple[RefusedGroup, ...]
    records: tuple[RefusedRecord, ...]

    @property
    def total(self) -> int:
        return sum(group.records for group in self.groups)


def reason_in_words(reason: str) -> str:
    """What the short code means; a code may name its rule, as `RULE:amounts_add_up` does."""
    code, _, name = reason.partition(":")
    said = REASONS.get(code, plain(code.lower()))
    return f"{said}: {plain(name)}" if name else said


def refused(tables: BuildTables) -> Refused:
    """Read the quarantine up to `known_at`, without the records that were repaired."""
    from huaxiang.landing.quarantine import open_records_sql

    root = tables.settings.home.quarantine
    records_sql = open_records_sql(tables.settings.home)
    if records_sql is None:
        return Refused((), ())
    placed = f"""
        select *, 'quarantine' || substr(filename, {len(str(root)) + 1}) as path
        from ({records_sql})
        where load_date <= $1
    """
    groups = tables.rows(
        f"""
        select
            source_name as source, table_name as "table", file_name as file, reason,
            count(*) as records, min(path) as path
        from ({placed})
        group by all
        order by records desc, file, reason
        """,
        tables.run.known_at,
    )
    records = tables.rows(
        f"""
        select file_name as file, line_number as line, record_number as record, reason, coalesce(detail, '') as detail
        from ({placed})
        order by file, line nulls last, record, reason, detail
        limit {LISTED}
        """,
        tables.run.known_at,
    )
    return Refused(tuple(RefusedGroup(**row) for row in groups), tuple(RefusedRecord(**row) for row in records))
