"""Audience files: what they may say, what is wrong with one, and what they become."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from huaxiang.audiences import build, sql, words
from huaxiang.audiences.language import All, Any, Bounds, Feature, Followed, Happened, HasTag, Not, Pattern
from huaxiang.audiences.preview import overlaps, sized, without_events
from huaxiang.audiences.read import Askable, load_audiences, read_audiences
from huaxiang.errors import BadConfiguration
from tests.unit.test_portable_sql import findings

HEAD = "title: T\ndescription: D\nowner: O\npurpose: P\n"


def askable() -> Askable:
    def column(name: str, type_: str, *needs: str) -> SimpleNamespace:
        return SimpleNamespace(name=name, type=type_, needs=needs)

    columns = (
        column("order_count", "bigint"),
        column("price_level", "double", "products.category"),
        column("age_band", "varchar", "customers.age_band"),
        column("last_order_on", "date"),
        column("seen_at", "timestamp"),
    )
    return Askable(
        tags={"churn_risk": SimpleNamespace(needs=("scores",)), "top_interest": SimpleNamespace(needs=())},
        columns={one.name: one for one in columns},
        values={"churn_risk": ("high", "low"), "top_interest": ()},
    )


def read(folder: Path, **files: str):
    for name, who in files.items():
        (folder / f"{name}.yml").write_text(HEAD + who)
    return {one.name: one for one in read_audiences(folder, askable())}


def refused(folder: Path, who: str, **others: str) -> str:
    with pytest.raises(BadConfiguration) as error:
        read(folder, wrong=who, **others)
    return str(error.value).removeprefix(f"{folder}/")


def test_a_file_becomes_the_conditions_that_it_spells(tmp_path) -> None:
    who = """
who:
  all:
    - tag: churn_risk
      is: high
      confidence_at_least: 0.8
    - not:
        feature: last_order_on
        at_least: 2026-01-01
    - event: purchases
      where: {category: [tea, milk], net_amount: {above: 2.5}}
      last_days: 28
      count: orders
      at_least: 2
    - first: {event: sends, from: 2026-01-01, to: 2026-01-31}
      without: {event: orders}
      within_days: 14
"""
    found = read(tmp_path, some=who)["some"]
    purchases = Pattern(
        "purchases",
        (("category", Bounds(values=("tea", "milk"))), ("net_amount", Bounds(above=Decimal("2.5")))),
        last_days=28,
    )
    sends = Pattern("sends", since=date(2026, 1, 1), until=date(2026, 1, 31))
    assert found.who == All(
        (
            HasTag("churn_risk", ("high",), Decimal("0.8")),
            Not(Feature("last_order_on", "date", Bounds(at_least=date(2026, 1, 1)))),
            Happened(purchases, Bounds(at_least=Decimal(2)), "orders"),
            Followed(sends, Pattern("orders"), 14, is_absent=True),
        )
    )
    assert found.needs == ("order_lines", "products.category", "scores", "sends")


@pytest.mark.parametrize(
    ("who", "message"),
    [
        ("who: {tag: churn_rik}", "wrong.yml:5: 'who.tag' 'churn_rik' is no tag; did you mean 'churn_risk'?"),
        (
            "who:\n  tag: churn_risk\n  is: medium",
            "wrong.yml:7: 'who.is' 'medium' is a value that the tag 'churn_risk' never has; use high, low",
        ),
        (
            "who:\n  tag: churn_risk\n  is: yes",
            "wrong.yml:7: 'who.is' 'True' is not a text (YAML takes yes, no, on and off for true and false); put it in"
            " quotes",
        ),
        (
            "who: {feature: order_cont, above: 1}",
            "wrong.yml:5: 'who.feature' 'order_cont' is no column of the portrait; did you mean 'order_count'?",
        ),
        (
            "who:\n  all:\n    - feature: order_count\n      at_least: many",
            "wrong.yml:8: 'who.all.0.at_least' 'many' is not a number; write a number",
        ),
        (
            "who: {feature: age_band, at_least: 3}",
            "wrong.yml:5: 'who.at_least' is asked of a text, which has no order; use 'is'",
        ),
        (
            "who: {feature: price_level, is: 1.5}",
            "'who.is' asks a measured figure to be exact; use at_least and at_most",
        ),
        ("who: {feature: seen_at, above: 1}", "is of type timestamp, which cannot be compared; ask for 'is_known'"),
        ("who: {feature: order_count}", "'who.feature' asks nothing of it; add is, is_known"),
        ("who: {feature: order_count, at_least: 5, at_most: 3}", "ask for more and for less"),
        ("who: {feature: last_order_on, above: 20260101}", "'20260101' is not a day; write it as 2017-11-30"),
        (
            "who:\n  any: []",
            "wrong.yml:6: 'who.any' is an empty list; write the conditions below it, each with '- '; without any, leave"
            " 'any' out",
        ),
        ("who:\n  tag: top_interest\n  is: []", "wrong.yml:7: 'who.is' is an empty list; name at least one value"),
        (
            "who: {tag: churn_risk, event: sends}",
            "'who' is tag and event at once; make it several conditions under 'all'",
        ),
        ("who: {event: purchase}", "'who.event' 'purchase' is no event; did you mean 'purchases'?"),
        (
            "who: {event: purchases, where: {categry: tea}}",
            "'who.where.categry' 'categry' is no column of purchases; did you mean 'category'?",
        ),
        ("who: {event: purchases, where: {store_id: 7}}", "'who.where.store_id' '7' is not a text; put it in quotes"),
        ("who: {event: sends, count: orders}", "'orders': sends have none; use rows or days"),
        ("who: {event: sends, last_days: 0}", "'0' is not a number of days; write a whole number of at least 1"),
        ("who: {event: sends, last_days: 7, to: 2026-01-01}", "is given beside days; use last_days, or from and to"),
        ("who: {event: sends, from: 2026-02-01, to: 2026-01-01}", "lies after 'to'; exchange the two"),
        (
            "who: {event: purchases, sum: category, above: 1}",
            "'category' is no number of these events; use coupon_amount",
        ),
        ("who: {event: purchases, sum: net_amount}", "'who.sum' has no bound; add one of at_least"),
        ("who: {event: sends, none: true, at_least: 1}", "says 'did not' and stands alone"),
        ("who: {first: {event: sends}}", "is a sequence of one event; add either 'then' or 'without'"),
        ("who: {first: {event: sends}, then: {tag: x}}", "'who.then' is not an event; write it as {event: purchases"),
        ("who: {tag: churn_risk, colour: red}", "'who.colour' does not belong here; use tag, is, confidence_at_least"),
        ("who: {tag: top_interest, is: 'a\\b'}", "holds a backslash or a character that cannot be seen"),
        ("who: [1]", "'who' is not a condition; write one of all, any, not"),
        ("owner: ''\nwho: {tag: churn_risk}", "'owner' is missing or not a text"),
        ("how: 1", "'how' is no key of an audience; did you mean 'who'?"),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_the_mend(tmp_path, who, message) -> None:
    assert message in refused(tmp_path, who)


def test_audiences_that_include_each_other_are_refused(tmp_path) -> None:
    said = refused(tmp_path, "who:\n  not: {audience: other}", other="who: {audience: wrong}")
    assert "wrong.yml:6: the audience includes itself (other -> wrong -> other); leave one" in said


def test_an_included_audience_brings_its_needs(tmp_path) -> None:
    found = read(tmp_path, one="who: {audience: other}", other="who: {event: responses}")
    assert found["one"].needs == ("responses",)
    assert "responded_on" in sql.statement(found["one"], found, date(2026, 1, 31), "select * from portraits")


def test_a_value_cannot_leave_its_quotes(tmp_path) -> None:
    who = """who: {tag: top_interest, is: "x') or ('1' = '1"}"""
    found = read(tmp_path, some=who)["some"]
    statement = sql.statement(found, {}, date(2026, 1, 31), "select * from p")
    assert "value in ('x'') or (''1'' = ''1')" in statement


def test_conditions_are_said_in_words(tmp_path) -> None:
    who = """
