"""Good files, mutated at random: whatever is done to their bytes, every record of them is accounted for.

Files of a batch lie in one home beside good ones, which must come out as if the mutated ones were not there. Records
that a mutation left alone must come out as Python's csv and json read them.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from faults.bad_inputs import CSV, FIELDS, GZIP, JSONL, PARQUET, csv_text, good_rows, parquet
from faults.landing_home import Fate, Kind, LandingHome
from faults.trial import Trial
from huaxiang.errors import HuaxiangError

TEXTS = csv_text(good_rows()).encode()
QUOTED = Kind("quoted")
GOOD = {
    CSV: TEXTS,
    QUOTED: "".join(
        ",".join(f'"{part}"' for part in line.split(",")) + "\n" for line in TEXTS.decode().splitlines()
    ).encode(),
    JSONL: "".join(json.dumps(one) + "\n" for one in good_rows()).encode(),
    GZIP: gzip.compress(TEXTS, mtime=0),
    PARQUET: parquet(),
}
_INSERTED = (
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    "茶".encode(),
    b"{",
    b"}",
    b"\\",
    b"1",
    b"PAR1",
    b"\x1f\x8b",
    b" ",
)
_HEADER = TEXTS[: TEXTS.index(b"\n") + 1]
_WHOLE_FILE = {"HEADER", "TRUNCATED", "UNREADABLE", "ARCHIVE"}


@dataclass(frozen=True)
class Batch:
    """What a batch of mutated files came to."""

    files: int
    records_in: int
    unaccounted: int
    differences: tuple[str, ...]


def mutated(data: bytes, choose: random.Random) -> bytes:
    """The bytes with one to three things done to them."""
    for _ in range(choose.choice((1, 1, 1, 2, 3))):
        data = choose.choice((_flip, _cut, _insert, _repeat, _swap, _remove, _repeat_line, _swap_lines))(data, choose)
    return data


def run_batch(folder: Path, files: dict[Kind, list[bytes]]) -> Batch:
    """Land the files beside one good file of each kind, and say what is wrong with what became of them."""
    home = LandingHome(folder, list(GOOD))
    names = {}
    for kind, good in GOOD.items():
        home.drop(kind, "good", good)
        # A content that stands there already would be a repeated file, which is another fault.
        different = dict.fromkeys(one for one in files.get(kind, []) if one != good)
        for number, data in enumerate(different):
            names[kind.name, kind.file_name(str(number))] = (kind, data)
            home.drop(kind, str(number), data)
    try:
        fates = home.lands()
    except HuaxiangError as error:
        return Batch(len(names), 0, len(names), (f"nothing landed: {error}",))
    differences = [
        f"{place}: {reason}" for place, (kind, data) in names.items() if (reason := _wrong(kind, data, fates[place]))
    ]
    differences += [
        f"good {kind.name}: not as without the mutated files"
        for kind in GOOD
        if sorted(fates[kind.name, kind.file_name("good")].rows.values()) != sorted(EXPECTED.values())
    ]
    counted = [fates[place] for place in names]
    return Batch(
        len(names), sum(one.records_in for one in counted), sum(one.unaccounted for one in counted), tuple(differences)
    )


def mutations(options: Any, files: int = 10_000, a_batch: int = 400) -> Iterator[Trial]:
    """Mutate and land that many files, some hundred at a time."""
    choose, done, batch = random.Random(options.seed), 0, 0  # noqa: S311 (any choice will do)
    while done < files:
        batch += 1
        began = time.monotonic()
        drawn: dict[Kind, list[bytes]] = {kind: [] for kind in GOOD}
        for _ in range(min(a_batch, files - done)):
            kind = choose.choice(list(GOOD))
            drawn[kind].append(mutated(GOOD[kind], choose))
        done += sum(map(len, drawn.values()))
        found = run_batch(options.folder / f"batch-{batch}", drawn)
        said = f"{found.files:,} files, {found.records_in:,} records in, {time.monotonic() - began:.1f} s"
        if found.differences:
            said += f"; {len(found.differences)} wrong, such as {found.differences[0]}"
        yield Trial("F05-F11 mutated files", said, not found.differences, found.unaccounted)


def _wrong(kind: Kind, data: bytes, fate: Fate) -> str:
    """What is wrong with the fate of a mutated file; '' if nothing is."""
    if fate.unaccounted:
        return f"{fate.unaccounted} records unaccounted for"
    is_refused_whole = not fate.accepted and set(fate.refused) <= {*_WHOLE_FILE, "ENCODING"}
    if kind in (GZIP, PARQUET):
        # What a checksum vouches for is read as it was; a flipped bit in Parquet nobody notices at the border.
        is_right = kind is PARQUET or set(fate.rows.values()) <= set(EXPECTED.values())
        return "" if is_right else "other rows than were packed"
    wanted = _physical_records(kind, data)
    if wanted is not None and fate.records_in not in ((wanted, wanted + 1) if is_refused_whole else (wanted,)):
        return f"{fate.records_in} records counted where {wanted} lines are"
    # Under another header, or once a quote opens, the same bytes are another record.
    is_same_frame = kind is JSONL or (data.startswith(_HEADER) and b'"' not in data)
    if is_refused_whole or not is_same_frame:
        return ""
    left = [line for line in data.split(b"\n") if line in UNTOUCHED[kind]]
    came_out = set(fate.rows.values())
    lost = [line for line in left[:-1] if UNTOUCHED[kind][line] not in came_out]
    return f"{len(lost)} untouched records are not read as they were" if lost else ""


def _physical_records(kind: Kind, data: bytes) -> int | None:
    """How many lines with something in them there are, counted without our reader; None where lines are not records."""
    if kind is JSONL:
        return sum(bool(line.strip(b" \t\r")) for line in data.split(b"\n"))
    if b'"' in data:
        return None
    return max(0, sum(bool(line.strip(b"\r")) for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")) - 1)


def _as_landed(one: dict[str, str]) -> tuple[Any, ...]:
    return (
        one["line"], one["who"], one["note"], datetime.fromisoformat(one["bought_at"]),
        Decimal(one["pieces"]).quantize(Decimal("0.001")), Decimal(one["paid"]),
    )  # fmt: skip


EXPECTED = {one["line"]: _as_landed(one) for one in good_rows()}
UNTOUCHED = {
    CSV: {
        line: _as_landed(dict(zip(FIELDS, next(csv.reader(io.StringIO(line.decode()))), strict=True)))
        for line in TEXTS.splitlines()[1:]
    },
    JSONL: {line: _as_landed(json.loads(line)) for line in GOOD[JSONL].splitlines()},
}


def _flip(data: bytes, choose: random.Random) -> bytes:
    if not data:
        return data
    at = choose.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << choose.randrange(8))]) + data[at + 1 :]


def _cut(data: bytes, choose: random.Random) -> bytes:
    return data[: choose.randrange(len(data) + 1)]


def _insert(data: bytes, choose: random.Random) -> bytes:
    at = choose.randrange(len(data) + 1)
    return data[:at] + choose.choice(_INSERTED) * choose.choice((1, 1, 1, 3)) + data[at:]


def _span(data: bytes, choose: random.Random) -> tuple[int, int]:
    start = choose.randrange(len(data) + 1)
    return start, min(len(data), start + choose.choice((1, 4, 40, 400)))


def _repeat(data: bytes, choose: random.Random) -> bytes:
    start, end = _span(data, choose)
    return data[:end] + data[start:end] + data[end:]


def _remove(data: bytes, choose: random.Random) -> bytes:
    start, end = _span(data, choose)
    return data[:start] + data[end:]


def _swap(data: bytes, choose: random.Random) -> bytes:
    start, end = _span(data, choose)
    middle = (start + end) // 2
    return data[:start] + data[middle:end] + data[start:middle] + data[end:]


def _repeat_line(data: bytes, choose: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if lines:
        lines.insert(choose.randrange(len(lines) + 1), choose.choice(lines))
    return b"".join(lines)


def _swap_lines(data: bytes, choose: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if len(lines) > 1:
        one, other = choose.randrange(len(lines)), choose.randrange(len(lines))
        lines[one], lines[other] = lines[other], lines[one]
    return b"".join(lines)
