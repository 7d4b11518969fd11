"""Land CSV and JSON Lines drops: many small ones in one statement, since a statement costs more than a small drop."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from huaxiang.contracts import Contract
from huaxiang.errors import HuaxiangError
from huaxiang.expressions import connect, declare_readers, literal, quoted
from huaxiang.landing.archives import BadArchive, is_packed, unpacked
from huaxiang.landing.drops import Drop
from huaxiang.landing.encodings import is_doubtful, odd_bytes, utf16_of, without_doubtful
from huaxiang.landing.files import SCRATCH, keep_raw, write_accepted, write_quarantine
from huaxiang.landing.framing import (
    FILE,
    LONGEST_RECORD,
    Dialect,
    Frames,
    Header,
    Refused,
    frame_csv,
    frame_lines,
    read_header,
    to_utf8,
)
from huaxiang.landing.jsonlines import breaks_off, sort_objects
from huaxiang.landing.mapping import Plan, Problem, cleaned, needs_load_date, plan
from huaxiang.landing.outcome import Outcome, money_of
from huaxiang.sources import TableMapping
from huaxiang.tables import Home

if TYPE_CHECKING:
    import pyarrow as pa


# Small enough that a batch, its frames and its rows stay far below a GiB, large enough to be worth a statement.
_BATCH_BYTES = 24 * 2**20


class Unloadable(HuaxiangError):
    """The loader does not take some record that was found to be whole."""

    def __init__(self) -> None:
        super().__init__("the loader does not take a record that looks whole; correct its text and repair it")


@dataclass(frozen=True)
class Framed:
    """A drop whose records have been found."""

    drop: Drop
    bytes: int  # of the file
    size: int  # of its text, which is more than the file's where it is compressed
    header: tuple[str, ...]
    frames: Frames


def land_text(home: Home, contract: Contract, drops: Iterable[Drop]) -> Iterator[Outcome]:
    """Land the CSV or JSONL drops of one table (one mapping), giving each one's outcome when it is written."""
    batch: list[Framed] = []
    for drop in drops:
        framed = _frame(home, drop)
        if isinstance(framed, Outcome):
            yield framed
            continue
        is_full = sum(one.size for one in batch) + framed.size > _BATCH_BYTES
        if batch and (is_full or batch[0].header != framed.header):
            yield from _land_batch(home, contract, batch)
            batch = []
        batch.append(framed)
    if batch:
        yield from _land_batch(home, contract, batch)


def header_problem(mapping: TableMapping, raw: bytes) -> str:
    """Why the mapping cannot be applied to a drop of these bytes at all; empty when it can."""
    problem = read(mapping, raw)[2]
    return problem.detail if problem else ""


def _frame(home: Home, drop: Drop) -> Framed | Outcome:
    """Find the drop's records; a drop that cannot be mapped at all is already an outcome."""
    raw = keep_raw(home, drop).read_bytes()
    header, frames, problem = read(drop.mapping, raw)
    if problem:
        return _refuse_file(home, drop, len(raw), frames, problem)
    return Framed(drop, len(raw), sum(map(len, frames.good)), header, frames)


def read(mapping: TableMapping, raw: bytes) -> tuple[tuple[str, ...], Frames, Problem | None]:
    """Column names, records, and why the file as a whole cannot be used (None when it can)."""
    try:
        if mapping.compression:
            raw = unpacked(raw, mapping.compression)
        elif is_packed(raw):
            return (), _no_records(), Problem("ARCHIVE", "compressed, but 'file' of its mapping does not end so")
    except BadArchive as error:
        return (), _no_records(), error.problem
    if really := utf16_of(raw, mapping.encoding):
        frames = _records(mapping, to_utf8(raw, really))[1]
        return (), frames, Problem("ENCODING", f"the file is written in {really}, which its mapping does not say")
    data = to_utf8(raw, mapping.encoding)
    header, frames, problem = _records(mapping, data)
    problem = odd_bytes(raw, mapping.encoding) or _cut_problem(mapping, data, frames) or problem
    if not problem and is_doubtful(raw, frames, mapping.encoding):
        frames = without_doubtful(frames)
    return header, frames, problem


