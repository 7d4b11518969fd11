"""Repair refused records: with a corrected text, or as they came once their mapping is right (a replay).

A repair is raw data like a drop: it is written to `repairs/<number>.json` and enters with the next landing call, under
the file and record number of what it mends, as if the record had been right when it came.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from huaxiang.contracts import Contract, load_contracts
from huaxiang.errors import BrokenConservation, HuaxiangError, MissingPartition
from huaxiang.files import write_text
from huaxiang.landing.drops import Drop
from huaxiang.landing.files import write_accepted
from huaxiang.landing.ledger import ACCEPTED, QUARANTINED, LedgerRow
from huaxiang.landing.quarantine import OpenFile, OpenRecord, records_of
from huaxiang.landing.text import Retaken, retake
from huaxiang.settings import Settings
from huaxiang.sources import Source, load_sources

Texts = Mapping[int, str | None]


@dataclass(frozen=True)
class Repair:
    """Records of one drop to be taken again: record number -> its corrected text, or None for the text it came with."""

    number: int
    source: str
    table: str
    file_id: str
    texts: Texts


@dataclass(frozen=True)
class Repaired:
    """What became of a repair: its ledger rows, and the records that are still refused."""

    rows: tuple[LedgerRow, ...]
    still_refused: int


def repair(settings: Settings, file: OpenFile, texts: Texts) -> Repair:
    """Check the corrected records against mapping and contract, and keep them for the next landing call.

    Raises MissingPartition for a record that is not refused, HuaxiangError for one that would be refused again.
    """
    refused = {one.record_number for one in records_of(settings, file)}
    unknown = sorted(set(texts) - refused)
    if unknown:
        raise MissingPartition(
            f"{file.row.file_name}: record {unknown[0]} is not refused; 'huaxiang quarantine show {file.row.file_id}'"
            " shows those that are"
        )
    taken = _take(settings, file, texts)
    if taken.refused:
        first = taken.refused[0]
        raise HuaxiangError(
            f"{file.row.file_name}: record {first.record_number} would be refused again"
            f" ({first.reason}: {first.detail}); nothing was kept. Correct its text and repair it again"
        )
    return _keep(settings, file, texts)


def replay(settings: Settings, files: Sequence[OpenFile]) -> tuple[list[Repair], int]:
    """Try every refused record again with today's mapping and contract; keep what is accepted now.

    Returns the repairs, and how many records are refused as before.
    """
    kept, still = [], 0
    for file in files:
        opened = records_of(settings, file)
        texts: Texts = {one.record_number: None for one in opened if one.reason not in _WHOLE_FILE}
        refused = {one.record_number for one in _take(settings, file, texts).refused} if texts else set()
        still += len(refused) + len(opened) - len(texts)
        if len(refused) < len(texts):
            kept.append(_keep(settings, file, {number: None for number in texts if number not in refused}))
    return kept, still


def pending(settings: Settings, ledger: Sequence[LedgerRow]) -> list[Repair]:
    """The repairs no landing call has taken yet, in the order they were made."""
    taken = {row.repair_number for row in ledger}
    return [_read(path) for path in _paths(settings) if int(path.stem) not in taken]


def apply(settings: Settings, repair: Repair, arrival: LedgerRow, call_number: int) -> Repaired:
    """Write the accepted records of a repair; its ledger rows take them off the refused.

    `arrival` is a ledger row of the drop. A repair of which nothing is accepted is told too: it has been taken.
    """
    file = OpenFile(arrival, {})
    opened = {one.record_number: one for one in records_of(settings, file)}
    taken = _take(settings, file, {number: text for number, text in repair.texts.items() if number in opened})
    contract, drop = _context(settings, file)
    drop = replace(drop, repair_number=repair.number)
    accepted = write_accepted(settings.home, drop, contract, [taken.rows])
    if accepted != taken.rows.num_rows:
        raise BrokenConservation(
            f"repair {repair.number} of {arrival.file_name}: {taken.rows.num_rows:,} records were accepted, but"
            f" {accepted:,} can be read back, so nothing was landed; keep the home and report this fault"
        )
    mended = [opened[number] for number in taken.rows["_record"].to_pylist()]
    base = replace(arrival, call_number=call_number, repair_number=repair.number)
    rows = [
        replace(base, outcome=QUARANTINED, reason=reason, records=-count, net_amount=_less(mended, reason, arrival))
        for reason, count in sorted(Counter(one.reason for one in mended).items())
    ]
    rows.insert(0, replace(base, outcome=ACCEPTED, reason="REPAIRED", records=accepted, net_amount=taken.money))
    return Repaired(tuple(rows), len(taken.refused))


def _less(mended: list[OpenRecord], reason: str, arrival: LedgerRow) -> Decimal | None:
    """The money that leaves the refused records."""
    amounts = [one.net_amount for one in mended if one.reason == reason and one.net_amount is not None]
    return -sum(amounts, Decimal(0)) if amounts else None


def _take(settings: Settings, file: OpenFile, texts: Texts) -> Retaken:
    contract, drop = _context(settings, file)
    came = {one.record_number: one for one in records_of(settings, file)}
    unread = sorted(number for number, text in texts.items() if text is None and came[number].reason in _WHOLE_FILE)
    if unread:
        raise HuaxiangError(
            f"{file.row.file_name}: the file could not be read ({came[unread[0]].reason}), so its records are not"
            " known; have the source send it again"
        )
    return retake(settings.home, contract, drop, came, texts, file.row.records_in)


# A file refused for one of these is damaged: what its records were cannot be told from what is kept.
_WHOLE_FILE = ("UNREADABLE", "TRUNCATED", "ARCHIVE")


def _context(settings: Settings, file: OpenFile) -> tuple[Contract, Drop]:
    """The contract and the drop under today's mapping. Raises MissingPartition when the source no longer maps it."""
    row = file.row
    contracts = load_contracts(settings)
    sources: dict[str, Source] = load_sources(settings, contracts)
    source = sources.get(row.source_name)
    if source is None or row.table_name not in source.tables:
        raise MissingPartition(
            f"{settings.sources_dir / row.source_name}.yml: {row.table_name} is not mapped any more, so"
            f" {row.file_name} cannot be taken again; map it, or leave the records in the quarantine"
        )
    raw = settings.home.raw / row.sha256
    mapping = source.tables[row.table_name]
    return contracts[row.table_name], Drop(
        row.source_name, mapping, raw, row.file_name, row.load_date, sha256=row.sha256
    )


def _keep(settings: Settings, file: OpenFile, texts: Texts) -> Repair:
    number = max((int(path.stem) for path in _paths(settings)), default=0) + 1
    made = Repair(number, file.row.source_name, file.row.table_name, file.row.file_id, dict(texts))
    said = {
        "source": made.source,
        "table": made.table,
        "file_id": made.file_id,
        "records": {str(record): text for record, text in sorted(made.texts.items())},
    }
    path = settings.home.repairs / f"{number:06d}.json"
    write_text(path, json.dumps(said, ensure_ascii=False, indent=2) + "\n")
    path.chmod(0o600)  # it holds what customers' records say
    return made


def _read(path: Path) -> Repair:
    said = json.loads(path.read_text(encoding="utf-8"))
    texts = {int(record): text for record, text in said["records"].items()}
    return Repair(int(path.stem), said["source"], said["table"], said["file_id"], texts)


def _paths(settings: Settings) -> list[Path]:
    return sorted(settings.home.repairs.glob("[0-9]*.json"))
