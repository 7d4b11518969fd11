"""What the warehouse holds: which run, made by which code on which engine. A small JSON file in it says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from huaxiang.code_version import code_hash
from huaxiang.errors import DamagedWarehouse, HomeBusy, MissingPartition
from huaxiang.features import load_features, plan
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.stray import remove

if TYPE_CHECKING:
    import duckdb

_ORDER = ("staging", "features", "profiles")
_GROWING = "features"  # the layer to whose tables days are added; the others are made whole each time


def discard_if_stale(settings: Settings) -> bool:
    """Remove the warehouse when other code, settings or another engine made it, or when a layer begun did not end, and
    forget which run it holds: it is about to change. Returns whether it has to be made anew.
    """
    made_by = _made_by(settings)
    held = _read(settings)
    fresh = held.get("made_by") == made_by and exists(settings) and "building" not in held
    if not fresh:
        discard(settings)
    _write(settings, {"made_by": made_by})
    return not fresh


def begin(settings: Settings, layer: str) -> None:
    """Note on Spark that days are being added to the layer's tables, until `write` says that all are there.

    A layer that was begun and did not end is made anew: Spark puts the files of a day in place one by one, so whoever
    is killed meanwhile leaves half of it, which looks built. DuckDB's tables change in one transaction.
    """
    if settings.engine != "spark" or layer != _GROWING:
        return
    from huaxiang.warehouse import spark

    held = _read(settings)
    before, from_here = _ORDER[: _ORDER.index(layer)], _ORDER[_ORDER.index(layer) :]
    if "building" in held:
        spark.discard(settings.home, from_here)
    layers = [one for one in held.get("layers", ()) if one in before]
    _write(settings, held | {"layers": layers, "building": layer})


def discard(settings: Settings) -> None:
    """Remove the warehouse, with what dbt keeps of its last reading of the project."""
    for path in settings.home.warehouse.glob("huaxiang.duckdb*"):
        remove(path)
    for folder in (settings.home.spark_tables, settings.home.dbt_target):
        remove(folder)
    _write(settings, {})


@contextmanager
def discarding_if_damaged(settings: Settings) -> Iterator[None]:
    """When the body fails and the warehouse file turns out to be damaged, remove it and raise DamagedWarehouse.

    Every block has a checksum, so reading all of it tells; that is done only after a failure.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, HomeBusy) or not _is_damaged(settings):
            raise
        discard(settings)
        raise DamagedWarehouse(
            f"{settings.home.duckdb_file}: was damaged and has been removed, which loses nothing; run 'huaxiang "
            "staging' and the words after it again"
        ) from error


def _is_damaged(settings: Settings) -> bool:
    """Whether the warehouse file cannot be read to its end. Spark's tables are not looked at."""
    import duckdb

    if settings.engine != "duckdb" or not settings.home.duckdb_file.exists():
        return False
    try:
        with duckdb.connect(str(settings.home.duckdb_file), read_only=True) as connection:
            tables = connection.execute(
                "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
            ).fetchall()
            for schema, table in tables:
                connection.execute(f'select sum(hash(rows_of)) from "{schema}"."{table}" as rows_of').fetchall()
    except duckdb.Error as error:
        return "Could not set lock" not in str(error)
    return False


def write(settings: Settings, run: Run, layer: str) -> None:
    """Record that `layer` now holds `run`; the layers after it no longer do."""
    built = _ORDER[: _ORDER.index(layer) + 1]
    _write(
        settings,
        {"made_by": _made_by(settings), "as_of": str(run.as_of), "known_at": str(run.known_at), "layers": list(built)},
    )


def check(settings: Settings, run: Run, after: str) -> None:
    """Raise MissingPartition unless the layer `after` holds this very run, made by this code."""
    held = _read(settings)
    days = f"--as-of {run.as_of}" + ("" if run.known_at == run.as_of else f" --known-at {run.known_at}")
    next_step = f"run 'huaxiang {after} {days}' first"
    if not exists(settings) or after not in held.get("layers", ()):
        raise MissingPartition(f"{after}/{run.id}: not built; {next_step}")
    as_of, known_at = held.get("as_of"), held.get("known_at")
    if (as_of, known_at) != (str(run.as_of), str(run.known_at)):
        raise MissingPartition(f"{after}/{run.id}: the warehouse holds as_of {as_of} known at {known_at}; {next_step}")
    if held.get("made_by") != _made_by(settings):
        raise MissingPartition(
            f"{after}/{run.id}: the SQL or the home's settings changed since it was built; {next_step}"
        )


def holds(settings: Settings, run: Run, layer: str) -> bool:
    """Whether `layer` holds this very run, made by this code."""
    try:
        check(settings, run, after=layer)
    except MissingPartition:
        return False
    return True


def exists(settings: Settings) -> bool:
    """Whether there is a warehouse of the home's engine at all."""
    home = settings.home
    return (home.duckdb_file if settings.engine == "duckdb" else home.spark_tables).exists()


@contextmanager
def reading(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only DuckDB connection to the warehouse, in UTC; tables that Spark made are views in it."""
    import duckdb

    from huaxiang.warehouse import spark

    is_file = settings.engine == "duckdb"
    config: dict[str, str | bool | int | float | list[str]] = {"threads": 2, "autoinstall_known_extensions": "false"}
    database = str(settings.home.duckdb_file) if is_file else ":memory:"
    with duckdb.connect(database, read_only=is_file, config=config) as connection:
        connection.execute("set TimeZone = 'UTC'")
        if not is_file:
            spark.show_to_duckdb(connection, settings.home)
        yield connection


def _made_by(settings: Settings) -> str:
    """What decides how a row of the warehouse looks, besides the landed rows. Tags are applied afresh each day; of a
    declared feature that is its plan, not its words."""
    from importlib.metadata import version

    code = code_hash(settings.project, ("dbt_project", "contracts"))
    declared = hashlib.sha256(json.dumps(plan(load_features(settings))).encode()).hexdigest()[:16]
    engine = f"spark-{version('pyspark')}" if settings.engine == "spark" else f"duckdb-{version('duckdb')}"
    return " ".join([code, declared, engine, settings.time_zone, *settings.sources])


def _read(settings: Settings) -> dict[str, Any]:
    try:
        held = json.loads((settings.home.warehouse / "state.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # not there, or not what we wrote
        return {}
    return held if isinstance(held, dict) and isinstance(held.get("layers", []), list) else {}


def _write(settings: Settings, held: dict[str, Any]) -> None:
    write_text(settings.home.warehouse / "state.json", json.dumps(held, indent=2) + "\n")
