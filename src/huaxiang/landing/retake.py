"""Read refused records of a landed drop again, with the mapping of today: a repair, or a replay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from huaxiang.contracts import Contract
from huaxiang.errors import HuaxiangError
from huaxiang.landing.drops import Drop
from huaxiang.landing.files import kept_raw
from huaxiang.landing.framing import Dialect, Frames, Refused, frame_csv, frame_lines
from huaxiang.landing.jsonlines import sort_objects
from huaxiang.landing.outcome import money_of
from huaxiang.landing.text import Framed, map_records, read, refuse_bad, split_rows
from huaxiang.sources import TableMapping
from huaxiang.tables import Home

if TYPE_CHECKING:
    import pyarrow as pa

    from huaxiang.landing.quarantine import OpenRecord


@dataclass(frozen=True)
class Retaken:
    """Records taken again: the accepted rows (_record and the contract's columns), what is refused, accepted money."""

    rows: pa.Table
    refused: list[Refused]
    money: Decimal | None


def retake(
    home: Home,
    contract: Contract,
    drop: Drop,
    came: Mapping[int, OpenRecord],
    texts: Mapping[int, str | None],
    records_in: int,
) -> Retaken:
    """Read records of a landed drop again with its mapping of today; nothing is written.

    `texts` gives each record's corrected text, None for the text it `came` with. Raises HuaxiangError when the mapping
    finds another number of records than `records_in`: then nobody could say which record is which.
    """
    mapping, header = drop.mapping, drop.mapping.source_columns
    found: dict[int, bytes] = {}
    if mapping.format == "parquet":
        # The text of a Parquet record is its values as JSON.
        mapping = replace(mapping, format="jsonl", encoding="utf-8")
        drop = replace(drop, mapping=mapping)
        found = {number: (one.raw_text or "").encode() for number, one in came.items()}
    else:
        header, frames, problem = read(mapping, kept_raw(home, drop.sha256).read_bytes())
        if problem or frames.count != records_in:
            reason = (
                problem.detail if problem else f"{frames.count:,} records are found where {records_in:,} were counted"
            )
            raise HuaxiangError(
                f"{drop.file_name}: its mapping does not fit the drop ({reason}); correct the mapping, or have the"
                " source send the file again under its name"
            )
        found = dict(zip(frames.numbers, frames.good, strict=True))
    taken = Frames()
    for number, text in sorted(texts.items()):
        one, line_number = came[number], came[number].line_number
        raw = found.get(number) if text is None else text.encode("utf-8", "replace")
        framed = Frames() if raw is None else _frame_one(mapping, raw, len(header))
        if len(framed.good) == 1 and not framed.refused:
            taken.good.append(framed.good[0])
            taken.numbers.append(number)
            taken.lines.append(line_number)
        else:
            refused = framed.refused[0] if framed.refused else None
            reason, detail = (refused.reason, refused.detail) if refused else (one.reason, one.detail)
            taken.refused.append(Refused(number, line_number, reason, detail, None))
    framed_drop = Framed(drop, 0, 0, tuple(header), taken)
    rows, planned = map_records(home, contract, [framed_drop])
    good, bad = split_rows(rows)
    refused_again = [*taken.refused, *refuse_bad(taken, bad, planned)]
    return Retaken(good, sorted(refused_again, key=lambda one: one.record_number), money_of(contract, good))


def _frame_one(mapping: TableMapping, text: bytes, field_count: int) -> Frames:
    """The records in a text that ought to be one."""
    if mapping.format == "jsonl":
        return sort_objects(frame_lines(text))[0]
    return frame_csv(text, Dialect(mapping.encoding, mapping.delimiter, mapping.quote), field_count)
