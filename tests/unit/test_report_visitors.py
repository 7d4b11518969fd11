"""Who came to look, on the page of everybody: visits of all portraits are everybody's, or the report stops."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from huaxiang.errors import BrokenConservation
from huaxiang.report.tables import BuildTables
from huaxiang.report.visitors import visitors
from huaxiang.settings import Run

RUN = Run(date(2024, 3, 31), date(2024, 3, 31))
# b bought and never came to look.
PORTRAITS = "(values ('a', 2, 5), ('b', null, null), ('c', 1, 4)) as t (customer_id, session_count, page_view_count)"
FEATURES = """
    (values ('a', 2, 5, 1, 2, 2.5, 0.0, 9.0), ('c', 1, 4, 0, 1, 4.0, 0.0, null))
    as t (customer_id, session_count, page_view_count, session_count_28d, session_count_364d, session_steps_mean,
        bounce_share, dwell_seconds_mean)
"""


def built(settings, portraits: str = PORTRAITS, features: str | None = FEATURES) -> BuildTables:
    build = settings.home.build(RUN.id)
    tables = {"profiles/customer_profiles": portraits, "features/customer_web_features": features}
    for name, rows in tables.items():
        if rows:
            (build / name).parent.mkdir(parents=True)
            duckdb.execute(f"copy (from {rows}) to '{build / name}.parquet' (format parquet)")
    return BuildTables(settings, RUN)


def test_the_visits_of_all_persons_are_everybodys(settings):
    with built(settings) as tables:
        everybody, sums = visitors(tables)
    assert (everybody.visitors, everybody.visits, everybody.pages_seen) == (2, 3, 9)
    assert sums == {"visitors": (2, 2), "visits": (3, 3), "pages_seen": (9, 9)}


def test_events_without_pages_have_visits_and_no_pages(settings):
    without = [text.replace("page_view_count", "other") for text in (PORTRAITS, FEATURES)]
    with built(settings, *without) as tables:
        assert visitors(tables)[1] == {"visitors": (2, 2), "visits": (3, 3)}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (PORTRAITS.replace("('c', 1, 4)", "('c', 1, 4), ('c', 0, 0)"), "visitors of all persons are 3, of everybody 2"),
        (PORTRAITS.replace("'a', 2, 5", "'a', 1, 5"), "visits of all persons are 2, of everybody 3"),
        (PORTRAITS.replace("'a', 2, 5", "'a', 2, 6"), "pages seen of all persons are 10, of everybody 9"),
    ],
)
def test_a_portrait_that_lost_or_doubled_a_visit_is_named(settings, broken, said):
    with built(settings, broken) as tables, pytest.raises(BrokenConservation, match=said):
        visitors(tables)


def test_a_home_without_events_has_no_visitors(settings):
    with built(settings, features=None) as tables:
        assert visitors(tables) is None