def _records(mapping: TableMapping, data: bytes) -> tuple[tuple[str, ...], Frames, Problem | None]:
    """Column names and records of a drop in UTF-8, and why the mapping does not fit them."""
    if mapping.format == "jsonl":
        frames, keys = sort_objects(frame_lines(data))
        problem = _header_problem(mapping, tuple(keys)) if frames.good else ""
        # Keys may differ from record to record and file to file: ask each for all that are mapped.
        return mapping.source_columns, frames, Problem("HEADER", problem) if problem else None
    dialect = Dialect(mapping.encoding, mapping.delimiter, mapping.quote)
    found = Header(mapping.names, 0, 1) if mapping.names else read_header(data, dialect)
    if found is None:
        return (), frame_csv(data, dialect, 1), Problem("HEADER", "no header line that can be read")
    frames = frame_csv(data, dialect, len(found.names), found.offset, found.line_number)
    problem = _header_problem(mapping, found.names)
    return found.names, frames, Problem("HEADER", problem) if problem else None


def _no_records() -> Frames:
    """Nobody can say how many records the file holds: the file itself is the one record refused."""
    return Frames(refused=[Refused(FILE, FILE, "UNREADABLE", "", None)])


def _cut_problem(mapping: TableMapping, data: bytes, frames: Frames) -> Problem | None:
    """Whether the file breaks off. RFC 4180 lets a file end without a line end, but not in the middle of a record."""
    if not data or data.endswith(b"\n"):
        return None
    if mapping.final_newline == "required":
        return Problem("TRUNCATED", "no line end at the end of the file")
    last = max(frames.refused, key=lambda one: one.record_number, default=None)
    if last is None or last.record_number < frames.count:
        return None
    text = last.raw_text or ""
    is_cut = (
        last.reason == "UNTERMINATED_QUOTE"
        or last.is_short
        or (last.reason == "ENCODING" and _ends_in_half_a_character(data))
        or (last.reason == "JSON" and breaks_off(text))
    )
    return Problem("TRUNCATED", "the last record breaks off, and no line end follows it") if is_cut else None


def _ends_in_half_a_character(data: bytes) -> bool:
    """Whether the last bytes begin a character of UTF-8 that does not end."""
    return any(
        data[-count] >= (0xC0, 0xE0, 0xF0)[count - 1]
        for count in (1, 2, 3)
        if len(data) >= count and (count == 1 or all(0x80 <= one < 0xC0 for one in data[len(data) - count + 1 :]))
    )


def _header_problem(mapping: TableMapping, header: tuple[str, ...]) -> str:
    # Keys of JSON objects that differ in case are different keys; names of columns are not.
    fold = str if mapping.format == "jsonl" else str.casefold
    names = Counter(map(fold, header))
    for name in mapping.needed_columns:
        if not names[fold(name)]:
            return f"{name}: no such column in the drop"
    for name in mapping.source_columns:
        if names[fold(name)] > 1:
            return f"{name}: the header names this column twice"
    return ""


def _refuse_file(home: Home, drop: Drop, size: int, frames: Frames, problem: Problem) -> Outcome:
    """Refuse every record, whatever else is wrong with it: the file as a whole is not what was agreed."""
    texts: list[str | None] = [one.decode() for one in frames.good]
    records = list(zip(frames.numbers, frames.lines, texts, strict=True))
    records += [(one.record_number, one.line_number, one.raw_text) for one in frames.refused]
    refused = [Refused(number, line, problem.reason, problem.detail, text) for number, line, text in records]
    quarantined = write_quarantine(home, drop, refused)
    # A file without a single record is still told as refused.
    return Outcome(drop, size, frames.count, 0, quarantined, Counter({problem.reason: len(refused)}))


