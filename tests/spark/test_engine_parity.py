"""The same SQL on DuckDB and on Spark: 200 real households, two days, every model and every released table."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pytest

from huaxiang import cli, release
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.warehouse import state
from huaxiang.warehouse.export import read_models
from tests.pipeline.conftest import home_at, run_words

pytestmark = [pytest.mark.spark, pytest.mark.dbt, pytest.mark.slow]

WEDNESDAY, THURSDAY = "2017-11-29", "2017-11-30"
RUN = Run(date.fromisoformat(THURSDAY), date.fromisoformat(THURSDAY))


@contextmanager
def on(engine: str, path: Path) -> Iterator[Settings]:
    with home_at(path), pytest.MonkeyPatch.context() as patch:
        patch.setenv("HUAXIANG_ENGINE", engine)
        yield load_settings()


@pytest.fixture(scope="module")
def homes(spark, tmp_path_factory) -> dict[str, Path]:
    """One landed home, copied, then built by both engines: a Wednesday first, so that Thursday is an increment."""
    landed = tmp_path_factory.mktemp("engines") / "landed"
    with on("duckdb", landed):
        words = ["--source", "complete_journey", "--since", "2017-10-02", "--through", THURSDAY, "--customers", "200"]
        assert cli.main(["simulate", *words]) == 0
        assert cli.main(["landing", "--as-of", WEDNESDAY]) == 0
    found = {}
    for engine in ("duckdb", "spark"):
        found[engine] = Path(shutil.copytree(landed, landed.with_name(engine)))
        with on(engine, found[engine]):
            assert run_words(WEDNESDAY, ("staging", "features")) == 0
            assert run_words(THURSDAY) == 0
    return found


def model_files(engine: str, home: Path, folder: Path) -> dict[str, Path]:
    """Every model of the warehouse as one Parquet file; views are read by the engine itself."""
    folder.mkdir()
    found = {}
    with on(engine, home) as settings, state.reading(settings) as connection:
        for name, layer in layers(settings).items():
            found[name] = folder / f"{name}.parquet"
            if engine == "spark" and name == "stg_promotions":
                from pyspark.sql import SparkSession

                SparkSession.getActiveSession().table(f"{layer}.{name}").toPandas().to_parquet(found[name])
            else:
                connection.execute(f"copy (from {layer}.{name}) to '{found[name]}' (format parquet)")
    return found


def layers(settings: Settings) -> dict[str, str]:
    import json

    manifest = json.loads((settings.home.dbt_target / "manifest.json").read_text())
    nodes = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    return {node["name"]: node["schema"] for node in nodes}


def differences(one: Path, other: Path) -> list[str]:
    """What sets two tables apart, by the names of columns: never a row."""
    if content_hash(one) == content_hash(other) and described(one) == described(other):
        return []
    types, others = described(one), described(other)
    found = [f"{name}: {types.get(name)} and {others.get(name)}" for name in types | others
             if types.get(name) != others.get(name)]  # fmt: skip
    found += [f"values of {name}" for name in types if name in others and one_column(one, name) != one_column(other, name)]
    return found or ["rows go together differently"]


def described(path: Path) -> dict[str, str]:
    rows = duckdb.execute("describe from read_parquet($path)", {"path": str(path)}).fetchall()
    return {name: type_ for name, type_, *_ in rows}


def one_column(path: Path, name: str) -> tuple:
    return duckdb.execute(
        f"select count(*), count({name}), sum(hash({name}::varchar)) from read_parquet($path)", {"path": str(path)}
    ).fetchall()[0]


def test_every_model_is_the_same_on_both_engines(homes, tmp_path) -> None:
    by_engine = {engine: model_files(engine, home, tmp_path / engine) for engine, home in homes.items()}
    assert len(by_engine["duckdb"]) >= 26 and set(by_engine["duckdb"]) == set(by_engine["spark"])
    found = {name: differences(path, by_engine["spark"][name]) for name, path in by_engine["duckdb"].items()}
    assert {name: said for name, said in found.items() if said} == {}
