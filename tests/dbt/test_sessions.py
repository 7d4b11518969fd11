"""Visits on a small home of events alone, through real dbt on DuckDB: late events, increments, and what is left out."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from huaxiang import warehouse
from huaxiang.settings import Run, load_settings
from huaxiang.tables import Home
from huaxiang.warehouse import state
from tests.dbt.small_home import DAY, NEXT, SmallHome

pytestmark = pytest.mark.dbt

TODAY, TOMORROW = Run(DAY, DAY), Run(NEXT, NEXT)


def event(number: int, customer: str, at: str, page: str) -> dict:
    return {"event_id": f"e{number}", "customer_id": customer, "occurred_at": at, "event_type": "view", "page": page,
            "is_timed": True}  # fmt: skip


def build(shop: SmallHome, run: Run) -> None:
    warehouse.staging(shop.settings, run)
    warehouse.features(shop.settings, run)
    warehouse.profiles(shop.settings, run)


def rows(shop: SmallHome, query: str) -> list[tuple]:
    with state.reading(shop.settings) as connection:
        return connection.execute(query).fetchall()


SESSIONS = (
    "select customer_id, session_id, event_count, dwell_seconds, day_fingerprint from features.sessions order by 1, 2"
)


@pytest.fixture(scope="module")
def shops(tmp_path_factory) -> tuple[SmallHome, list[tuple], list[tuple]]:
    """Anna comes twice on DAY and ben over midnight; a day later come an event that anna's phone had kept, between her
    two visits and far from both, and another visit. Sessions of the first day's run and of the next."""
    home = tmp_path_factory.mktemp("web")
    settings = replace(
        load_settings(), home=Home(home), inbox=home / "inbox", sources=("web",), time_zone="UTC", models=()
    )
    shop = SmallHome(settings)
    shop.land(
        "events",
        DAY,
        [
            event(1, "anna", "2026-01-31 10:00:00", "home"),
            event(2, "anna", "2026-01-31 10:05:00", "tea"),
            event(3, "anna", "2026-01-31 18:00:00", "home"),
            event(4, "ben", "2026-01-31 23:50:00", "home"),
        ],
        source="web",
    )
    build(shop, TODAY)
    first = rows(shop, SESSIONS)
    shop.land(
        "events",
        NEXT,
        [
            event(5, "anna", "2026-01-31 14:00:00", "milk"),
            event(6, "ben", "2026-02-01 00:10:00", "tea"),
            event(7, "anna", "2026-02-01 09:00:00", "home"),
        ],
        source="web",
    )
    build(shop, TOMORROW)
    return shop, first, rows(shop, SESSIONS)


def test_late_events_beyond_the_timeout_leave_visits_as_they_were(shops) -> None:
    _, first, then = shops
    assert [row[:4] for row in first] == [("anna", "@e1", 2, 300), ("anna", "@e3", 1, None), ("ben", "@e4", 1, None)]
    assert [row[:4] for row in then] == [
        ("anna", "@e1", 2, 300), ("anna", "@e3", 1, None), ("anna", "@e5", 1, None), ("anna", "@e7", 1, None),
        ("ben", "@e4", 2, 1200),
    ]  # fmt: skip


def test_every_event_is_in_exactly_one_visit(shops) -> None:
    shop, _, then = shops
    assert sum(row[2] for row in then) == 7
    assert rows(shop, "select count(*), count(distinct event_id) from features.session_events") == [(7, 7)]


def test_the_next_day_equals_a_full_rebuild_of_the_visits(shops, tmp_path: Path) -> None:
    shop, _, then = shops
    shutil.copytree(shop.settings.home.root, tmp_path / "home")
    rebuilt = SmallHome(replace(shop.settings, home=Home(tmp_path / "home")))
    shutil.rmtree(rebuilt.settings.home.warehouse)
    build(rebuilt, TOMORROW)
    assert rows(rebuilt, SESSIONS) == then


def test_a_home_of_events_alone_tells_visits_and_leaves_orders_out(shops) -> None:
    shop, _, _ = shops
    folder = shop.settings.home.build(TOMORROW.id)
    assert shop.one(TOMORROW, "anna", "session_count", "session_count_7d", "visit_recency_days", "bounce_share") == (
        4, 4, 0, 0.75
    )  # fmt: skip
    assert shop.one(TOMORROW, "ben", "last_visit_on", "page_view_count", "dwell_seconds_mean") == (NEXT, 2, 1200.0)
    columns = set(shop.columns(TOMORROW, "profiles/customer_profiles"))
    assert not columns & {"order_count", "net_spend", "top_category", "age_band", "segment_id"}
    assert not (folder / "features" / "customer_features.parquet").exists()
    tags = duckdb.execute(f"select distinct tag from '{folder}/profiles/customer_tags.parquet'").fetchall()
    assert ("visit_depth",) in tags and ("value_tier",) not in tags
    missing = json.loads((folder / "profiles" / "left_out.json").read_text())
    assert {"table": "customer_features", "needs": ["order_lines"]} in missing["tables"]


def test_what_came_after_the_day_is_not_seen(shops) -> None:
    shop, _, _ = shops
    early = Run(date(2026, 1, 31), NEXT)
    build(shop, early)
    assert shop.one(early, "ben", "session_count", "page_view_count", "dwell_seconds_mean") == (1, 1, None)
    build(shop, TOMORROW)
