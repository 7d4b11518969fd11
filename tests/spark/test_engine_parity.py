"""The same SQL on DuckDB and on Spark: 200 real households, two days, every model."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from huaxiang import identity, warehouse
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.judging import next_purchases
from huaxiang.landing.ledger import read_ledger
from huaxiang.landing.versions import known_files, write_known_files
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import ENGINES, Run, Settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from huaxiang.warehouse import state
from huaxiang.warehouse.dbt import invoke
from tests.spark.conftest import SAMPLE_DAY, copy_of

pytestmark = [pytest.mark.spark, pytest.mark.dbt, pytest.mark.slow]

WEDNESDAY, THURSDAY = date(2017, 11, 29), SAMPLE_DAY
RUN = Run(THURSDAY, THURSDAY)
# What the model families would write, made from the features: here the SQL that reads it counts.
MODEL_TABLES = {
    "segments/customer_segments": "select customer_id, 1 + order_count % 3 as segment_id, 'shoppers' as segment_name,"
    " order_count > 50 as is_outlier, case when order_count > 50 then 'many orders' end as outlier_reason",
    "recommendations/customer_items": "select customer_id, 'any' as task, 1::bigint as rank, '825123' as product_id,"
    " 'bought often' as reason",
    "scores/customer_scores": "select customer_id, unnest(['churn_28d', 'category_28d', 'category_28d']) as target,"
    " unnest(['', 'tea', 'milk']) as category, unnest([2e-1, 3e-1, 3e-1]) as probability, 'seen lately' as reasons",
}


@pytest.fixture(scope="module")
def homes(spark, landed) -> dict[str, Settings]:
    """The sample built by each engine: of Wednesday what days are added to, so that Thursday is an increment."""
    found = {}
    for engine in ENGINES:
        models = ("segments", "recommendations", "scores")
        found[engine] = settings = copy_of(landed, f"built-on-{engine}", engine=engine, models=models)
        build_what_grows(settings, Run(WEDNESDAY, WEDNESDAY))
        warehouse.staging(settings, RUN)
        warehouse.features(settings, RUN)
        write_model_tables(settings)
        warehouse.profiles(settings, RUN)
    return found


def build_what_grows(settings: Settings, run: Run) -> None:
    """The incremental models and what they come from: nothing else of a day is read by the next one."""
    state.discard_if_stale(settings)
    write_known_files(settings, known_files(read_ledger(settings), run.known_at))
    identity.resolve(settings, run, set(), StepLog("staging"))
    invoke(settings, run, ["run", "--select", "+config.materialized:incremental"], warehouse.variables(settings, run))


def write_model_tables(settings: Settings) -> None:
    build = settings.home.build(RUN.id)
    for name, query in MODEL_TABLES.items():
        path = build / f"{name}.parquet"
        path.parent.mkdir()
        duckdb.execute(f"copy ({query} from '{build}/features/customer_features.parquet') to '{path}' (format parquet)")


def model_files(settings: Settings, folder: Path) -> dict[str, Path]:
    """Every model of the warehouse as Parquet; the one view of Spark's is read by Spark."""
    manifest = json.loads((settings.home.dbt_target / "manifest.json").read_text())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    found = {node["name"]: folder / f"{node['name']}.parquet" for node in models}
    folder.mkdir()
    with state.reading(settings) as connection:
        for node in models:
            name, path = f"{node['schema']}.{node['name']}", found[node["name"]]
            if settings.engine == "spark" and node["config"]["materialized"] == "view":
                from pyspark.sql import SparkSession

                SparkSession.builder.getOrCreate().table(name).coalesce(1).write.parquet(f"{path}.d")
                found[node["name"]] = next(Path(f"{path}.d").glob("*.parquet"))
            else:
                connection.execute(f"copy (from {name}) to '{path}' (format parquet)")
    return found


def differences(one: Path, other: Path) -> list[str]:
    """What sets two tables apart, by the names of columns: never a row."""
    types, others = described(one), described(other)
    found = [
        f"{name} is {types.get(name)} and {others.get(name)}"
        for name in types | others
        if types.get(name) != others.get(name)
    ]
    if not found and content_hash(one) != content_hash(other):
        found = [f"values of {name}" for name in types if values(one, name) != values(other, name)]
        found = found or ["the same values, in other rows"]
    return found


def described(path: Path) -> dict[str, str]:
    rows = duckdb.execute("describe from read_parquet($path)", {"path": str(path)}).fetchall()
    return {name: type_ for name, type_, *_ in rows}


def values(path: Path, column: str) -> tuple:
    query = f'select count(*), count("{column}"), sum(hash("{column}"::varchar)) from read_parquet($path)'
    return duckdb.execute(query, {"path": str(path)}).fetchall()[0]


def test_every_model_is_the_same_on_both_engines(homes, tmp_path) -> None:
    on_duckdb, on_spark = (model_files(homes[engine], tmp_path / engine) for engine in ENGINES)
    assert len(on_duckdb) >= 33 and set(on_duckdb) == set(on_spark)
    found = {name: differences(path, on_spark[name]) for name, path in on_duckdb.items()}
    assert {name: said for name, said in found.items() if said} == {}


def test_both_engines_export_the_same_tables(homes) -> None:
    exports = [
        {
            path.relative_to(settings.home.root): content_hash(path)
            for path in settings.home.build(RUN.id).rglob("*.parquet")
        }
        for settings in homes.values()
    ]
    # features, profiles, audiences, what models read, models, and the account of records
    assert len(exports[0]) == 8 + 3 + 1 + 5 + len(MODEL_TABLES) + 1
    assert exports[0] == exports[1]


def test_next_purchases_are_judged_alike_on_both_engines(homes) -> None:
    said = [(one.home.build(RUN.id) / "features" / next_purchases.FILE).read_text() for one in homes.values()]
    assert said[0] == said[1]
    assert json.loads(said[0])["metrics"]["gaps"] > 100


def test_on_spark_too_only_the_days_that_changed_are_built(homes) -> None:
    """Thursday's run appended its own day and the corrected one, whose old partition is gone."""
    tables = homes["spark"].home.spark_tables
    files = list((tables / "features" / "customer_days").glob("day_fingerprint=*/*.parquet"))
    began = min(path.stat().st_mtime for path in (tables / "staging" / "stg_orders").glob("*.parquet"))
    assert len({path.parent for path in files}) == 60
    assert len({path.parent for path in files if path.stat().st_mtime > began}) == 2


def test_a_cast_that_fails_is_an_error_on_spark_too(homes) -> None:
    """dbt-spark alone would switch ANSI mode off and make it null."""
    variables = warehouse.variables(homes["spark"], RUN)
    with pytest.raises(HuaxiangError, match="CAST_INVALID_INPUT"):
        invoke(homes["spark"], RUN, ["show", "--inline", "select cast('x' as bigint) as number"], variables)


def test_the_other_engine_makes_the_warehouse_anew(homes, tmp_path) -> None:
    shutil.copytree(homes["spark"].home.root, tmp_path / "home")
    other = replace(homes["duckdb"], home=Home(tmp_path / "home"))
    with pytest.raises(MissingPartition, match="huaxiang staging"):
        warehouse.features(other, RUN)
    assert state.discard_if_stale(other)
    assert not other.home.spark_tables.exists()
