"""Read one build's sealed files: Parquet through DuckDB, JSON as it is. Nothing here writes."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from huaxiang.errors import MissingPartition
from huaxiang.settings import Run, Settings
from huaxiang.tables import RELEASED

Row = dict[str, Any]


class BuildTables:
    """The released tables of a run's build, each as a view of its own name; use it in a `with`.

    Raises MissingPartition when the build has no portraits yet.
    """

    def __init__(self, settings: Settings, run: Run) -> None:
        import duckdb

        self.settings, self.run = settings, run
        self.build = settings.home.build(run.id)
        if not (self.build / "profiles" / "customer_profiles.parquet").exists():
            raise MissingPartition(
                f"build/{run.id}/profiles: no portraits there; run 'huaxiang profiles --as-of {run.as_of}' first"
            )
        self._duckdb = duckdb.connect(":memory:")
        self._duckdb.execute("set timezone = 'UTC'")
        self.columns: dict[str, dict[str, str]] = {}
        for table in RELEASED:
            self._view(table.name, str(self.build / table.path))

    def __enter__(self) -> BuildTables:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._duckdb.close()

    def has(self, table: str, *columns: str) -> bool:
        """Whether the build holds the table, with all these columns."""
        return table in self.columns and set(columns) <= set(self.columns[table])

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """The query's rows as dictionaries in column order."""
        result = self._duckdb.execute(sql, values)
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def json(self, path: str) -> Any:
        """A JSON file of the build, or None where there is none."""
        return read_json(self.build / path)

    def view_of_files(self, name: str, root: Path, pattern: str) -> bool:
        """Make all Parquet files under `root` one view; False when there are none."""
        if not any(root.glob(pattern)):
            return False
        self._view(name, str(root / pattern), ", filename = true")
        return True

    def _view(self, name: str, files: str, more: str = "") -> None:
        if "*" not in files and not Path(files).exists():
            return
        quoted = files.replace("'", "''")
        options = f"hive_partitioning = false, union_by_name = true{more}"
        self._duckdb.execute(f"create or replace view {name} as select * from read_parquet('{quoted}', {options})")
        described = self._duckdb.execute(f"describe {name}").fetchall()
        self.columns[name] = {row[0]: row[1] for row in described}


def read_json(path: Path) -> Any:
    """The file's content, or None where there is no such file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