def _land_batch(home: Home, contract: Contract, batch: list[Framed]) -> Iterator[Outcome]:
    try:
        rows, planned = map_records(home, contract, batch)
    except Unloadable:
        if batch[1:]:
            for framed in batch:
                yield from _land_batch(home, contract, [framed])
            return
        batch = [_without(batch[0], _unloadable(home, contract, batch[0]))]
        rows, planned = map_records(home, contract, batch)
    good, bad = split_rows(rows)
    good_bounds, bad_bounds = _bounds(good, len(batch)), _bounds(bad, len(batch))
    bounds = [(start, end - start) for start, end in pairwise(_bounds(rows, len(batch)))]
    for number, framed in enumerate(batch):
        frames = framed.frames
        start, end = bad_bounds[number], bad_bounds[number + 1]
        refused = [*frames.refused, *refuse_bad(frames, bad.slice(start, end - start), planned)]
        start, end = good_bounds[number], good_bounds[number + 1]
        yield Outcome(
            drop=framed.drop,
            bytes=framed.bytes,
            records_in=frames.count,
            accepted=write_accepted(home, framed.drop, contract, [good.slice(start, end - start)]),
            quarantined=write_quarantine(home, framed.drop, refused),
            refused=Counter(one.reason for one in refused),
            net_in=money_of(contract, rows.slice(*bounds[number])),
        )


def _unloadable(home: Home, contract: Contract, framed: Framed) -> list[int]:
    """Which of the good records the loader does not take, found by halving: framing should have refused them."""

    def among(start: int, end: int) -> list[int]:
        try:
            map_records(home, contract, [replace(framed, frames=_part(framed.frames, range(start, end)))])
        except Unloadable:
            middle = (start + end) // 2
            return [start] if end - start == 1 else among(start, middle) + among(middle, end)
        return []

    return among(0, len(framed.frames.good))


def _without(framed: Framed, places: list[int]) -> Framed:
    frames = framed.frames
    gone = set(places)
    kept = _part(frames, [place for place in range(len(frames.good)) if place not in gone])
    kept.refused = [
        *frames.refused,
        *(
            Refused(
                frames.numbers[place],
                frames.lines[place],
                "UNREADABLE_RECORD",
                "the loader does not take it",
                frames.good[place].decode(),
            )
            for place in places
        ),
    ]
    return replace(framed, frames=kept)


def _part(frames: Frames, places: Iterable[int]) -> Frames:
    part = Frames()
    for place in places:
        part.good.append(frames.good[place])
        part.numbers.append(frames.numbers[place])
        part.lines.append(frames.lines[place])
    return part


def split_rows(rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Accepted rows, and those with a problem."""
    import pyarrow.compute as pc

    problems = rows["_problem"]
    good = rows.filter(pc.is_null(problems)) if problems.null_count < rows.num_rows else rows
    return good, rows.filter(pc.is_valid(problems))


def refuse_bad(frames: Frames, bad: pa.Table, planned: Plan) -> Iterator[Refused]:
    """Give the records that broke their contract their text back."""
    count = bad.num_rows
    money = bad["net_amount"].to_pylist() if "net_amount" in bad.column_names else [None] * count
    for record, at, net in zip(bad["_record"].to_pylist(), bad["_problem"].to_pylist(), money, strict=True):
        place, problem = bisect_left(frames.numbers, record), planned.problems[at]
        text = frames.good[place].decode()
        yield Refused(record, frames.lines[place], problem.reason, problem.detail, text, net)


def _bounds(rows: pa.Table, count: int) -> list[int]:
    """Where each file's rows begin: rows are ordered by file."""
    import numpy as np

    return [int(place) for place in np.searchsorted(rows["_file"].to_numpy(), np.arange(count + 1))]


def map_records(home: Home, contract: Contract, batch: list[Framed]) -> tuple[pa.Table, Plan]:
    import duckdb

    mapping = batch[0].drop.mapping
    home.root.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=SCRATCH, dir=home.root) as folder, connect() as connection:
        connection.execute(f"set temp_directory = {literal(folder)}")
        connection.execute("set memory_limit = '1GiB'")
        # A mapping is configuration, but it need not be able to read anything but this batch.
        connection.execute(f"set allowed_directories = [{literal(folder)}]")
        connection.execute("set enable_external_access = false")
        declare_readers(connection, mapping.reading)
        write = _write_lines if mapping.format == "jsonl" else _write_csv
        relation, columns = write(Path(folder), batch, mapping)
        wants_drop = any(set(one.drop_columns) - {"record_number"} for _, one in mapping.columns)
        if wants_drop or needs_load_date(contract, mapping):
            relation = f"({relation}) inner join ({_write_drops(Path(folder), batch)}) using (_file)"
        else:
            relation = f"({relation})"
        own = {"load_date": "_load_date", "file_id": "_file_id", "record_number": "_record"}
        planned = plan(contract, mapping, relation, columns, own)
        try:
            rows = connection.execute(f"{planned.sql} order by _file, _record").to_arrow_table()
        except duckdb.InvalidInputException as error:
            raise Unloadable from error
    return rows, planned


