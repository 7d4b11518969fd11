"""Land Parquet drops, one statement each: they are large, and their footer counts their records."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from huaxiang.contracts import Contract
from huaxiang.disk import is_full
from huaxiang.expressions import connect, declare_readers, literal, quoted
from huaxiang.landing.drops import Drop
from huaxiang.landing.files import SCRATCH, accepted_path, count_rows, keep_raw, write_accepted, write_quarantine
from huaxiang.landing.framing import FILE, Refused
from huaxiang.landing.mapping import Plan, cleaned, plan
from huaxiang.landing.outcome import Outcome, money_of
from huaxiang.sources import TableMapping
from huaxiang.tables import Home

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_A_TIME = 122_880
_MOST_WORKERS = 4
_MEMORY = "400MiB"
# Some hundred equal rows take a byte, but no table of that size has only equal rows.
_MOST_ROWS_PER_BYTE = 100
_ROWS_COUNT_FROM = 50_000_000
_MOST_LISTED = 1_000_000


def land_parquet(home: Home, contract: Contract, drops: list[Drop]) -> Iterator[Outcome]:
    """Land the Parquet drops of one table (one mapping), giving each one's outcome when it is written.

    Drops are taken side by side, each by one thread, so that its bytes do not depend on how many threads there are.
    """
    workers = min(_MOST_WORKERS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, len(drops))
    home.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=home.root) as folder, ThreadPoolExecutor(workers) as pool:
        free: SimpleQueue[Any] = SimpleQueue()
        for _ in range(workers):
            free.put(_connect(home, Path(folder), drops[0].mapping))

        def take(drop: Drop) -> Outcome:
            connection = free.get()
            try:
                return _land(connection, home, contract, drop)
            finally:
                # An internal error of DuckDB over a damaged file makes its connection useless: take a fresh one.
                free.put(connection if _works(connection) else _connect(home, Path(folder), drop.mapping))

        yield from pool.map(take, drops)
        for _ in range(workers):
            free.get().close()


def _works(connection: Any) -> bool:
    import duckdb

    try:
        connection.execute("select 1").fetchall()
    except duckdb.Error:
        return False
    return True


def _connect(home: Home, folder: Path, mapping: TableMapping) -> Any:
    """A DuckDB that can read the raw drops and nothing else."""
    connection = connect()
    connection.execute("set threads = 1")
    connection.execute(f"set memory_limit = '{_MEMORY}'")
    connection.execute(f"set temp_directory = {literal(str(folder))}")
    connection.execute(f"set allowed_directories = [{literal(str(folder))}, {literal(str(home.raw))}]")
    connection.execute("set enable_external_access = false")
    declare_readers(connection, mapping.reading)
    return connection


def _land(connection: Any, home: Home, contract: Contract, drop: Drop) -> Outcome:
    import duckdb
    import pyarrow as pa

    raw = keep_raw(home, drop)
    size = raw.stat().st_size
    try:
        records_in = count_rows(raw)
        types = {
            name: type_
            for name, type_, *_ in connection.execute(f"describe from read_parquet({literal(str(raw))})").fetchall()
        }
    except (pa.ArrowException, duckdb.Error, OSError, UnicodeDecodeError) as error:
        _not_for_want_of_disk(error)
        # Nobody can say how many records it holds: the file itself is the one record refused.
        return _refuse(home, drop, size, 1, [_file_refusal(raw)])
    if records_in > max(_ROWS_COUNT_FROM, size * _MOST_ROWS_PER_BYTE):
        return _refuse(home, drop, size, 1, [Refused(FILE, FILE, "ARCHIVE", "more rows than its bytes can hold", None)])
    if "file_row_number" in set(map(str.casefold, types)):
        # Without the loader's own column of that name nobody could say which record is which.
        detail = "file_row_number: a column name that the loader needs for itself"
        return _refuse_all(connection, home, drop, size, records_in, detail)
    lacking = [name for name in drop.mapping.needed_columns if name.casefold() not in set(map(str.casefold, types))]
    if lacking:
        return _refuse_all(connection, home, drop, size, records_in, f"{lacking[0]}: no such column in the drop")
    planned, problems = _plan(contract, drop, raw, types), _Problems(contract)
    try:
        reader = connection.execute(planned.sql).to_arrow_reader(_ROWS_AT_A_TIME)
        accepted = write_accepted(home, drop, contract, (problems.take_out(part) for part in reader))
        refused = _refused(connection, planned, raw, problems) if problems.found else []
    except (duckdb.Error, OSError) as error:
        _not_for_want_of_disk(error)
        if isinstance(error, OSError) and error.errno:
            raise  # the system's, and not what DuckDB says about a part that it reads while rows stream by
        accepted_path(home, drop).unlink(missing_ok=True)
        if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in str(error):
            detail = f"reading it takes more than the {_MEMORY} a file may use"
            return _refuse(home, drop, size, 1, [Refused(FILE, FILE, "ARCHIVE", detail, None)])
        return _refuse_damaged(home, drop, size, records_in)
    if accepted + len(refused) != records_in:
        return _refuse_damaged(home, drop, size, records_in)
    return Outcome(
        drop,
        size,
        records_in,
        accepted,
        write_quarantine(home, drop, refused),
        Counter(one.reason for one in refused),
        net_in=problems.money,
    )


def _refuse_damaged(home: Home, drop: Drop, size: int, records_in: int) -> Outcome:
    accepted_path(home, drop).unlink(missing_ok=True)
    detail = "a damaged part of the Parquet file"
    if records_in > _MOST_LISTED:  # a damaged footer can claim any number
        return _refuse(home, drop, size, 1, [Refused(FILE, FILE, "UNREADABLE", detail, None)])
    lost = [Refused(number, number, "UNREADABLE", detail, None) for number in range(1, records_in + 1)]
    return _refuse(home, drop, size, records_in, lost)


@dataclass
class _Problems:
    """What is met while rows stream by: record number -> index of the plan's problem, and money of refused records."""

    contract: Contract
    found: dict[int, int] = field(default_factory=dict)
    refused_money: dict[int, Decimal | None] = field(default_factory=dict)
    money: Decimal | None = None  # of all rows

    def take_out(self, part: pa.RecordBatch) -> pa.Table:
        """The accepted rows of this part; the others are remembered."""
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = pa.table(part)
        money = money_of(self.contract, rows)
        if money is not None:
            self.money = (self.money or Decimal(0)) + money
        problem = rows["_problem"]
        if problem.null_count == rows.num_rows:
            return rows
        bad = rows.filter(pc.is_valid(problem))
        self.found.update(zip(bad["_record"].to_pylist(), bad["_problem"].to_pylist(), strict=True))
        if money is not None:
            self.refused_money.update(zip(bad["_record"].to_pylist(), bad["net_amount"].to_pylist(), strict=True))
        return rows.filter(pc.is_null(problem))


