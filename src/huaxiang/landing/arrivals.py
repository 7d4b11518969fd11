"""What each table that a source maps brought on a day: records, an empty file that may be, one that may not, no file.

A file without records looks like a quiet day and may be a broken export; no file looks like a closed shop and may be a
lost delivery. What the table did before tells them apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from huaxiang.contracts import load_contracts
from huaxiang.gate_limits import GateLimits
from huaxiang.landing.ledger import ACCEPTED, DUPLICATE, QUARANTINED, LedgerRow, read_ledger
from huaxiang.settings import Settings
from huaxiang.sources import load_sources

# The tables that say what customers do, or at least who they are: a home needs one of them, and the first that landed
# is watched day by day.
ACTIVITY_TABLES = ("order_lines", "events", "identifiers")


class State(StrEnum):
    """What a table brought on a day."""

    ROWS = "ROWS"
    REFUSED = "REFUSED"  # records came, none could be taken
    REPEATED = "REPEATED"  # only files whose content had come before
    EMPTY_OK = "EMPTY_OK"
    EMPTY_UNEXPECTED = "EMPTY_UNEXPECTED"
    NOT_DUE = "NOT_DUE"  # no file, and this table does not bring one every day
    MISSING = "MISSING"  # no file, though one came every day


AMISS = (State.REFUSED, State.EMPTY_UNEXPECTED, State.MISSING)


@dataclass(frozen=True)
class Arrival:
    """The state of one table of one source on one day, and what it was judged by."""

    source_name: str
    table_name: str
    load_date: date
    state: State
    said: str

    @property
    def is_amiss(self) -> bool:
        return self.state in AMISS


def activity_table(tables: Collection[str]) -> str:
    """The table that is watched day by day in a home that has landed these tables."""
    return next((name for name in ACTIVITY_TABLES if name in tables), ACTIVITY_TABLES[0])


def arrivals(settings: Settings, known_at: date) -> list[Arrival]:
    """The state of every table that the home's sources map, on the newest load day the run may know of."""
    sources = load_sources(settings, load_contracts(settings))
    mapped = [(source.name, table) for source in sources.values() for table in source.tables]
    return judged(read_ledger(settings), mapped, known_at, settings.gates)


def judged(
    ledger: Iterable[LedgerRow], mapped: Iterable[tuple[str, str]], day: date, limits: GateLimits
) -> list[Arrival]:
    """The state of every mapped (source, table) on that day, from the ledger of it and of the days before."""
    known = [row for row in ledger if row.load_date <= day]
    activity = activity_table({row.table_name for row in known})
    headless = {_file(row) for row in known if row.outcome == QUARANTINED and not row.records_in}
    found = []
    for source, table in mapped:
        days: dict[date, _Day] = {}
        for row in known:
            if (row.source_name, row.table_name) == (source, table):
                days.setdefault(row.load_date, _Day()).add(row, _file(row) in headless)
        state, said = _state(days, day, table == activity, limits)
        found.append(Arrival(source, table, day, state, said))
    return found


@dataclass
class _Day:
    """What the ledger says of a table's files of one day."""

    accepted: int = 0
    has_records: bool = False
    has_known_records: bool = False
    has_headless: bool = False

    def add(self, row: LedgerRow, is_headless: bool) -> None:
        self.accepted += row.records if row.outcome == ACCEPTED else 0
        # Empty files are alike, so the second one is booked as a repetition of the first.
        self.has_records |= row.outcome != DUPLICATE and row.records_in > 0
        self.has_known_records |= row.outcome == DUPLICATE and row.records_in > 0
        self.has_headless |= is_headless

    @property
    def is_empty(self) -> bool:
        return not self.has_records and not self.has_known_records


def _state(days: dict[date, _Day], day: date, is_activity: bool, limits: GateLimits) -> tuple[State, str]:
    came = days.get(day)
    if came is None:
        return _without_a_file(sorted(days), day, limits)
    if came.accepted:
        return State.ROWS, f"{came.accepted:,} record{'' if came.accepted == 1 else 's'} accepted"
    if came.has_records:
        return State.REFUSED, "records came, none could be accepted"
    if came.has_known_records:
        return State.REPEATED, "a file whose content had come before"
    if came.has_headless:
        return State.EMPTY_UNEXPECTED, "a file came without a record, and without a header that can be read"
    if is_activity:
        return State.EMPTY_UNEXPECTED, "a file came without a record, and this table says what customers do"
    before = [days[one].is_empty for one in sorted(days) if one < day]
    filled = [place for place, is_empty in enumerate(before) if not is_empty]
    if not filled:
        return State.EMPTY_OK, "a file came without a record, and none has ever had one"
    # Empty files that were followed by others, not those of a fault that has lasted for some days.
    quiet = sum(before[: filled[-1]])
    if quiet:
        return State.EMPTY_OK, f"a file came without a record, as on {quiet:,} of {len(before):,} days before"
    return State.EMPTY_UNEXPECTED, f"a file came without a record; on {len(filled):,} days before it had some"


def _without_a_file(before: list[date], day: date, limits: GateLimits) -> tuple[State, str]:
    if not before:
        return State.NOT_DUE, "no file has come yet"
    newest = before[-1]
    # Up to the newest file: days without one since then must not make a daily table look like a rare one.
    span = min((newest - before[0]).days + 1, limits.usual_days)
    since = newest - timedelta(days=span)
    came = sum(one > since for one in before)
    if span >= limits.daily_from_days and came >= limits.daily_share * span:
        return State.MISSING, f"no file; one came on {came:,} of {span:,} days up to the last, of {newest}"
    return State.NOT_DUE, f"no file; the last is of {newest}, and not every day brings one"


def _file(row: LedgerRow) -> tuple[str, str, str]:
    return row.source_name, row.table_name, row.sha256
