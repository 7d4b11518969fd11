"""Forecasts of next purchases are judged on what came, by hand: powers of two, so that logarithms are whole."""

import json
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from huaxiang.dbt_numbers import numbers
from huaxiang.errors import BadConfiguration
from huaxiang.judging import next_purchases
from huaxiang.judging.resampling import of_clusters
from huaxiang.settings import PROJECT
from huaxiang.tracking.promotion import Interval

AS_OF = date(2026, 1, 31)
FIRST = date(2026, 1, 4)  # of the 28 days
MODEL = next_purchases.Numbers(weight=6, least=4, spreads=1.2)


def purchases(connection: duckdb.DuckDBPyConnection, gaps_of: dict[str, list[int]], ends: dict[str, date]) -> None:
    """Table `features.customer_category_days`: tea, with these gaps between the days, the last on `ends`."""
    connection.execute("create schema features")
    connection.execute(
        "create table features.customer_category_days"
        " (customer_id varchar, category varchar, ordered_on date, purchase_count bigint)"
    )
    rows = [
        (customer, "tea", ends[customer] - timedelta(days=sum(gaps[place:])), 1)
        for customer, gaps in gaps_of.items()
        for place in range(len(gaps) + 1)
    ]
    connection.executemany("insert into features.customer_category_days values (?, ?, ?, ?)", rows)


def test_a_gap_is_foretold_from_what_came_before_it() -> None:
    """Before the window: four gaps of 4 (2^2) and four of 16 (2^4), so the category's mean is 2^3, its variance 1.

    c1: (4 * 2 + 6 * 3) / 10 = 2.6, 2^2.6 = 6.06, 1.2 spreads of sqrt(6 / 10) to 3.2 and 11.6; with a gap of 4 more
    28 / 11 = 2.545, 2^2.545 = 5.8. c2: 2^3.4 = 10.6, from 5.5 to 20.1. c3 has three gaps only, all in the window.
    """
    with duckdb.connect() as connection:
        gaps = {"c1": [4] * 6, "c2": [16] * 4 + [20], "c3": [2, 2, 2]}
        purchases(connection, gaps, {"c1": date(2026, 1, 8), "c2": date(2026, 1, 20), "c3": date(2026, 1, 12)})
        connection.execute("insert into features.customer_category_days values ('c2', 'tea', date '2026-02-01', 1)")
        days = "features.customer_category_days"
        found = connection.execute(
            "select customer_id, ordered_on, gap, category_median, category_latest, expected, earliest, latest"
            f" from ({next_purchases.foretold(days, FIRST, AS_OF + timedelta(days=1), MODEL)}) order by all"
        ).fetchall()
    assert found == [
        ("c1", date(2026, 1, 4), 4, 10.0, 16, 6.0, 3.0, 12.0),
        ("c1", date(2026, 1, 8), 4, 10.0, 16, 6.0, 3.0, 11.0),
        ("c2", date(2026, 1, 20), 20, 10.0, 16, 11.0, 6.0, 20.0),
    ]


def card_of(last_gap_of_quick: int, last_gap_of_slow: int, customers: int = 40) -> dict | None:
    """The card of customers who came five times every 4 or every 16 days, and then once more after these days."""
    quick = {f"q{number}": [4] * 5 + [last_gap_of_quick] for number in range(customers // 2)}
    slow = {f"s{number}": [16] * 5 + [last_gap_of_slow] for number in range(customers // 2)}
    with duckdb.connect() as connection:
        # Gaps of 16 begin before the window as well: all but the last end before it.
        ends = {name: date(2026, 1, 3) + timedelta(days=gaps[-1]) for name, gaps in (quick | slow).items()}
        purchases(connection, quick | slow, ends)
        return next_purchases.card(connection, AS_OF, MODEL)


def test_customers_with_a_rhythm_of_their_own_make_the_forecast_better_than_the_category() -> None:
    """Foretold are 6 and 11 days: 2^((5 * 2 + 6 * 3) / 11) and 2^((5 * 4 + 6 * 3) / 11). The category says 10. So the
    forecast is 2 and 5 days off, the category 6 days both times."""
    said = card_of(4, 16)
    assert said is not None
    figures = said["metrics"]
    assert (figures["customers"], figures["gaps"]) == (40, 40)
    assert (figures["error_days"], figures["baseline_error_days"], figures["error_days_gain"]) == (3.5, 6.0, 2.5)
    assert 0 < figures["error_days_gain_low"] < 2.5 < figures["error_days_gain_high"]
    assert said["notes"][0] == "the interval of 80 % held 100.0 % of these purchases (100.0 to 100.0)"


def test_a_change_of_rhythm_is_seen_on_the_same_day() -> None:
    """The quick ones become slow: 16 days in place of 6, where the category says 10; and the slow ones quick."""
    said = card_of(16, 4)
    assert said is not None
    assert said["metrics"]["error_days_gain"] == -2.5
    assert said["metrics"]["error_days_gain_high"] < 0
    assert said["metrics"]["latest_loss_days_gain_high"] < 0


def test_of_few_customers_nothing_is_said_and_an_older_card_goes(tmp_path: Path) -> None:
    assert card_of(4, 16, customers=28) is None
    with duckdb.connect() as connection:
        purchases(connection, {"c1": [4] * 6}, {"c1": AS_OF})
        (tmp_path / next_purchases.FILE).write_text(json.dumps({"model": "next_purchases"}))
        next_purchases.write(connection, AS_OF, PROJECT, tmp_path)
    assert not (tmp_path / next_purchases.FILE).exists()


def test_the_interval_of_a_mean_is_that_of_customers_not_of_rows() -> None:
    """Two rows of 1 each, and two of 2: the mean is 1.5. Deviations 2 - 3 and 4 - 3, squared and added 2, times 2 / 1:
    sqrt(4) * 1.96 / 4 = 0.98."""
    assert of_clusters([2, 4], [2, 2]) == Interval(1.5, 0.520018, 2.479982)


def test_the_numbers_are_those_of_the_dbt_model() -> None:
    assert next_purchases.of_project(PROJECT) == MODEL
    with pytest.raises(BadConfiguration, match=r"next_purchases\.sql: no macro 'days_of_log' that is one number"):
        numbers(PROJECT, "next_purchases", "days_of_log")
