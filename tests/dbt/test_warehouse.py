"""Staging, features and profiles on a small landed home, through real dbt on DuckDB."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from huaxiang import warehouse
from huaxiang.errors import BadConfiguration, HomeBusy, HuaxiangError, MissingPartition
from huaxiang.settings import Run, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from huaxiang.warehouse import state
from tests.dbt.small_home import DAY, NEXT, SmallHome, line, small_shop

pytestmark = pytest.mark.dbt

TODAY, TOMORROW = Run(DAY, DAY), Run(NEXT, NEXT)
EXPORTS = (
    "features/customer_features",
    "features/customer_interests",
    "features/customer_event_features",
    "profiles/customer_profiles",
    "profiles/customer_tags",
    "profiles/portrait_levels",
)


def build(shop: SmallHome, run: Run) -> dict[str, list[tuple]]:
    """Run the three steps; give the exported tables."""
    warehouse.staging(shop.settings, run)
    warehouse.features(shop.settings, run)
    warehouse.profiles(shop.settings, run)
    return {name: shop.table(run, name) for name in EXPORTS}


def warehouse_rows(shop: SmallHome, table: str) -> list[tuple]:
    with state.reading(shop.settings) as connection:
        return sorted(connection.execute(f"from {table}").fetchall())


def in_warehouse(shop: SmallHome, statement: str) -> None:
    with duckdb.connect(str(shop.settings.home.duckdb_file)) as connection:
        connection.execute(statement)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> tuple[SmallHome, dict]:
    """A small shop built for TODAY. Tests that change it take `shop`."""
    home = tmp_path_factory.mktemp("shop")
    shop = small_shop(replace(load_settings(), home=Home(home), inbox=home / "inbox"))
    return shop, build(shop, TODAY)


@pytest.fixture(scope="module")
def next_day(built, tmp_path_factory) -> tuple[SmallHome, dict]:
    """The small shop after its next day was run as well."""
    shop = copy_of(built[0], tmp_path_factory.mktemp("next") / "home")
    return shop, build(shop, TOMORROW)


@pytest.fixture
def shop(built, tmp_path) -> SmallHome:
    """A copy of the small shop as built for TODAY, to be changed."""
    return copy_of(built[0], tmp_path / "home")


def copy_of(shop: SmallHome, root: Path) -> SmallHome:
    shutil.copytree(shop.settings.home.root, root)
    return SmallHome(replace(shop.settings, home=Home(root)))


def test_a_portrait_says_what_happened_by_the_end_of_the_local_day(built) -> None:
    shop, _ = built
    anna = shop.one(
        TODAY, "anna", "order_count", "net_spend", "last_order_on", "recency_days", "age_band", "top_category"
    )
    assert anna == (2, Decimal("16.00"), DAY, 0, "25-34", "milk")
    assert shop.one(TODAY, "anna", "discount_share", "campaigns_received", "campaigns_answered") == (0.111111, 1, 1)
    assert shop.one(TODAY, "ben", "order_count", "net_spend", "recency_days", "age_band") == (
        1,
        Decimal("4.00"),
        30,
        None,
    )


def test_a_tag_comes_with_its_evidence(built) -> None:
    _, exports = built
    tags = {(row[0], row[2]): row[3:] for row in exports["profiles/customer_tags"]}
    assert tags["anna", "top_interest"][0] == "milk"
    assert tags["anna", "campaign_responder"] == ("once", 1.0, "campaigns received: 1, answered: 1", "rule")
    assert ("ben", "age_band") not in tags


def test_exports_are_ordered_by_key(built) -> None:
    _, exports = built
    assert [row[0] for row in exports["profiles/customer_profiles"]] == ["anna", "ben"]
    keys = [(row[0], row[2]) for row in exports["profiles/customer_tags"]]
    assert keys == sorted(keys)


def test_the_next_day_equals_a_full_rebuild(next_day, tmp_path) -> None:
    increment, exports = next_day
    rebuilt = copy_of(increment, tmp_path / "home")
    shutil.rmtree(rebuilt.settings.home.warehouse)
    assert build(rebuilt, TOMORROW) == exports
    for table in ("customer_days", "customer_category_days"):
        assert warehouse_rows(rebuilt, f"features.{table}") == warehouse_rows(increment, f"features.{table}")


def test_the_next_day_knows_returns_corrections_and_moved_products(next_day) -> None:
    shop, _ = next_day
    # 6.00 were paid back and the 10.00 of 1 January corrected to 1.00; what was milk is now called dairy
    assert shop.one(TOMORROW, "anna", "net_spend", "top_category") == (Decimal("1.00"), "tea")
    assert shop.one(TOMORROW, "ben", "net_spend", "order_count") == (Decimal("9.00"), 2)
    categories = {row[1] for row in warehouse_rows(shop, "features.customer_category_days")}
    assert categories == {"tea", "dairy"}


def test_an_earlier_day_can_be_run_again(next_day, built, tmp_path) -> None:
    assert build(copy_of(next_day[0], tmp_path / "home"), TODAY) == built[1]


def test_a_later_known_at_corrects_the_same_day(shop) -> None:
    build(shop, Run(DAY, NEXT))
    anna = shop.one(Run(DAY, NEXT), "anna", "as_of", "net_spend", "last_order_on")
    assert anna == (DAY, Decimal("7.00"), DAY)


def test_only_days_that_changed_are_built_again(shop) -> None:
    in_warehouse(shop, "update features.customer_days set bought_amount = 77")
    warehouse.staging(shop.settings, TOMORROW)
    warehouse.features(shop.settings, TOMORROW)
    found = {(row[0], row[1]): row[5] for row in warehouse_rows(shop, "features.customer_days")}
    assert found["anna", date(2026, 1, 1)] == Decimal("1.00"), "the corrected day must be built again"
    assert found["anna", DAY] == Decimal("8.00"), "a product sold that day has another category"
    assert found["ben", NEXT] == Decimal("5.00")
    shop.land("order_lines", date(2026, 2, 2), [line(9, "ben", "2026-02-02 18:00:00", "3.00")])
    in_warehouse(shop, "update features.customer_days set bought_amount = 77")
    run = Run(date(2026, 2, 2), date(2026, 2, 2))
    warehouse.staging(shop.settings, run)
    warehouse.features(shop.settings, run)
    found = {(row[0], row[1]): row[5] for row in warehouse_rows(shop, "features.customer_days")}
    assert found["anna", date(2026, 1, 1)] == Decimal("77.00"), "an unchanged day must be left alone"
    assert found["ben", date(2026, 2, 2)] == Decimal("3.00")


def test_a_training_set_sees_each_snapshot_day_as_it_was(shop) -> None:
    log = StepLog("train")
    warehouse.training_set(shop.settings, TODAY, [date(2026, 1, 1), date(2026, 1, 15)], log)
    path = shop.settings.home.inputs(TODAY.id) / "snapshots.parquet"
    rows = duckdb.execute(
        f"select as_of, customer_id, order_count, recency_days from read_parquet('{path}') order by all"
    ).fetchall()
    assert rows == [
        (date(2026, 1, 1), "anna", 1, 0),
        (date(2026, 1, 1), "ben", 1, 0),
        (date(2026, 1, 15), "anna", 1, 14),
        (date(2026, 1, 15), "ben", 1, 14),
        (DAY, "anna", 2, 0),
        (DAY, "ben", 1, 30),
    ]
    assert len(shop.table(TODAY, "features/customer_features")) == 2
    with pytest.raises(MissingPartition, match="lies after"):
        warehouse.training_set(shop.settings, TODAY, [NEXT], log)


def test_a_training_of_another_day_between_two_steps_of_a_daily_run_is_not_noticed_by_it(shop) -> None:
    tomorrow = Run(NEXT, NEXT)
    warehouse.staging(shop.settings, TODAY)
    with warehouse.training_build(shop.settings, tomorrow) as apart:
        warehouse.training_set(apart, tomorrow, [DAY], StepLog("train"))
        path = shop.settings.home.inputs(tomorrow.id) / "purchases.parquet"
        bought = duckdb.execute(f"select customer_id, product_id, ordered_on from read_parquet('{path}')").fetchall()
    # Anna's return of 1 February is no purchase.
    assert bought == [
        ("anna", "p1", date(2026, 1, 1)),
        ("ben", "p2", date(2026, 1, 1)),
        ("anna", "p2", DAY),
        ("ben", "p1", NEXT),
    ]
    assert not shop.settings.home.build(tomorrow.id).exists()
    assert not apart.home.warehouse.exists()
    warehouse.features(shop.settings, TODAY)


def test_what_has_no_source_is_left_out_and_said(settings) -> None:
    shop = SmallHome(replace(settings, sources=("shop",), time_zone="America/New_York", models=()))
    shop.land(
        "order_lines", DAY, [{**line(1, "anna", "2026-01-31 15:00:00", "10.00"), "product_id": None, "store_id": None}]
    )
    warehouse.staging(shop.settings, TODAY)
    warehouse.features(shop.settings, TODAY)
    warehouse.profiles(shop.settings, TODAY)
    columns = set(shop.columns(TODAY, "profiles/customer_profiles"))
    gone = {"price_level", "private_label_share", "category_count", "top_category", "campaigns_received", "age_band"}
    assert not columns & (gone | {"preferred_store_id", "segment_name"})
    assert not columns & {"discount_share", "coupon_share"}, "nothing was ever taken off"
    assert {"customer_id", "as_of", "net_spend", "order_trend", "preferred_weekday"} <= columns
    build_dir = shop.settings.home.build(TODAY.id)
    assert not (build_dir / "features/customer_interests.parquet").exists()
    said = json.loads((build_dir / "profiles/left_out.json").read_text())
    assert {one["table"] for one in said["tables"]} == {
        "customer_interests",
        "customer_keywords",
        "customer_category_next_purchases",
        "places",
        "customer_web_features",
        "web_pages",
        "web_page_moves",
    }
    assert {"table": "customer_profiles", "column": "age_band", "needs": ["customers.age_band"]} in said["columns"]
    assert {"campaign_responder", "top_interest", "segment"} <= {one["tag"] for one in said["tags"]}
    assert "lifecycle" in {row[2] for row in shop.table(TODAY, "profiles/customer_tags")}


def test_segments_join_the_portrait_when_the_home_has_them(shop) -> None:
    segmented = replace(shop.settings, models=("segments",))
    with pytest.raises(MissingPartition, match="huaxiang models --as-of 2026-01-31"):
        warehouse.profiles(segmented, TODAY)
    path = shop.settings.home.build(TODAY.id) / "segments/customer_segments.parquet"
    path.parent.mkdir()
    duckdb.execute(
        "copy (select 'anna' as customer_id, 3::bigint as segment_id, 'frequent' as segment_name, 0.5 as distance,"
        " true as is_outlier, 'orders in 91 days 400.0' as outlier_reason)"
        f" to '{path}' (format parquet)"
    )
    warehouse.profiles(segmented, TODAY)
    assert shop.one(TODAY, "anna", "segment_id", "segment_name", "is_outlier") == (3, "frequent", True)
    assert shop.one(TODAY, "ben", "segment_id") == (None,)


def test_a_step_refuses_what_another_run_left(shop, settings) -> None:
    with pytest.raises(MissingPartition, match="huaxiang staging --as-of 2026-01-31"):
        warehouse.features(settings, TODAY)
    with pytest.raises(MissingPartition, match="holds as_of 2026-01-31"):
        warehouse.features(shop.settings, TOMORROW)
    with pytest.raises(MissingPartition, match="--known-at 2026-02-01"):
        warehouse.profiles(shop.settings, Run(DAY, NEXT))
    warehouse.staging(shop.settings, TODAY)
    with pytest.raises(MissingPartition, match="huaxiang features"):
        warehouse.profiles(shop.settings, TODAY)


def test_a_day_before_every_order_has_no_features(shop) -> None:
    run = Run(date(2025, 12, 31), DAY)
    warehouse.staging(shop.settings, run)
    with pytest.raises(MissingPartition, match="no customer has an order or an event by then"):
        warehouse.features(shop.settings, run)


def test_other_code_makes_the_warehouse_anew(shop) -> None:
    in_warehouse(shop, "create table left_behind (x int)")
    held = shop.settings.home.warehouse / "state.json"
    held.write_text(held.read_text().replace("duckdb-", "duckdb-0"))
    with pytest.raises(MissingPartition, match="changed since"):
        warehouse.features(shop.settings, TODAY)
    warehouse.staging(shop.settings, TODAY)
    with pytest.raises(duckdb.CatalogException):
        warehouse_rows(shop, "left_behind")


def test_a_landed_file_the_ledger_does_not_name_is_refused(shop) -> None:
    path = shop.land("order_lines", DAY, [line(7, "anna", "2026-01-31 15:00:00", "1.00")])
    sorted(shop.settings.home.ledger.glob("*.parquet"))[-1].unlink()
    with pytest.raises(MissingPartition, match=f"{path.name}.*huaxiang landing"):
        warehouse.staging(shop.settings, TODAY)


def test_a_warehouse_that_is_open_elsewhere_is_busy(shop) -> None:
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(shop.settings.home.duckdb_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(HomeBusy, match="another process has it open"):
            warehouse.staging(shop.settings, TODAY)
        other.stdin.close()


def test_a_broken_key_names_test_and_file(shop) -> None:
    shop.land("products", DAY, [{"product_id": "p1", "category": "coffee"}], source="another")
    with pytest.raises(HuaxiangError, match=r"follows_contract_stg_products_products.*stg_products\.yml.*dbt\.log"):
        warehouse.staging(shop.settings, TODAY)
    with pytest.raises(MissingPartition):
        warehouse.features(shop.settings, TODAY)


def test_a_required_column_that_is_empty_is_caught(shop) -> None:
    shop.land("order_lines", DAY, [{**line(7, "anna", "2026-01-31 15:00:00", "1.00"), "order_id": None}])
    with pytest.raises(HuaxiangError, match="follows_contract_stg_order_lines"):
        warehouse.staging(shop.settings, TODAY)


def test_a_broken_tag_stops_the_run_before_anything_is_built(shop, tmp_path: Path) -> None:
    project = tmp_path / "project"
    for folder in ("dbt_project", "contracts", "tags", "features"):
        shutil.copytree(shop.settings.project / folder, project / folder)
    tag = project / "tags" / "lifecycle.yml"
    tag.write_text(tag.read_text().replace("lifecycle_state", "lifecycle_stale"))
    with pytest.raises(BadConfiguration, match=r"lifecycle\.yml.*lifecycle_stale"):
        warehouse.staging(replace(shop.settings, project=project), TODAY)


def test_nothing_is_printed_but_the_steps(shop, capfd) -> None:
    warehouse.profiles(shop.settings, TODAY)
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 1 and out.startswith("profiles"), out
    assert err == ""
    assert "Completed successfully" in (shop.settings.home.logs / "dbt.log").read_text()


def test_dbt_reads_the_project_once_for_all_days_and_anew_for_other_tags(built, shop):
    kept = shop.settings.home.dbt_target / "partial_parse.msgpack"
    read_at = kept.stat().st_mtime_ns
    warehouse.staging(shop.settings, TODAY)  # the home was copied: it is not read in its new place either
    warehouse.staging(shop.settings, TOMORROW)
    assert kept.stat().st_mtime_ns == read_at
    without = replace(shop.settings, session_timeout_minutes=7)
    warehouse.staging(without, TOMORROW)
    assert kept.stat().st_mtime_ns != read_at


def test_a_copied_home_reads_its_own_rows_and_not_those_of_the_home_it_was_read_for(built, shop):
    before = warehouse_rows(built[0], "staging.stg_order_lines")
    shop.land("order_lines", date(2026, 1, 30), [line(9, "anna", "2026-01-30 18:00:00", "3.00")])
    warehouse.staging(shop.settings, TODAY)
    assert len(warehouse_rows(shop, "staging.stg_order_lines")) == len(before) + 1
    compiled = (shop.settings.home.dbt_target / "compiled").rglob("staging/*.sql")
    assert not [path for path in compiled if f"{built[0].settings.home.root}/" in path.read_text()]


def test_a_kept_reading_that_is_damaged_is_read_anew(built, shop):
    kept = shop.settings.home.dbt_target / "partial_parse.msgpack"
    kept.write_bytes(b"half of it")
    warehouse.staging(shop.settings, TODAY)
    assert kept.stat().st_size > 1000
