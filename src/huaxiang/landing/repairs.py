"""Repair refused records: with a corrected text, or as they came once their mapping is right (a replay).

A repair is raw data like a drop: it is written to `repairs/<number>.json` and enters with the next landing call, under
the file and record number of what it mends, as if the record had been right when it came. A file that could not be read
at all is taken again whole.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from huaxiang.errors import BrokenConservation, HuaxiangError, MissingPartition
from huaxiang.files import replacing, sha256
from huaxiang.landing.files import quarantine_path, write_accepted
from huaxiang.landing.framing import FILE
from huaxiang.landing.ledger import ACCEPTED, QUARANTINED, LedgerRow, landed_path
from huaxiang.landing.outcome import Outcome
from huaxiang.landing.quarantine import UNREADABLE, OpenFile, OpenRecord, records_of
from huaxiang.landing.retake import Retaken, retake
from huaxiang.landing.take import drop_of, scratch_home, take_again
from huaxiang.settings import Settings
from huaxiang.tables import Home

Texts = Mapping[int, str | None]


@dataclass(frozen=True)
class Repair:
    """Records of one drop to be taken again: record number -> its corrected text, or None for the text it came with.

    `texts` is None where the drop is taken again whole.
    """

    number: int
    source: str
    table: str
    file_id: str
    texts: Texts | None


@dataclass(frozen=True)
class Repaired:
    """What became of a repair: its ledger rows, and the records that are still refused."""

    rows: tuple[LedgerRow, ...]
    still_refused: int


@dataclass(frozen=True)
class Replayed:
    """How many records enter with the next landing call and how many stay refused; which files no mapping fits."""

    entering: int
    still_refused: int
    problems: tuple[str, ...]


def repair(settings: Settings, file: OpenFile, texts: Mapping[int, str]) -> Repair:
    """Check the corrected records against mapping and contract, and keep them for the next landing call.

    Raises MissingPartition for a record that is not refused, HuaxiangError for one that would be refused again.
    """
    came = {one.record_number: one for one in records_of(settings, file)}
    unknown = sorted(set(texts) - set(came))
    if unknown:
        raise MissingPartition(
            f"{file.row.file_name}: record {unknown[0]} is not refused; 'huaxiang quarantine show {file.row.file_id}'"
            " shows those that are"
        )
    if _is_whole(came.values()):
        raise HuaxiangError(
            f"{file.row.file_name}: the file could not be read, so its records are not known; have the source send it"
            f" again under its name, or correct the mapping and say 'huaxiang quarantine replay {file.row.file_id}'"
        )
    taken = _take(settings, file, texts)
    if taken.refused:
        first = taken.refused[0]
        raise HuaxiangError(
            f"{file.row.file_name}: record {first.record_number} would be refused again"
            f" ({first.reason}: {first.detail}); nothing was kept. Correct its text and repair it again"
        )
    return _keep(settings, file, texts)


def replay(settings: Settings, files: Sequence[OpenFile]) -> Replayed:
    """Try every refused record again with today's mapping and contract; keep what is accepted now."""
    entering, still, problems = 0, 0, []
    for file in files:
        opened = records_of(settings, file)
        try:
            accepted, refused, texts = _tried(settings, file, opened)
        except HuaxiangError as problem:
            accepted, refused = 0, len(opened)
            problems.append(str(problem))
        entering, still = entering + accepted, still + refused
        if accepted:
            _keep(settings, file, texts)
    return Replayed(entering, still, tuple(problems))


def _tried(settings: Settings, file: OpenFile, opened: Sequence[OpenRecord]) -> tuple[int, int, Texts | None]:
    """How many records would be accepted and refused today, and what to keep for it."""
    if _is_whole(opened):
        with scratch_home(settings) as scratch:
            outcome = take_again(settings, scratch, file.row, 0)
        return outcome.accepted, outcome.quarantined, None
    texts: Texts = {one.record_number: None for one in opened}
    refused = {one.record_number for one in _take(settings, file, texts).refused}
    return len(texts) - len(refused), len(refused), {number: None for number in texts if number not in refused}


def pending(settings: Settings, ledger: Sequence[LedgerRow]) -> list[Repair]:
    """The repairs no landing call has taken yet, in the order they were made.

    Of a record that was repaired twice meanwhile the last repair holds.
    """
    taken = {row.repair_number for row in ledger}
    found: list[Repair] = []
    said: set[tuple[str, str, str, int]] = set()
    for path in reversed(_paths(settings)):
        if int(path.stem) in taken:
            continue
        repair = _read(path)
        records = {(repair.source, repair.table, repair.file_id, number) for number in repair.texts or ()}
        if repair.texts is not None:
            again = {number for *_, number in records & said}
            repair = replace(repair, texts={n: text for n, text in repair.texts.items() if n not in again})
        said |= records
        found.append(repair)
    return found[::-1]


