"""The landing step: every new drop becomes accepted rows and quarantined records; one ledger file commits them all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import groupby

from huaxiang.contracts import Contract, load_contracts
from huaxiang.errors import BrokenConservation, HuaxiangError, MissingPartition
from huaxiang.files import sha256
from huaxiang.landing.arrivals import ACTIVITY_TABLES
from huaxiang.landing.drops import Drop, Inbox, find_drops
from huaxiang.landing.files import accepted_path, remove_uncommitted, write_empty_tables
from huaxiang.landing.fit import check_mappings_fit
from huaxiang.landing.ledger import (
    ACCEPTED,
    DUPLICATE,
    QUARANTINED,
    LedgerRow,
    first_rows,
    landed_names,
    next_call_number,
    read_ledger,
    write_call,
)
from huaxiang.landing.mend import mend
from huaxiang.landing.money import with_money
from huaxiang.landing.outcome import Outcome, check_conservation
from huaxiang.landing.repairs import apply, pending
from huaxiang.landing.take import take
from huaxiang.settings import Run, Settings
from huaxiang.sources import load_sources
from huaxiang.steps import StepLog, step
from huaxiang.tables import Home

_SECONDS_BETWEEN_PROGRESS = 2.0


def land(settings: Settings, run: Run) -> None:
    """Take every drop not yet landed whose load day is at most `run.known_at`. Running it again changes nothing.

    Repairs of refused records enter too. Reads the inbox and repairs/; writes raw/, landing/, quarantine/ and, last,
    one ledger file, which is the commit.

    Raises BadConfiguration for a contract or mapping that cannot be used, MissingPartition when a source's inbox folder
    is missing or none of order_lines, events and identifiers has a drop by then, BrokenConservation when a record would
    be lost.
    """
    with step("landing", run, settings) as log:
        contracts = load_contracts(settings)
        sources = load_sources(settings, contracts)
        inboxes = [find_drops(source) for source in sources.values()]
        ledger = read_ledger(settings)
        _need_a_drop(inboxes, ledger, run.known_at)
        _tell_unmatched(log, inboxes)
        committed = landed_names(ledger)
        remove_uncommitted(settings.home, committed)
        write_empty_tables(settings, contracts)
        if mended := mend(settings, ledger):
            log.progress(f"{len(mended)} damaged files made anew from raw bytes, such as that of {mended[0]}")
            log.fact("made_anew", len(mended))

        due = [drop for inbox in inboxes for drop in inbox.drops if drop.load_date <= run.known_at]
        new, repeated = _sort_out(list(_hashed(log, due)), ledger)
        try:
            outcomes = with_money(settings.home, list(_land_all(log, settings, contracts, new)))
            for outcome in outcomes:
                check_conservation(outcome)
            check_mappings_fit(settings, outcomes, ledger)
            call_number = next_call_number(settings)
            rows = _ledger_rows(settings.home, call_number, run.known_at, outcomes, repeated, ledger)
            rows += _apply_repairs(log, settings, run, call_number, [*ledger, *rows])
        except BaseException:
            # What the ledger does not name has not landed: leave nothing that could be read as if it had.
            remove_uncommitted(settings.home, committed)
            raise
        if rows:
            write_call(settings, call_number, rows)
        log.fact("files", len(new))
        if repeated:
            log.fact("repeated_files", len(repeated))
        log.fact("records_in", sum(outcome.records_in for outcome in outcomes))
        log.fact("accepted", sum(outcome.accepted for outcome in outcomes))
        log.fact("quarantined", sum(outcome.quarantined for outcome in outcomes))


def _apply_repairs(
    log: StepLog, settings: Settings, run: Run, call_number: int, ledger: list[LedgerRow]
) -> list[LedgerRow]:
    """Take the repairs of drops known by then that no call has taken; returns their ledger rows."""
    rows: list[LedgerRow] = []
    for repair in pending(settings, ledger):
        arrival = first_rows([*ledger, *rows]).get((repair.source, repair.table, repair.file_id))
        if arrival is None or arrival.load_date > run.known_at:
            continue
        try:
            repaired = apply(settings, repair, replace(arrival, known_at=run.known_at), call_number)
        except BrokenConservation:
            raise
        except HuaxiangError as problem:  # one repair that does not fit any more holds up nothing else
            log.progress(f"repair {repair.number} of {arrival.file_name} waits: {problem}")
            continue
        rows += repaired.rows
        if repaired.still_refused:
            log.progress(f"repair {repair.number} of {arrival.file_name}: {repaired.still_refused:,} still refused")
    if rows:
        log.fact("repaired", sum(row.records for row in rows if row.outcome == ACCEPTED))
    return rows


def _need_a_drop(inboxes: list[Inbox], ledger: list[LedgerRow], known_at: date) -> None:
    days = {drop.load_date for inbox in inboxes for drop in inbox.drops if drop.table in ACTIVITY_TABLES}
    days |= {row.load_date for row in ledger if row.table_name in ACTIVITY_TABLES}
    if not days:
        raise MissingPartition(
            "no drop of order_lines, events or identifiers found in the inbox: put drops there that match 'file' of the"
            " mapping, or run 'huaxiang simulate' for a data set that can be replayed"
        )
    if min(days) > known_at:
        raise MissingPartition(
            f"no order_lines, events or identifiers had been dropped by {known_at}: the first drop is of {min(days)};"
            " use that day or a later one"
        )


def _tell_unmatched(log: StepLog, inboxes: list[Inbox]) -> None:
    """Not an error, but a mistyped pattern should not look as if there were no data."""
    unmatched = [name for inbox in inboxes for name in inbox.unmatched]
    if unmatched:
        log.progress(f"{len(unmatched):,} files match no mapping and are left alone, such as {unmatched[0]}")
        log.fact("unmatched_files", len(unmatched))


def _hashed(log: StepLog, drops: list[Drop]) -> Iterator[Drop]:
    """The drops with their content's hash. One that may not be read, or is gone, is left for the next call."""
    left = 0
    for drop in drops:
        try:
            yield replace(drop, sha256=sha256(drop.path))
        except (PermissionError, FileNotFoundError) as error:
            left += 1
            log.progress(f"{drop.file_name} is left alone ({error.strerror}): give this user the right to read it")
    if left:
        log.fact("unreadable_files", left)


