"""Bind every tag's SQL against empty tables: an unknown column or a wrong type is found without a single row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import md5
from typing import TYPE_CHECKING

from huaxiang.errors import BadConfiguration
from huaxiang.tags.columns import ProfileColumn
from huaxiang.tags.tag import Tag, column_of

if TYPE_CHECKING:
    import duckdb

_TYPES = {"value": "string", "evidence": "string", "confidence": "double"}


def bind(tags: Sequence[Tag], columns: Sequence[ProfileColumn]) -> None:
    """Raise BadConfiguration, with file and line, for the first tag whose SQL does not hold.

    Each tag is bound twice: against all columns, and against those that its needs and its reads vouch for.
    """
    import duckdb

    with duckdb.connect(
        config={"enable_external_access": "false", "autoinstall_known_extensions": "false"}
    ) as connection:
        for tag in tags:
            if tag.kind == "manual":
                continue
            read = [ProfileColumn(column_of(name), "varchar", ()) for name in tag.reads]
            everything = _table(connection, (*columns, *read))
            vouched = _table(connection, (*(one for one in columns if set(one.needs) <= set(tag.needs)), *read))
            _bind(connection, tag, everything, vouched)


def _table(connection: duckdb.DuckDBPyConnection, columns: Iterable[ProfileColumn]) -> str:
    """An empty table of these columns; the same columns give the same table."""
    listed = ", ".join(f'"{column.name}" {column.type}' for column in columns)
    name = f"t{md5(listed.encode(), usedforsecurity=False).hexdigest()}"
    connection.execute(f"create table if not exists {name} ({listed})")
    return name


def _bind(connection: duckdb.DuckDBPyConnection, tag: Tag, everything: str, vouched: str) -> None:
    import duckdb

    try:
        if _width(connection, tag, tuple(_TYPES), vouched) == len(_TYPES):
            return
    except duckdb.Error:
        pass
    # something is wrong: look at one expression after the other
    for key in _TYPES:
        for table in (everything, vouched):
            try:
                width = _width(connection, tag, (key,), table)
            except duckdb.Error as error:
                reason = str(error).strip().splitlines()[0]
                if table is everything:
                    raise _wrong(tag, key, reason, "correct the SQL expression") from error
                reason = f"reads a column the tag's needs do not name: {reason}"
                raise _wrong(tag, key, reason, "add the column's needs to 'needs'") from error
            if width != 1:
                raise _wrong(tag, key, "is more than one expression", "write a single one")


def _width(connection: duckdb.DuckDBPyConnection, tag: Tag, keys: Sequence[str], table: str) -> int:
    """How many columns the expressions make. They stand beside customer_id, so that an aggregate, which is no fact of
    one customer, is refused as well."""
    listed = ", ".join(f"cast({getattr(tag, key)} as {_TYPES[key]}) as {key}" for key in keys)
    return len(connection.execute(f"select customer_id, {listed} from {table} as profiles").description or ()) - 1


def _wrong(tag: Tag, key: str, reason: str, mend: str) -> BadConfiguration:
    assert tag.declaration is not None
    return tag.declaration.wrong(reason, mend, key)
