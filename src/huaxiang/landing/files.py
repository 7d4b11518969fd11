"""Write what landing makes: raw bytes, accepted rows, quarantined records, empty tables; each file whole or not."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.contracts import Contract
from huaxiang.errors import HuaxiangError
from huaxiang.failpoints import reach
from huaxiang.files import replacing, sha256
from huaxiang.landing.drops import Drop
from huaxiang.landing.framing import Refused
from huaxiang.settings import Settings
from huaxiang.tables import Home

if TYPE_CHECKING:
    import pyarrow as pa

SCRATCH = ".landing-"  # folders of that name in the home live as long as a call
_CHUNK = 2**20
_PARQUET: dict[str, Any] = {"compression": "zstd", "store_decimal_as_integer": True}
_BEFORE_ALL = date(1, 1, 1)


def keep_raw(home: Home, drop: Drop) -> Path:
    """Copy the drop's bytes once to `raw/<sha256>`; all that follows reads the copy, so what counts is what is kept."""
    target = home.raw / drop.sha256
    if target.exists() and sha256(target) == drop.sha256:
        return target
    digest = hashlib.sha256()
    with replacing(target, is_synced=False) as temporary, drop.path.open("rb") as source, temporary.open("wb") as copy:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            copy.write(chunk)
        if digest.hexdigest() != drop.sha256:
            raise HuaxiangError(
                f"{drop.path}: changed while it was being read; have its writer rename it into place when it is"
                " whole, and run again"
            )
    reach("landing.raw_kept")
    return target


def kept_raw(home: Home, digest: str) -> Path:
    """The raw file of a drop that landed before. Raises HuaxiangError when it is gone or not what came."""
    path = home.raw / digest
    if not path.exists() or sha256(path) != digest:
        raise HuaxiangError(
            f"{path}: gone, or not the bytes that came (its SHA-256 differs); restore it from a copy: the"
            " drop that it came from has the same bytes"
        )
    return path


def accepted_path(home: Home, drop: Drop) -> Path:
    return home.landing / drop.source / drop.table / f"load_date={drop.load_date}" / f"{drop.stem}.parquet"


def quarantine_path(home: Home, drop: Drop) -> Path:
    return home.quarantine / drop.source / drop.table / f"load_date={drop.load_date}" / f"{drop.stem}.parquet"


def write_accepted(home: Home, drop: Drop, contract: Contract, parts: Iterable[pa.Table]) -> int:
    """Write one drop's accepted rows and say how many can be read back.

    `parts` have _record and the contract's columns, in record order. A drop without accepted rows leaves no file.
    """
    import pyarrow.parquet as pq

    path, schema = accepted_path(home, drop), landed_schema(contract)
    # Record numbers all differ: a dictionary of them would double the file.
    repeating = [name for name in schema.names if name != "record_number"]
    options = _PARQUET | {"use_dictionary": repeating}
    with replacing(path, is_synced=False) as temporary, pq.ParquetWriter(temporary, schema, **options) as writer:
        for rows in parts:
            if rows.num_rows:
                writer.write_table(_with_provenance(drop, contract, rows, schema))
    reach("landing.accepted_written")
    written = count_rows(path)
    if not written:
        path.unlink()
    return written


def write_quarantine(home: Home, drop: Drop, refused: Sequence[Refused]) -> int:
    """Write one drop's refused records, in record order, and say how many can be read back. None leave no file."""
    import pyarrow as pa

    if not refused:
        return 0
    rows = sorted(refused, key=lambda one: one.record_number)
    count = len(rows)
    table = pa.table(
        {
            "source_name": pa.array([drop.source] * count, pa.string()),
            "table_name": pa.array([drop.table] * count, pa.string()),
            "file_id": pa.array([drop.file_id] * count, pa.string()),
            "file_name": pa.array([drop.file_name] * count, pa.string()),
            "record_number": pa.array([one.record_number for one in rows], pa.int64()),
            "line_number": pa.array([one.line_number for one in rows], pa.int64()),
            "reason": pa.array([one.reason for one in rows], pa.string()),
            "detail": pa.array([one.detail for one in rows], pa.string()),
            "raw_text": pa.array([one.raw_text for one in rows], pa.string()),
            "net_amount": pa.array([one.net_amount for one in rows], pa.decimal128(18, 2)),
        }
    )
    path = quarantine_path(home, drop)
    _write(path, table)
    return count_rows(path)


def write_empty_tables(settings: Settings, contracts: dict[str, Contract]) -> None:
    """For every canonical table an empty file of its columns, so that a table nobody drops can still be read."""
    for name, contract in contracts.items():
        path = empty_table(settings.home, name)
        schema = landed_schema(contract)
        if not _holds(path, schema):
            _write(path, schema.empty_table())


def _holds(path: Path, schema: pa.Schema) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return bool(pq.read_schema(path).equals(schema))
    except (OSError, pa.ArrowException):  # not there, or torn when the machine went down
        return False


def empty_table(home: Home, table: str) -> Path:
    return home.landing / "_none" / table / f"load_date={_BEFORE_ALL}" / "empty.parquet"


def count_rows(path: Path) -> int:
    """The rows of a written Parquet file, as its footer on disk says; 0 when nothing was written."""
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows) if path.exists() else 0


def remove_uncommitted(home: Home, committed: set[tuple[str, str, str]]) -> None:
    """Remove what a call that was cut short left behind: files whose (source, table, stem) no ledger row names."""
    for scratch in home.root.glob(f"{SCRATCH}*"):
        shutil.rmtree(scratch)
    for folder in (home.landing, home.quarantine):
        for path in folder.glob("*/*/load_date=*/*"):
            source, table = path.parts[-4:-2]
            if source != "_none" and (source, table, path.stem) not in committed:
                path.unlink()


def landed_schema(contract: Contract) -> pa.Schema:
    """The contract's columns in order, then where each row comes from."""
    import pyarrow as pa

    fields = [(column.name, _arrow_type(column.type)) for column in contract.columns]
    provenance = [
        ("source_name", pa.string()),
        ("file_id", pa.string()),
        ("record_number", pa.int64()),
        ("load_date", pa.date32()),
    ]
    return pa.schema(fields + provenance)


def _with_provenance(drop: Drop, contract: Contract, rows: pa.Table, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    count = rows.num_rows
    columns = [rows[name] for name in contract.column_names]
    columns += [
        pa.repeat(pa.scalar(drop.source), count),
        pa.repeat(pa.scalar(drop.file_id), count),
        rows["_record"],
        pa.repeat(pa.scalar(drop.load_date), count),
    ]
    return pa.table([column.cast(one.type) for column, one in zip(columns, schema, strict=True)], schema=schema)


def _arrow_type(type_: str) -> Any:
    import pyarrow as pa

    if found := re.fullmatch(r"decimal\((\d+),(\d+)\)", type_):
        return pa.decimal128(int(found[1]), int(found[2]))
    return {
        "varchar": pa.string(),
        "timestamp": pa.timestamp("us"),
        "date": pa.date32(),
        "boolean": pa.bool_(),
        "bigint": pa.int64(),
        "double": pa.float64(),
    }[type_]


def _write(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    with replacing(path, is_synced=False) as temporary:
        pq.write_table(table, temporary, **_PARQUET)
