"""Who stays, as the page says it: the same customers compared, the curve at a day, silence where nothing is known."""

from datetime import date

import duckdb
import pytest

from huaxiang.report import retention, retention_charts
from huaxiang.report.retention import Cohort, Stay
from huaxiang.report.tables import BuildTables
from huaxiang.settings import Run

RUN = Run(date(2026, 3, 31), date(2026, 3, 31))
# January: 4, 3 and 1 of 4 customers; February: 2 and 1 of 2; March: the month itself.
COHORTS = """
    (values (date '2026-01-01', 0, 4, 4), (date '2026-01-01', 1, 4, 3), (date '2026-01-01', 2, 4, 1),
        (date '2026-02-01', 0, 2, 2), (date '2026-02-01', 1, 2, 1), (date '2026-03-01', 0, 9, 9))
    as t (cohort_month, months_since, customers, active_customers)
"""
CURVE = """
    (values ('all', 40, 50, 0, 1e0, null, null), ('all', 92, 40, 1, 75e-2, 5e-1, 9e-1),
        ('all', 150, 3, 0, 75e-2, 5e-1, 9e-1), ('all', 170, 2, 1, 375e-3, 1e-1, 6e-1),
        ('all', 200, 1, 0, 375e-3, 1e-1, 6e-1),
        ('lowest third', 92, 30, 3, 9e-1, 8e-1, 95e-2), ('lowest third', 190, 9, 0, 9e-1, 8e-1, 95e-2),
        ('highest third', 190, 29, 0, 1e0, null, null))
    as t (first_day_spend, days_since_first_order, customers_at_risk, lapsed_customers, staying_share,
        staying_share_low, staying_share_high)
"""


def built(settings, **tables: str) -> BuildTables:
    """A build with these tables, given as SQL."""
    build = settings.home.build(RUN.id)
    for name, rows in {"customer_profiles": "(select 'a' as customer_id)", **tables}.items():
        folder = build / ("profiles" if name == "customer_profiles" else "features")
        folder.mkdir(parents=True, exist_ok=True)
        duckdb.execute(f"copy (select * from {rows}) to '{folder / name}.parquet' (format parquet)")
    return BuildTables(settings, RUN)


def test_the_same_customers_are_compared_between_two_months(settings):
    with built(settings, retention_cohorts=COHORTS) as tables:
        found = retention.cohorts(tables)
    assert found == (Cohort(date(2026, 1, 1), 4, (4, 3, 1)), Cohort(date(2026, 2, 1), 2, (2, 1)))
    assert retention.pooled(found, 1) == 4 / 6
    # February has no second month yet, so its customers are in neither figure.
    assert retention.said_of_cohorts(found) == (
        "Of 4 customers who ordered first in January 2026, "
        "75 % ordered in the month after and 25 % in the second month."
    )
    assert retention.said_of_cohorts(found[1:]) == (
        "Of 2 customers who ordered first in February 2026, 50 % ordered in the month after."
    )


def test_the_share_of_a_day_is_that_of_the_last_lapse_before_it(settings):
    with built(settings, survival_curve=CURVE) as tables:
        curves = retention.survival(tables)
    # The highest third holds fewer than 30 customers.
    assert curves == {
        "all": (
            Stay(0, 1, 1, 1), Stay(92, 0.75, 0.5, 0.9), Stay(170, 0.375, 0.1, 0.6), Stay(200, 0.375, 0.1, 0.6),
        ),
        "lowest third": (Stay(0, 1, 1, 1), Stay(92, 0.9, 0.8, 0.95), Stay(190, 0.9, 0.8, 0.95)),
    }  # fmt: skip
    assert retention.said_of_survival(curves) == (
        "Half a year after their first order, 37.5 % (10.0 to 60.0) had never been away for more than 91 days. "
        "After 200 days, as long as this home has seen, it is 37.5 % (10.0 to 60.0)."
    )
    short = {"all": curves["all"][:2]}
    assert retention.said_of_survival(short) == (
        "92 days after their first order, 75.0 % (50.0 to 90.0) had never been away for more than 91 days."
    )


def test_two_thirds_are_told_apart_on_a_day_that_all_have_reached(settings):
    with built(settings, survival_curve=CURVE.replace("190, 29,", "160, 30,")) as tables:
        text = retention.said_of_survival(retention.survival(tables))
    assert text.startswith("160 days after their first order, 75.0 % (50.0 to 90.0) had never")
    assert "days: 90.0 % (80.0 to 95.0) of the third that spent least on that first day, 100.0 % (100.0 to" in text


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {
            "retention_cohorts": f"(select * from {COHORTS} where months_since = 0)",
            "survival_curve": f"(select * from {CURVE} where days_since_first_order = 40)",
        },
    ],
)
def test_where_nothing_can_be_said_yet_nothing_is(settings, tables):
    with built(settings, **tables) as made:
        assert (retention.cohorts(made), retention.survival(made)) == ((), {})


def test_every_cell_of_the_heat_map_says_of_how_many(settings):
    with built(settings, retention_cohorts=COHORTS, survival_curve=CURVE) as tables:
        drawn = retention_charts.heat_map(retention.cohorts(tables))
        curve = retention_charts.survival(retention.survival(tables))
    assert "January 2026, month 2: 1 of 4" in drawn and "February 2026, month 1: 1 of 2" in drawn
    assert "February 2026, month 2" not in drawn
    assert "from 100 % to 37.5 % after 200 days" in curve