def _plan(contract: Contract, drop: Drop, raw: Path, types: dict[str, str]) -> Plan:
    rows = f"read_parquet({literal(str(raw))}, file_row_number = true)"
    wanted = set(map(str.casefold, drop.mapping.source_columns))
    had = [quoted(name) for name in types if name.casefold() in wanted]
    relation = f"(select {', '.join([*had, 'file_row_number + 1 as _record', '1 as _file'])} from {rows})"
    columns = {name: _text(drop.mapping, name, type_) for name, type_ in types.items()}
    own = {"load_date": f"date '{drop.load_date}'", "file_id": literal(drop.file_id), "record_number": "_record"}
    return plan(contract, drop.mapping, relation, columns, own)


def _text(mapping: TableMapping, name: str, type_: str) -> str:
    """SQL for the text of a typed column, as a person of this source would have written it."""
    if type_ == "VARCHAR":
        return cleaned(mapping, quoted(name))
    text = f"cast({quoted(name)} as varchar)"
    if mapping.reading.decimal_mark != "." and type_.startswith(("DECIMAL", "DOUBLE", "FLOAT")):
        text = f"replace({text}, '.', {literal(mapping.reading.decimal_mark)})"
    return text


def _refused(connection: Any, planned: Plan, raw: Path, problems: _Problems) -> list[Refused]:
    """The refused records with their values as JSON, which is the text a Parquet record has."""
    texts = _texts(connection, raw, list(problems.found))
    return [
        Refused(
            record,
            record,
            planned.problems[at].reason,
            planned.problems[at].detail,
            texts.get(record),
            problems.refused_money.get(record),
        )
        for record, at in problems.found.items()
    ]


def _texts(connection: Any, raw: Path, records: list[int] | None = None) -> dict[int, str]:
    """The values of these records (None: of all) as JSON."""
    rows = f"read_parquet({literal(str(raw))}, file_row_number = true)"
    found = connection.execute(
        f"select _record, to_json(original)::varchar from (select original, original.file_row_number + 1 as _record"
        f" from {rows} as original) where $1 is null or _record in (select unnest($1))",
        [records],
    ).fetchall()
    return dict(found)


def _file_refusal(raw: Path) -> Refused:
    """The file is the one record refused. Both ends of a Parquet file say PAR1: without the last it has been cut."""
    with raw.open("rb") as file:
        begin = file.read(4)
        file.seek(max(0, raw.stat().st_size - 4))
        is_cut = begin == b"PAR1" != file.read(4)
    if is_cut:
        return Refused(FILE, FILE, "TRUNCATED", "the Parquet file breaks off", None)
    return Refused(FILE, FILE, "UNREADABLE", "not a whole Parquet file", None)


def _not_for_want_of_disk(error: Exception) -> None:
    """A full disk says nothing about the drop: the call ends, and the drop is taken when there is room."""
    if is_full(error):
        raise error


def _refuse_all(connection: Any, home: Home, drop: Drop, size: int, records_in: int, detail: str) -> Outcome:
    import duckdb

    if records_in > _MOST_LISTED:
        return _refuse(home, drop, size, 1, [Refused(FILE, FILE, "HEADER", detail, None)])
    try:
        texts: dict[int, str] = _texts(connection, home.raw / drop.sha256)
    except duckdb.Error:
        texts = {}  # damaged as well
    refused = [Refused(number, number, "HEADER", detail, texts.get(number)) for number in range(1, records_in + 1)]
    return _refuse(home, drop, size, records_in, refused)


def _refuse(home: Home, drop: Drop, size: int, records_in: int, refused: list[Refused]) -> Outcome:
    reasons = Counter(one.reason for one in refused) or Counter({"HEADER": 0})
    return Outcome(drop, size, records_in, 0, write_quarantine(home, drop, refused), reasons)