def _write_drops(folder: Path, batch: list[Framed]) -> str:
    """What expressions may know about each drop; SQL that reads it."""
    import pyarrow as pa

    return _write_table(
        folder / "drops.parquet",
        _file=pa.array(range(len(batch)), pa.int32()),
        _file_id=pa.array([one.drop.file_id for one in batch], pa.string()),
        _load_date=pa.array([one.drop.load_date for one in batch], pa.date32()),
    )


def _write_table(path: Path, **columns: Any) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path)
    return f"select * from read_parquet({literal(str(path))})"


def _write_csv(folder: Path, batch: list[Framed], mapping: TableMapping) -> tuple[str, dict[str, str]]:
    """Write the framed records of all drops into one file, each with its file and record number before it."""
    path, delimiter = folder / "batch.csv", mapping.delimiter.encode()
    with path.open("wb") as file:
        for number, framed in enumerate(batch):
            between = delimiter.replace(b"%", b"%%")
            pattern = b"%d" % number + between + b"%d" + between + b"%b\n"
            pairs = zip(framed.frames.numbers, framed.frames.good, strict=True)
            file.writelines([pattern % pair for pair in pairs])
    header = batch[0].header
    types = ["'_file': 'INTEGER'", "'_record': 'BIGINT'", *(f"'c{at}': 'VARCHAR'" for at in range(len(header)))]
    relation = (
        f"select * from read_csv({literal(str(path))}, auto_detect = false, header = false,"
        f" columns = {{{', '.join(types)}}},"
        f" delim = {literal(mapping.delimiter)}, quote = {literal(mapping.quote)}, escape = {literal(mapping.quote)},"
        f" new_line = '\\n', strict_mode = true, max_line_size = {LONGEST_RECORD + 64}, encoding = 'utf-8')"
    )
    return relation, {name: cleaned(mapping, f"c{at}") for at, name in enumerate(header)}


def _write_lines(folder: Path, batch: list[Framed], mapping: TableMapping) -> tuple[str, dict[str, str]]:
    """Write the framed lines of all JSONL drops into one file."""
    import pyarrow as pa

    relation = _write_table(
        folder / "lines.parquet",
        _file=pa.array([number for number, framed in enumerate(batch) for _ in framed.frames.good], pa.int32()),
        _record=pa.array([number for framed in batch for number in framed.frames.numbers], pa.int64()),
        _text=pa.array([line.decode() for framed in batch for line in framed.frames.good], pa.string()),
    )
    columns = {}
    for name in mapping.source_columns:
        key, mark = literal("$." + quoted(name)), mapping.reading.decimal_mark
        value = f"(_text ->> {key})"
        if mark != ".":
            # A JSON number has its own way of being written; bring it into the way the texts of this source are.
            is_number = f"json_type(_text, {key}) = 'DOUBLE'"
            value = f"(case when {is_number} then replace({value}, '.', {literal(mark)}) else {value} end)"
        columns[name] = cleaned(mapping, value)
    return relation, columns
