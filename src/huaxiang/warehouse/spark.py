"""The warehouse on Spark: folders of Parquet, and the catalogue that tells dbt what lies in them.

Spark's catalogue lives as long as the process and keeps no files of its own: what it held when the last step ended
stands in `warehouse/spark/tables.json`, and the next step fills it from there (docs/decisions/0011-two-engines.md).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.contracts import load_contracts
from huaxiang.families import FAMILIES
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.stray import remove
from huaxiang.tables import RELEASED, Home

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

LAYERS = ("staging", "features", "profiles")
_NO_ZONE = {"timestamp": "timestamp_ntz", "varchar": "string"}


def open_catalogue(settings: Settings, run: Run) -> SparkSession:
    """Start the process's session and let its catalogue hold exactly this home's sources and tables.

    Raises HuaxiangError when Spark does not start.
    """
    from spark_jobs.session import session

    home = settings.home
    spark = session(home.warehouse, home.logs / "spark.log")
    _keep_ansi_mode()
    _say_no_values()
    for schema in ("landed", "models", *LAYERS):
        spark.sql(f"drop schema if exists {schema} cascade")  # every table is external: no file is touched
        spark.sql(f"create schema {schema} location {_quoted(home.spark_tables / '.schemas' / schema)}")
    for name, contract in load_contracts(settings).items():
        own = {"source_name": "string", "file_id": "string", "record_number": "bigint", "load_date": "date"}
        columns = {column.name: _NO_ZONE.get(column.type, column.type) for column in contract.columns} | own
        _create(spark, f"landed.{name}", columns, home.landing / "*" / name / "load_date=*" / "*.parquet")
    known = dict.fromkeys(("source_name", "table_name", "file_id", "file_version"), "string") | {"file_rank": "bigint"}
    _create(spark, "landed.known_files", known, home.known_files)
    keys = {"source_name": "string", "source_customer_id": "string", "customer_id": "string", "confidence": "double"}
    _create(spark, "landed.person_keys", keys, home.person_keys)
    _create(spark, "landed.product_words", dict.fromkeys(("product_type", "word"), "string"), home.product_words)
    for table in RELEASED:
        path = home.build(run.id) / table.path
        if table.folder in FAMILIES and path.exists():
            spark.sql(f"create table models.{table.name} using parquet location {_quoted(path)}")
    for name, kept in _kept(home).items():
        if "view" in kept:
            spark.sql(kept["view"])
            continue
        folder = _folder(home, name)
        _create(spark, name, kept["columns"], folder, kept["partitioned_by"])
        if kept["partitioned_by"]:
            _remove_empty_folders(folder)
            spark.sql(f"msck repair table {name}")
    return spark


def keep_catalogue(settings: Settings, spark: SparkSession) -> None:
    """Write down what the layers hold, for the next step and for those who read without Spark."""
    kept: dict[str, Any] = {}
    for layer in LAYERS:
        for table in sorted(spark.catalog.listTables(layer), key=lambda one: one.name):
            if table.isTemporary:
                continue
            name = f"{layer}.{table.name}"
            if table.tableType == "VIEW":
                kept[name] = {"view": spark.sql(f"show create table {name}").collect()[0][0]}
                continue
            columns = spark.catalog.listColumns(name)
            kept[name] = {
                "columns": {column.name: column.dataType for column in columns},
                "partitioned_by": [column.name for column in columns if column.isPartition],
            }
    write_text(_catalogue(settings.home), json.dumps(kept, indent=2) + "\n")


def discard(home: Home, layers: Collection[str]) -> None:
    """Remove the tables of these layers."""
    kept = {name: one for name, one in _kept(home).items() if name.partition(".")[0] not in layers}
    write_text(_catalogue(home), json.dumps(kept, indent=2) + "\n")
    for layer in layers:
        remove(home.spark_tables / layer)


def show_to_duckdb(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Make Spark's tables readable in a DuckDB connection, as `staging.stg_orders` and so on. Views are left out."""
    for layer in LAYERS:
        connection.execute(f"create schema {layer}")
    for name, kept in _kept(home).items():
        if "view" in kept:
            continue
        types = {column: type_.replace("timestamp_ntz", "timestamp") for column, type_ in kept["columns"].items()}
        files = _folder(home, name).glob("*=*/*.parquet" if kept["partitioned_by"] else "*.parquet")
        columns = ", ".join(f"cast({column} as {type_}) as {column}" for column, type_ in types.items())
        if any(files):
            pattern = _folder(home, name) / "**" / "*.parquet"
            source = f"read_parquet({_quoted(pattern)}, hive_partitioning = {bool(kept['partitioned_by'])})"
            where = ""
        else:
            source = f"(select {', '.join(f'null as {column}' for column in types)})"
            where = "where false"
        connection.execute(f"create view {name} as select {columns} from {source} {where}")


def _create(
    spark: SparkSession, name: str, columns: dict[str, str], path: Path, partitioned_by: list[str] | None = None
) -> None:
    """An external table over files; a column that a file lacks is null in its rows."""
    said = ", ".join(f"`{column}` {type_}" for column, type_ in columns.items())
    parts = f"partitioned by ({', '.join(partitioned_by)})" if partitioned_by else ""
    spark.sql(f"create table {name} ({said}) using parquet options (path {_quoted(path)}) {parts}")


def _folder(home: Home, name: str) -> Path:
    return home.spark_tables.joinpath(*name.split("."))


def _catalogue(home: Home) -> Path:
    return home.spark_tables / "tables.json"


def _kept(home: Home) -> dict[str, Any]:
    path = _catalogue(home)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _remove_empty_folders(table: Path) -> None:
    """A day that vanished leaves its folder behind, which Spark would take for a day without rows."""
    for folder in table.glob("*=*"):
        if not any(folder.glob("*.parquet")):
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()


def _keep_ansi_mode() -> None:
    """dbt-spark switches ANSI mode off before every statement, and a cast that fails is silently null: keep it on."""
    from dbt.adapters.spark.connections import SparkCredentials

    before = SparkCredentials.__post_init__
    if getattr(before, "keeps_ansi_mode", False):
        return

    def with_ansi_mode(credentials: SparkCredentials) -> None:
        before(credentials)
        credentials.server_side_parameters["spark.sql.ansi.enabled"] = "true"

    with_ansi_mode.keeps_ansi_mode = True  # type: ignore[attr-defined]
    SparkCredentials.__post_init__ = with_ansi_mode  # type: ignore[assignment, method-assign]


def _say_no_values() -> None:
    """PySpark would print every failed query to the terminal, with the value that could not be cast."""
    from pyspark.logger import PySparkLogger

    PySparkLogger.getLogger("SQLQueryContextLogger").disabled = True


def _quoted(value: object) -> str:
    return "'" + re.sub(r"(['\\])", r"\\\1", str(value)) + "'"