who:
  all:
    - {tag: churn_risk, is: [high, low]}
    - {event: purchases, where: {category: tea, is_return: false}, last_days: 28, none: true}
    - not: {event: purchases, sum: net_amount, at_least: 100}
    - {first: {event: sends}, then: {event: orders}, within_days: 1}
"""
    found = read(tmp_path, some=who)["some"]
    assert list(words.lines(words.said(found.who, {"tag:churn_risk": "Likely to stay away"}, "USD"))) == [
        "all of:",
        "  tag “Likely to stay away” is high or low",
        "  no order lines bought (category tea; not return) in the last 28 days",
        "  not:",
        "    order lines bought: net amount together at least $100.00",
        "  campaigns sent, and then orders within 1 day",
    ]


def test_overlap_is_what_two_have_in_common_of_what_either_has() -> None:
    held = {"a": frozenset("123"), "b": frozenset("234"), "c": frozenset("9")}
    assert [(one.one, one.other, one.both, one.jaccard) for one in overlaps(held)] == [("a", "b", 2, 0.5)]
    assert overlaps(held, ["c"]) == []


def test_the_estimate_of_a_sample_has_an_interval() -> None:
    """Of 10 drawn from 100, 5 belong: 50; 3 of 9 steps differ, so the variance is 0.9 * 3 / 180 and its root 0.1225."""
    found = sized(7, 100, [True] * 3 + [False] * 2 + [True] * 2 + [False] * 3)
    assert found.size == 57
    assert (round(found.lowest, 1), round(found.highest, 1)) == (33.0, 81.0)
    nobody = sized(0, 100, [False] * 10)
    assert (nobody.size, nobody.lowest, nobody.highest) == (0, 0, 30)
    everybody = sized(7, 3, [True, False, True])
    assert (everybody.size, everybody.lowest, everybody.highest) == (9, 9, 9)


def test_events_left_aside_make_a_condition_as_false_or_true_as_it_can_be(tmp_path) -> None:
    others = read(
        tmp_path, some="who: {all: [{event: sends}, {tag: churn_risk}]}", other="who: {not: {audience: some}}"
    )
    tag = HasTag("churn_risk")
    assert without_events(others["other"].who, others, True) == Not(All((Any(()), tag)))
    assert without_events(others["other"].who, others, False) == Not(All((All(()), tag)))


def test_the_audiences_of_the_project_can_be_used(settings) -> None:
    assert len(load_audiences(settings)) >= 8


def test_the_statements_of_the_projects_audiences_hold_nothing_that_differs_on_spark(settings) -> None:
    audiences = load_audiences(settings)
    statements = [build.members(one, audiences, date(2026, 1, 31)) for one in audiences]
    assert [found for asked in statements for found in findings(asked)] == []