def _sort_out(drops: list[Drop], ledger: list[LedgerRow]) -> tuple[list[Drop], list[Drop]]:
    """New drops, and those whose content had been seen before, but is not what their name held last."""
    seen = {(row.source_name, row.table_name, row.sha256) for row in ledger}
    held = {(row.source_name, row.table_name, row.file_name): row.sha256 for row in ledger if not row.repair_number}
    new, repeated = [], []
    for drop in drops:
        content = (drop.source, drop.table, drop.sha256)
        if content not in seen:
            seen.add(content)
            new.append(drop)
        elif held.get((drop.source, drop.table, drop.file_name)) != drop.sha256:
            repeated.append(drop)
    return new, repeated


def _land_all(log: StepLog, settings: Settings, contracts: dict[str, Contract], drops: list[Drop]) -> Iterator[Outcome]:
    done, told_at = 0, time.monotonic()
    for (_, table), group in groupby(drops, key=lambda drop: (drop.source, drop.table)):
        same = list(group)
        for outcome in take(settings.home, contracts[table], same):
            yield outcome
            done += 1
            if time.monotonic() - told_at > _SECONDS_BETWEEN_PROGRESS:
                told_at = time.monotonic()
                log.progress(f"{done:,} of {len(drops):,} files; {table} up to {outcome.drop.load_date}")


def _ledger_rows(
    home: Home,
    call_number: int,
    known_at: date,
    outcomes: list[Outcome],
    repeated: list[Drop],
    ledger: list[LedgerRow],
) -> list[LedgerRow]:
    rows: list[LedgerRow] = []
    for outcome in outcomes:
        nothing = _row(call_number, known_at, outcome.drop, outcome.bytes, outcome.records_in)
        if outcome.accepted or not outcome.refused:
            digest = sha256(accepted_path(home, outcome.drop)) if outcome.accepted else ""
            rows.append(replace(nothing, records=outcome.accepted, net_amount=outcome.net_amount, landed_sha256=digest))
        rows += [
            replace(
                nothing, outcome=QUARANTINED, reason=reason, records=count, net_amount=outcome.net_refused.get(reason)
            )
            for reason, count in sorted(outcome.refused.items())
        ]
    last = {(row.source_name, row.table_name, row.sha256): row for row in (*ledger, *rows)}
    for drop in repeated:
        seen = last[drop.source, drop.table, drop.sha256]
        again = _row(call_number, known_at, drop, seen.bytes, seen.records_in)
        rows.append(replace(again, outcome=DUPLICATE, reason="DUPLICATE_FILE", records=seen.records_in))
    return rows


def _row(call_number: int, known_at: date, drop: Drop, size: int, records_in: int) -> LedgerRow:
    """The row of a drop of which nothing was accepted."""
    return LedgerRow(
        call_number=call_number,
        source_name=drop.source,
        table_name=drop.table,
        file_id=drop.file_id,
        sha256=drop.sha256,
        file_name=drop.file_name,
        load_date=drop.load_date,
        known_at=known_at,
        bytes=size,
        records_in=records_in,
        outcome=ACCEPTED,
        reason="",
        records=0,
        net_amount=None,
    )
