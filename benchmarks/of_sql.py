"""Pairs without Spark: landing beside a bare copy, one dbt build beside many, an increment beside a rebuild."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from itertools import groupby
from pathlib import Path

import duckdb

from benchmarks import home
from benchmarks.pair import Pair, Side
from huaxiang import landing, warehouse
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import PROJECT, Run, Settings, load_settings
from huaxiang.tables import Home
from huaxiang.warehouse import dbt

DAILY = ("order_days", "customer_days", "customer_category_days", "purchases")
_READERS = {".csv": "read_csv({}, all_varchar = true)", ".jsonl": "read_json({})", ".parquet": "read_parquet({})"}


def landing_pair(settings: Settings, run: Run, size: home.Size) -> Pair:
    """Every drop of the inbox: mapped, checked and counted, or only copied to Parquet. The records are compared."""
    fresh = replace(settings, home=Home(settings.home.root.parent / "landing_home"))
    copies = settings.home.root.parent / "copies"

    def land() -> int:
        with home.quietly():
            landing.land(fresh, run)
        return sum(row.records for row in landing.ledger.read_ledger(fresh))

    def copy() -> int:
        copies.mkdir()
        files = sorted((settings.inbox / home.SOURCE).rglob("*.*"))
        records = 0
        with duckdb.connect() as connection:
            for kind, group in groupby(
                files, key=lambda file: (file.parent.name, file.stem.split("_")[0], file.suffix)
            ):
                read = _READERS[kind[2]].format([str(file) for file in group])
                query = f"copy (select * from {read}) to '{copies / kind[1]}.parquet' (format parquet)"
                records += int(connection.execute(query).fetchall()[0][0])
        return records

    return Pair(
        "landing",
        Side("landing: mapped, checked, every record counted on raw bytes", land, lambda: _forget(fresh.home.root)),
        Side("DuckDB: read all drops of a kind, copy them to one Parquet file", copy, lambda: _forget(copies)),
        "what contracts, quarantine, a file per drop and the account of every record cost",
        size.repeats,
    )


def dbt_pair(settings: Settings, run: Run, size: home.Size) -> Pair:
    """The same models by one dbt process, and by one process each. The tables are compared."""
    names = [name for name in home.models(settings) if size.whole_layer or name in DAILY[:2]]
    start = home.copy_of(settings.home.duckdb_file)

    def build(*selections: str) -> None:
        for selection in selections:
            _in_a_process(settings, run, selection)

    def prepare() -> None:
        shutil.copyfile(start, settings.home.duckdb_file)

    return Pair(
        "dbt",
        Side(f"one dbt process for {len(names)} models", lambda: build(" ".join(names)), prepare),
        Side("one dbt process per model", lambda: build(*names), prepare),
        "why a layer is one invocation: dbt's start is paid once",
        1,  # a process of dbt per model takes minutes
        check=lambda _: _hashes(settings, names),
    )


def increment_pair(settings: Settings, run: Run, size: home.Size) -> Pair:
    """The daily aggregates of a new day, added to those of the day before, and all days anew. Tables are compared."""
    start = home.copy_of(settings.home.duckdb_file)
    variables = warehouse.variables(settings, run)

    def build(*more: str) -> None:
        dbt.invoke(settings, run, ["run", "--select", " ".join(DAILY), *more], variables)

    def prepare() -> None:
        shutil.copyfile(start, settings.home.duckdb_file)

    return Pair(
        "increment",
        Side("daily aggregates: only the new day", build, prepare),
        Side("daily aggregates: all days anew", lambda: build("--full-refresh"), prepare),
        "what an increment saves; dbt's own seconds are in both, so it grows with the history",
        size.repeats,
        warm_up=True,
        check=lambda _: _hashes(settings, DAILY),
    )


def one_process(path: str) -> None:
    """What the other process does: run the models named in the file `path`."""
    said = json.loads(Path(path).read_text(encoding="utf-8"))
    settings = replace(load_settings(), home=Home(Path(said["home"])), models=("associations",))
    run = Run(*(date.fromisoformat(day) for day in said["days"]))
    dbt.invoke(settings, run, ["run", "--select", said["models"]], said["variables"])


def _in_a_process(settings: Settings, run: Run, selection: str) -> None:
    said = {
        "home": str(settings.home.root),
        "days": [str(run.as_of), str(run.known_at)],
        "models": selection,
        "variables": warehouse.variables(settings, run),
    }
    path = settings.home.root / "one_process.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    code = "import sys; from benchmarks.of_sql import one_process; one_process(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(path)], check=True, cwd=PROJECT, stdout=subprocess.DEVNULL)


def _hashes(settings: Settings, tables: tuple[str, ...] | list[str]) -> dict[str, str]:
    found = {}
    with duckdb.connect(str(settings.home.duckdb_file), read_only=True) as connection:
        for table in tables:
            path = settings.home.root / f"{table}.parquet"
            connection.execute(f"copy features.{table} to '{path}' (format parquet)")
            found[table] = content_hash(path)
    return found


def _forget(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
