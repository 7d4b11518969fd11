"""What each dbt model was made from, down to its columns, as OpenLineage events in the home's lineage file.

OpenLineage's own reader of dbt's artifacts makes the events; it cannot see through `select *`, which our SQL begins
with, so sqlglot first writes each statement out with all its columns. Lineage is told; the data go on without it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from huaxiang.files import write_text
from huaxiang.progress import tell
from huaxiang.settings import Settings

PRODUCER = "huaxiang"
MAX_BYTES = 64 * 1024 * 1024
# Set by the task of an orchestrator: namespace/job/run of the run that dbt's runs are part of.
PARENT = "OPENLINEAGE_PARENT_ID"

_BY_DBT = ("features", "profiles")

Columns = dict[str, dict[str, dict[str, dict[str, str]]]]  # database -> schema -> table -> column -> type


def record(settings: Settings) -> None:
    """Append the events of dbt's last invocation. Called in the environment dbt ran in; never fails the run.

    The events hold names, types, counts and test results, never a value of a row. On Spark nothing is told: what a
    statement's columns are is read from DuckDB's catalogue.
    """
    if settings.engine != "duckdb":
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            append(settings.home.lineage, _events(settings))
    except Exception as error:
        tell(f"lineage    not told: {type(error).__name__}: {error}")


def append(file: Path, events: list[dict[str, Any]]) -> None:
    """Append events, one per line, in one write each; a file that has grown large is put aside, one older is kept."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.stat().st_size > MAX_BYTES:
        file.replace(file.with_suffix(".older.jsonl"))
    with file.open("ab", buffering=0) as lines:
        for event in events:
            lines.write(json.dumps(event).encode() + b"\n")


def expanded(sql: str, columns: Any) -> str:
    """The statement with every `*` and every unqualified name written out; as it was when it cannot be read."""
    import sqlglot
    from sqlglot.optimizer.qualify import qualify

    try:
        parsed: Any = sqlglot.parse_one(sql, dialect="duckdb")
        return qualify(parsed, schema=columns, dialect="duckdb", validate_qualify_columns=False).sql("duckdb")
    except Exception:
        return sql


def _events(settings: Settings) -> list[dict[str, Any]]:
    from openlineage.client.serde import Serde
    from openlineage.common.provider.dbt.facets import ParentRunMetadata
    from openlineage.common.provider.dbt.local import DbtLocalArtifactProcessor
    from sqlglot.schema import MappingSchema

    columns = _columns(settings)
    known: Any = MappingSchema(dict(columns), dialect="duckdb")
    kept = _Expanded(settings.home.dbt_target / "expanded.json", columns)

    class Processor(DbtLocalArtifactProcessor):
        def get_column_lineage(self, namespace: str, compiled_sql: str) -> Any:
            named = _named_sources(compiled_sql, self.manifest["sources"])
            found = super().get_column_lineage(namespace, kept.of(named, known))
            return _only_tables(found, columns)

    processor = Processor(
        producer=PRODUCER,
        job_namespace=settings.name,
        project_dir=str(settings.project / "dbt_project"),
        target_path=str(settings.home.dbt_target),
        skip_errors=True,
    )
    if os.environ.get(PARENT, "").count("/") >= 2:
        namespace, job, run = os.environ[PARENT].rsplit("/", 2)
        processor.dbt_run_metadata = ParentRunMetadata(run_id=run, job_name=job, job_namespace=namespace)
    events = [_slim(json.loads(Serde.to_json(event))) for event in processor.parse().events()]
    kept.write()
    return events


class _Expanded:
    """Statements written out, kept from run to run and for the next home of this process: tomorrow's differ by their
    dates, which no column comes from.
    """

    _written_here: ClassVar[dict[str, str]] = {}

    def __init__(self, path: Path, columns: Columns) -> None:
        self._path = path
        self._columns = json.dumps(columns, sort_keys=True)
        self._kept: dict[str, str] = {}
        with suppress(OSError, ValueError):  # none yet, or half a file of a killed step
            self._kept = json.loads(path.read_text(encoding="utf-8"))

    def of(self, sql: str, columns: Any) -> str:
        undated = re.sub(r"\b\d{4}-\d\d-\d\d\b", "2000-01-01", sql)
        key = hashlib.sha256(f"{self._columns}{undated}".encode()).hexdigest()
        if key not in self._kept:
            self._kept[key] = self._written_here.get(key) or expanded(undated, columns)
        self._written_here[key] = self._kept[key]
        return self._kept[key]

    def write(self) -> None:
        write_text(self._path, json.dumps(self._kept))


def _slim(event: dict[str, Any]) -> dict[str, Any]:
    """Without what is in the repository (SQL, descriptions); a START event names its datasets and no more."""
    event["job"].get("facets", {}).pop("sql", None)
    for dataset in [*event.get("inputs", []), *event.get("outputs", [])]:
        dataset.get("facets", {}).pop("documentation", None)
        if event["eventType"] == "START":
            dataset["facets"] = {}
    return event


def _only_tables(found: Any, columns: Columns) -> Any:
    """Lineage that names datasets alone: a parser's own words for parts of a statement are left out."""
    if found is None:
        return None
    tables = {f"{database}.{schema}.{table}" for database, schemas in columns.items()
              for schema, names in schemas.items() for table in names}  # fmt: skip
    for name, field in list(found.fields.items()):
        field.inputFields = [origin for origin in field.inputFields if origin.name in tables]
        if not field.inputFields:
            del found.fields[name]
    return found if found.fields else None


def _named_sources(sql: str, sources: Mapping[str, Any]) -> str:
    """The statement with each source by its name, where dbt has put the files it lies in."""
    for source in sources.values():
        sql = sql.replace(source["relation_name"], f'"{source["database"]}"."{source["schema"]}"."{source["name"]}"')
    return sql


def _columns(settings: Settings) -> Columns:
    """The columns of every table that a model may read: the warehouse's, the landed ones', the model outputs'."""
    import duckdb

    from huaxiang.tables import RELEASED
    from huaxiang.warehouse import state

    with state.reading(settings) as connection:
        rows = connection.execute(
            "select table_schema, table_name, column_name, data_type from information_schema.columns"
        ).fetchall()
    # Landing keeps an empty file with the columns of every canonical table.
    files = [("landed", path.parts[-3], path) for path in settings.home.landing.glob("_none/*/load_date=*/*.parquet")]
    build = Path(os.environ["HUAXIANG_BUILD"])
    files += [("models", table.name, build / table.path) for table in RELEASED if table.folder not in _BY_DBT]
    with duckdb.connect() as memory:
        for schema, table, path in files:
            if path.exists():
                # Written into the statement: a bound parameter would have DuckDB import pandas, which takes a second.
                quoted = "'" + str(path).replace("'", "''") + "'"
                said = memory.execute(f"describe select * from read_parquet({quoted}, hive_partitioning = false)")
                rows += [(schema, table, column, kind) for column, kind, *_ in said.fetchall()]
    found: Columns = {"huaxiang": {}}
    for schema, table, column, kind in rows:
        found["huaxiang"].setdefault(schema, {}).setdefault(table, {})[column] = kind
    return found
