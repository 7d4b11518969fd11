"""The content hash of a table: equal for equal rows, whatever their order, file layout or engine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

FLOAT_DECIMALS = 6
_FLOATS = ("DOUBLE", "FLOAT")


def content_hash(parquet: Path) -> str:
    """Return `rows:sum` where sum adds `md5_number_lower` of every row's canonical text.

    A sum and not an exclusive-or, since two equal rows would cancel out. Floats are rounded to 6 decimals.
    """
    import duckdb

    with duckdb.connect() as connection:
        table = f"read_parquet({_quoted(str(parquet))})"
        columns = connection.execute(f"describe select * from {table}").fetchall()
        row_text = canonical_row({name: kind for name, kind, *_ in columns})
        rows, total = connection.execute(
            f"select count(*), coalesce(sum(md5_number_lower({row_text})::hugeint), 0) from {table}"
        ).fetchone() or (0, 0)
    return f"{rows}:{int(total):x}"


def canonical_row(columns: Mapping[str, str], of: str = "") -> str:
    """SQL text of a row with these columns (name -> type) that differs exactly when the row does; `of`: whose row."""
    return " || chr(31) || ".join(_canonical(name, kind, of) for name, kind in sorted(columns.items()))


def _canonical(name: str, kind: str, of: str) -> str:
    """SQL text of a column that differs exactly when its value does; null has a text of its own."""
    column = (f"{of}." if of else "") + '"' + name.replace('"', '""') + '"'
    # Adding 0 turns -0.0 into 0.0: the two are equal and must hash alike.
    value = f"round({column}, {FLOAT_DECIMALS}) + 0" if kind in _FLOATS else column
    return f"{_quoted(name + '=')} || coalesce(({value})::varchar, chr(0))"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
