"""Great Expectations on DuckDB: an in-memory database with views over Parquet, so that checks run where the data is.

Two things about Great Expectations 1.24.1, the pinned version, are put right here, each with a test:

- It gives a connection back before it fetches the rows, which DuckDB answers with nothing ("list index out of range"),
  unless the dialect is listed among those whose connection is kept. DuckDB is not on that list; `repair` adds it.
- It imports pyspark when it finds it, for some seconds and for nothing: the checks do not run on Spark.
"""

from __future__ import annotations

import enum
import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from great_expectations.core.batch_definition import BatchDefinition
    from sqlalchemy import Connection

# Names of in-memory databases are known to the whole process: each gate takes a fresh one.
_numbers = itertools.count(1)


class _Dialect(enum.StrEnum):
    """Great Expectations reads `.value` of the dialects it lists, so a plain string would not do."""

    DUCKDB = "duckdb"


class Database:
    """An in-memory DuckDB that we fill with views and Great Expectations checks."""

    def __init__(self, connection: Connection, source: Any) -> None:
        self._connection = connection
        self._source = source

    def run(self, statement: str) -> None:
        """Execute one statement, such as `create view`, and let Great Expectations' own connection see it."""
        self._connection.exec_driver_sql(statement)
        self._connection.commit()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        found = [tuple(row) for row in self._connection.exec_driver_sql(query)]
        self._connection.commit()
        return found

    def row(self, query: str) -> tuple[Any, ...]:
        return self.rows(query)[0]

    def columns(self, view: str) -> tuple[str, ...]:
        """The view's columns in order, none when there is no such view."""
        found = self.rows(f"select column_name from duckdb_columns() where table_name = '{view}' order by column_index")
        return tuple(name for (name,) in found)

    def batch_definition(self, view: str) -> BatchDefinition:
        """The whole view as one batch."""
        return self._source.add_table_asset(view, table_name=view).add_batch_definition_whole_table("whole")


@contextmanager
def opened() -> Iterator[Database]:
    """A fresh database; all of it is forgotten at the end."""
    gx = import_great_expectations()
    import sqlalchemy
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # All in memory and without docs sites: nothing of it is ever written.
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        progress_bars=ProgressBarsConfig(globally=False),
        analytics_enabled=False,
    )
    context = gx.get_context(mode="ephemeral", project_config=config)
    address = f"duckdb:///:memory:huaxiang_gate_{next(_numbers)}"
    engine = sqlalchemy.create_engine(address)
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("set autoinstall_known_extensions = false")
            source = context.data_sources.add_sql("duckdb", connection_string=address)
            yield Database(connection, source)
    finally:
        engine.dispose()


def import_great_expectations() -> ModuleType:
    """Import it quickly, silently and repaired. Safe to call again."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with _without_pyspark():
        import great_expectations
        from great_expectations.execution_engine import sqlalchemy_execution_engine
    repair(sqlalchemy_execution_engine)
    return great_expectations


def repair(execution_engine: Any) -> None:
    """Keep DuckDB's connection open until its rows are fetched."""
    kept = execution_engine._PERSISTED_CONNECTION_DIALECTS
    if _Dialect.DUCKDB not in kept:
        execution_engine._PERSISTED_CONNECTION_DIALECTS = (*kept, _Dialect.DUCKDB)


@contextmanager
def _without_pyspark() -> Iterator[None]:
    """Make `import pyspark` fail inside the body, unless it is loaded already; afterwards it can be imported again."""
    if "pyspark" in sys.modules:
        yield
        return
    sys.modules["pyspark"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["pyspark"]