def apply(settings: Settings, repair: Repair, arrival: LedgerRow, call_number: int) -> Repaired:
    """Write the accepted records of a repair; its ledger rows take them off the refused.

    `arrival` is a ledger row of the drop. A repair of which nothing is accepted is told too: it has been taken.
    """
    base = replace(arrival, call_number=call_number, repair_number=repair.number, outcome=ACCEPTED, reason="REPAIRED")
    if repair.texts is None:
        return _apply_whole(settings, base, arrival)
    opened = {one.record_number: one for one in records_of(settings, OpenFile(arrival, {}))}
    taken = _write(settings, settings.home, repair, arrival)
    mended = [opened[number] for number in taken.rows["_record"].to_pylist()]
    accepted = replace(base, records=len(mended), net_amount=taken.money, landed_sha256=_hash(settings.home, base))
    return Repaired((accepted, *_less(base, mended)), len(taken.refused))


def _apply_whole(settings: Settings, base: LedgerRow, arrival: LedgerRow) -> Repaired:
    """The ledger rows of a drop that is taken again whole: what was refused is taken off, what it holds is added."""
    nothing = replace(base, records=0, net_amount=None, landed_sha256="")
    opened = records_of(settings, OpenFile(arrival, {}))
    if not _is_whole(opened):  # an earlier replay has taken it
        return Repaired((nothing,), 0)
    outcome = take_again(settings, settings.home, arrival, base.repair_number)
    if not outcome.accepted:  # the mapping has changed once more
        quarantine_path(settings.home, outcome.drop).unlink(missing_ok=True)
        return Repaired((nothing,), len(opened))
    base = replace(base, records_in=outcome.records_in)
    accepted = replace(
        base, records=outcome.accepted, net_amount=outcome.net_amount, landed_sha256=_hash(settings.home, base)
    )
    return Repaired((accepted, *_less(base, opened), *_refused(base, outcome)), outcome.quarantined)


def rewrite(settings: Settings, home: Home, row: LedgerRow, arrival: LedgerRow) -> bool:
    """Write the records of the repair that `row` tells of once more, to `home`; False when it is not of records."""
    if not row.repair_number:
        return False
    repair = _read(settings.home.repairs / f"{row.repair_number:06d}.json")
    if repair.texts is not None:
        _write(settings, home, repair, arrival)
    return repair.texts is not None


def _write(settings: Settings, home: Home, repair: Repair, arrival: LedgerRow) -> Retaken:
    """Take those records of a repair that are still refused, and write to `home` what is accepted of them."""
    file = OpenFile(arrival, {})
    opened = {one.record_number for one in records_of(settings, file)}
    contract, drop = drop_of(settings, arrival)
    taken = _take(settings, file, {number: text for number, text in (repair.texts or {}).items() if number in opened})
    accepted = write_accepted(home, replace(drop, repair_number=repair.number), contract, [taken.rows])
    if accepted != taken.rows.num_rows:
        raise BrokenConservation(
            f"repair {repair.number} of {arrival.file_name}: {taken.rows.num_rows:,} records were accepted, but"
            f" {accepted:,} can be read back, so nothing was landed; keep the home and report this fault"
        )
    return taken


def _hash(home: Home, row: LedgerRow) -> str:
    path = landed_path(home, row)
    return sha256(path) if path.exists() else ""


def _less(base: LedgerRow, mended: Sequence[OpenRecord]) -> list[LedgerRow]:
    """The rows that take records and their money off the refused."""
    rows = []
    for reason, count in sorted(Counter(one.reason for one in mended).items()):
        amounts = [one.net_amount for one in mended if one.reason == reason and one.net_amount is not None]
        money = -sum(amounts, Decimal(0)) if amounts else None
        rows.append(_row(base, reason, -count, money))
    return rows


def _refused(base: LedgerRow, outcome: Outcome) -> list[LedgerRow]:
    return [
        _row(base, reason, count, outcome.net_refused.get(reason)) for reason, count in sorted(outcome.refused.items())
    ]


def _row(base: LedgerRow, reason: str, records: int, money: Decimal | None) -> LedgerRow:
    return replace(base, outcome=QUARANTINED, reason=reason, records=records, net_amount=money, landed_sha256="")


def _take(settings: Settings, file: OpenFile, texts: Texts) -> Retaken:
    contract, drop = drop_of(settings, file.row)
    came = {one.record_number: one for one in records_of(settings, file)}
    return retake(settings.home, contract, drop, came, texts, file.row.records_in)


def _is_whole(opened: Iterable[OpenRecord]) -> bool:
    """Whether the file itself was refused, so that what its records were cannot be told from what is kept."""
    return any(one.record_number == FILE or one.reason == UNREADABLE for one in opened)


def _keep(settings: Settings, file: OpenFile, texts: Texts | None) -> Repair:
    number = max((int(path.stem) for path in _paths(settings)), default=0) + 1
    made = Repair(number, file.row.source_name, file.row.table_name, file.row.file_id, texts)
    said = {
        "source": made.source,
        "table": made.table,
        "file_id": made.file_id,
        "records": None if texts is None else {str(record): text for record, text in sorted(texts.items())},
    }
    path = settings.home.repairs / f"{number:06d}.json"
    with replacing(path) as temporary:
        temporary.touch(mode=0o600)  # it holds what customers' records say
        temporary.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return made


def _read(path: Path) -> Repair:
    said = json.loads(path.read_text(encoding="utf-8"))
    texts = said["records"] and {int(record): text for record, text in said["records"].items()}
    return Repair(int(path.stem), said["source"], said["table"], said["file_id"], texts)


def _paths(settings: Settings) -> list[Path]:
    return sorted(settings.home.repairs.glob("[0-9]*.json"))
