"""Three levels of one portrait, and the moves between segments: what does not add up stops the report."""

from datetime import date
from decimal import Decimal

import duckdb
import pytest

from huaxiang.errors import BrokenConservation
from huaxiang.report import flows, levels, moves
from huaxiang.report.flows import Flow
from huaxiang.report.tables import BuildTables
from huaxiang.settings import Run

RUN = Run(date(2024, 3, 31), date(2024, 3, 31))
PROFILES = """
    (values ('a', 1, 2, 3, 1.10::decimal(18, 2)), ('b', 1, 1, 1, 0.05), ('c', 2, 4, 4, 2.00))
    as t (customer_id, segment_id, order_count, line_count, net_spend)
"""
LEVELS = """
    (values ('population', 'all', 3, 7, 8, 3.15::decimal(18, 2)), ('segment', '1', 2, 3, 4, 1.15),
        ('segment', '2', 1, 4, 4, 2.00))
    as t (level, group_id, customers, orders, order_lines, net_spend)
"""
SIZES = "(values (1, 'small', 2), (2, 'large', 1)) as t (segment_id, segment_name, customer_count)"
# a came from segment 2 since two features moved; b is new; d, who was in segment 1, is gone.
MOVES = """
    (values ('a', 1, 2, 'large', 1, 'small', 'order_count_91d', 6.0, 4.0, 'feature moved'),
        ('a', 2, 2, 'large', 1, 'small', 'basket_net_mean', 10.0, 12.5, 'feature moved'),
        ('b', 1, null, null, 1, 'small', null, null, null, 'new customer'),
        ('d', 1, 1, 'small', null, null, null, null, null, 'left'))
    as t (customer_id, rank, from_segment, from_name, to_segment, to_name, feature, before, after, how)
"""
SINCE = {"as_of": "2024-03-30", "customers": {"1": 1, "2": 2}}


def built(settings, **tables: str) -> BuildTables:
    """A build with these tables, given as SQL."""
    build = settings.home.build(RUN.id)
    folders = {"customer_profiles": "profiles", "portrait_levels": "profiles", "customer_tags": "profiles"}
    for name, rows in tables.items():
        folder = build / folders.get(name, "segments")
        folder.mkdir(parents=True, exist_ok=True)
        as_of = "date '2024-03-31' as as_of, " if name in folders else ""
        duckdb.execute(f"copy (select {as_of}* from {rows}) to '{folder / name}.parquet' (format parquet)")
    return BuildTables(settings, RUN)


def test_persons_and_segments_add_up_to_everybody(settings):
    with built(settings, customer_profiles=PROFILES, portrait_levels=LEVELS) as tables:
        made = levels.levels(tables)
    assert made.population == made.persons == made.together == levels.Totals("all", 3, 7, 8, Decimal("3.15"))
    assert [one.group_id for one in made.segments] == ["1", "2"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (LEVELS.replace("8, 3.15", "8, 3.16"), "net spend of all persons are 3.15, of everybody 3.16"),
        (LEVELS.replace("4, 4, 2.00", "5, 4, 2.00"), "orders of all segments are 8, of everybody 7"),
        (LEVELS.replace("'segment', '2', 1,", "'segment', '2', 2,"), "customers of all segments are 4, of everybody 3"),
    ],
)
def test_a_level_that_does_not_add_up_is_named(settings, broken, said):
    tables = built(settings, customer_profiles=PROFILES, portrait_levels=broken)
    with tables, pytest.raises(BrokenConservation, match=said):
        levels.levels(tables)


def test_a_home_without_segments_has_two_levels(settings):
    everybody = LEVELS.split("), (")[0] + ")) as t (level, group_id, customers, orders, order_lines, net_spend)"
    with built(settings, customer_profiles=PROFILES, portrait_levels=everybody) as tables:
        assert levels.levels(tables).together is None


def test_a_tag_is_counted_for_everybody_and_each_segment(settings):
    tags = """
        (values ('a', 'lifecycle', 'active', 'rule'), ('b', 'lifecycle', 'new', 'rule'),
            ('c', 'lifecycle', 'active', 'rule'))
        as t (customer_id, tag, value, source)
    """
    with built(settings, customer_profiles=PROFILES, customer_tags=tags) as tables:
        [spread] = levels.spreads(tables)
    assert (spread.title, dict(spread.values)) == ("Lifecycle", {"active": 2, "new": 1})
    assert spread.by_segment == {1: {"active": 1, "new": 1}, 2: {"active": 1}}


def test_then_less_gone_and_come_make_now(settings):
    with built(settings, customer_profiles=PROFILES, segments=SIZES, segment_moves=MOVES) as tables:
        found = moves.balances(tables, moves.moves(tables), SINCE)
        with pytest.raises(BrokenConservation, match="1 customers then, 1 gone and 1 come do not make the 2"):
            moves.balances(tables, moves.moves(tables)[1:], SINCE)
    assert [(one.name, one.then, one.gone, one.come, one.now) for one in found] == [
        ("small", 1, 1, 2, 2),
        ("large", 2, 1, 0, 1),
    ]


def test_a_move_is_told_with_its_features_before_and_after(settings):
    with built(settings, customer_profiles=PROFILES, segment_moves=MOVES) as tables:
        moved = moves.moves(tables)
    assert moves.sentence(moved[0], "EUR") == (
        "was in “large”: Orders, 91 days fell from 6 to 4 and Average basket rose from €10.00 to €12.50"
    )
    assert [(one.why, one.customers, one.figures) for one in moves.reasons(moved, "EUR")] == [
        ("Orders, 91 days fell and Average basket rose", 1, "6 → 4; €10.00 → €12.50"),
        ("first order since then", 1, ""),
        ("no longer among the customers", 1, ""),
    ]
    assert moves.flows(moved) == (
        Flow("large", "small", 1),
        Flow("new customers", "small", 1),
        Flow("small", "no longer there", 1),
    )


def test_both_sides_of_the_picture_add_up_and_heights_follow_the_customers():
    flowing = (Flow("a", "b", 30), Flow("a", "c", 10), Flow("b", "c", 20))
    left, right = flows.nodes(flowing, "source", 120), flows.nodes(flowing, "target", 120)
    assert [(node.name, node.customers, node.height) for node in left] == [("a", 40, 80), ("b", 20, 40)]
    assert [(node.name, node.customers, node.height) for node in right] == [("b", 30, 60), ("c", 30, 60)]
    assert flows.picture((), "nothing") == ""


def test_the_picture_escapes_names():
    assert "<script>" not in flows.picture((Flow("<script>", "b", 1),), "moves")
