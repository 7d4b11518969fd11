"""Spark puts the files of a day in place one by one: a step that dies leaves half a day, which looks built."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from huaxiang import failpoints, warehouse
from huaxiang.errors import MissingPartition
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, load_settings
from huaxiang.tables import Home
from huaxiang.warehouse import state
from tests.dbt.small_home import DAY, NEXT, SmallHome, line, small_shop

pytestmark = [pytest.mark.spark, pytest.mark.dbt, pytest.mark.slow, pytest.mark.services]

TODAY, TOMORROW = Run(DAY, DAY), Run(NEXT, NEXT)
TABLES = ("customer_features", "customer_interests")


def a_shop(root: Path, engine: str) -> SmallHome:
    shop = small_shop(replace(load_settings(), home=Home(root), inbox=root / "inbox", engine=engine))
    shop.land("order_lines", DAY, [line(9, "anna", "2026-01-15 15:00:00", "3.00")])  # a day that stays as it is
    return shop


@pytest.fixture(scope="module")
def built(spark, tmp_path_factory) -> SmallHome:
    """A shop on Spark that holds today."""
    shop = a_shop(tmp_path_factory.mktemp("shop") / "home", "spark")
    warehouse.staging(shop.settings, TODAY)
    warehouse.features(shop.settings, TODAY)
    return shop


@pytest.fixture
def shop(built, tmp_path) -> SmallHome:
    shutil.copytree(built.settings.home.root, tmp_path / "home")
    return SmallHome(replace(built.settings, home=Home(tmp_path / "home")))


def parts(shop: SmallHome) -> set[Path]:
    """The files of the tables to which days are added."""
    features = shop.settings.home.spark_tables / "features"
    return {path.relative_to(features) for path in features.glob("*/day_fingerprint=*/*.parquet")}


def hashes(shop: SmallHome) -> list[str]:
    folder = shop.settings.home.build(TOMORROW.id) / "features"
    return [content_hash(folder / f"{name}.parquet") for name in TABLES]


def dies_while_days_are_added(shop: SmallHome) -> None:
    """As a kill leaves it: of each new day one half is there."""
    before = parts(shop)
    warehouse.staging(shop.settings, TOMORROW)
    failpoints.arm("features.before_table:raise")
    try:
        with pytest.raises(OSError, match="No space"):
            warehouse.features(shop.settings, TOMORROW)
    finally:
        failpoints.arm(None)
    new = parts(shop) - before
    assert new
    for path in (shop.settings.home.spark_tables / "features" / one for one in new):
        rows = pq.read_table(path, partitioning=None)
        pq.write_table(rows.slice(0, rows.num_rows // 2), path)
        path.with_name(f".{path.name}.crc").unlink(missing_ok=True)


def test_half_a_day_that_a_killed_step_left_is_not_taken_as_built(shop, tmp_path) -> None:
    dies_while_days_are_added(shop)
    warehouse.features(shop.settings, TOMORROW)

    undisturbed = a_shop(tmp_path / "undisturbed", "duckdb")  # whose tables have the same content
    warehouse.staging(undisturbed.settings, TOMORROW)
    warehouse.features(undisturbed.settings, TOMORROW)
    assert hashes(shop) == hashes(undisturbed)
    assert "building" not in json.loads((shop.settings.home.warehouse / "state.json").read_text())


def test_what_is_half_built_is_not_read_on_and_staging_makes_all_anew(shop) -> None:
    state.check(shop.settings, TODAY, after="features")
    assert not state.discard_if_stale(shop.settings)
    state.write(shop.settings, TODAY, "features")

    state.begin(shop.settings, "features")
    with pytest.raises(MissingPartition, match="features/2026-01-31: not built"):
        state.check(shop.settings, TODAY, after="features")
    assert state.discard_if_stale(shop.settings)
    assert not shop.settings.home.spark_tables.exists()
