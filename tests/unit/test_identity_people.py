"""Links and decisions become people."""

from __future__ import annotations

import random
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from huaxiang.identity.accuracy import measure
from huaxiang.identity.people import Decisions, Id, Link, People, age_order, find_people, strongest_chain

DAY = date(2026, 1, 1)
CRM, SHOP, WEB, APP = Id("crm", "1"), Id("shop", "7"), Id("web", "9"), Id("app", "4")
SOURCES = ("crm", "shop", "web", "app")
FIRST = {CRM: DAY, SHOP: DAY, WEB: DAY + timedelta(days=2), APP: DAY + timedelta(days=3)}


def link(one: Id, other: Id, confidence: float = 1.0, days: int = 0, joins: bool = True, kind: str = "email") -> Link:
    left, right = sorted((one, other))
    return Link(left, right, kind, f"{left}{right}{kind}", confidence, DAY + timedelta(days=days), joins)


def people(links: list[Link], decisions: Decisions = Decisions(), most: int = 20) -> People:  # noqa: B008 (frozen)
    return find_people(age_order(FIRST, SOURCES), links, decisions, most)


def persons(found: People) -> dict[Id, Id]:
    return {one: member.person for one, member in found.members.items()}


def test_a_chain_of_links_is_one_person_with_the_id_of_the_oldest() -> None:
    found = people([link(APP, WEB, 0.995), link(WEB, SHOP)])
    assert persons(found) == {CRM: CRM, SHOP: SHOP, WEB: SHOP, APP: SHOP}
    assert {one: member.confidence for one, member in found.members.items()} == {CRM: 1, SHOP: 1, WEB: 1, APP: 0.995}


def test_of_equally_old_members_the_better_source_and_then_the_smaller_number_counts() -> None:
    same = {Id("shop", "10"): DAY, Id("shop", "9"): DAY, Id("crm", "99"): DAY}
    assert age_order(same, SOURCES) == [Id("crm", "99"), Id("shop", "9"), Id("shop", "10")]


def test_a_link_that_does_not_join_leaves_two_persons() -> None:
    found = people([link(CRM, SHOP, 0.5, joins=False, kind="device")])
    assert persons(found)[SHOP] == SHOP


def test_those_set_apart_are_not_joined_by_a_detour_either() -> None:
    apart = Decisions(apart=((frozenset({WEB}), frozenset({CRM})),))
    found = people([link(CRM, SHOP), link(SHOP, WEB, days=2), link(CRM, WEB, days=2), link(WEB, APP, days=3)], apart)
    assert persons(found) == {CRM: CRM, SHOP: CRM, WEB: WEB, APP: WEB}
    assert found.refused == 2


def test_a_person_that_would_grow_too_large_waits_and_what_stood_before_stands() -> None:
    links = [link(CRM, SHOP), link(SHOP, WEB, days=2), link(APP, WEB, days=3)]
    found = people(links, most=3)
    assert persons(found) == {CRM: CRM, SHOP: CRM, WEB: CRM, APP: APP}
    (waiting,) = found.waiting
    assert waiting.members == (CRM, SHOP, WEB, APP)
    approved = people(links, Decisions(together=(frozenset(waiting.members),)), most=3)
    assert persons(approved)[APP] == CRM
    assert not approved.waiting


def test_the_best_chain_is_the_one_whose_weakest_link_is_strongest() -> None:
    """Directly 0.991; by the shop 0.995 and 0.995, whose product would be less."""
    direct, detour = link(CRM, APP, 0.991), [link(CRM, SHOP, 0.995), link(SHOP, APP, 0.995)]
    assert strongest_chain(CRM, [direct, *detour])[APP] == (0.995, detour[1])


def test_accuracy_of_a_hand_made_case() -> None:
    """Found {a b c} {d}, true {a b} {c d}: 1 of 3 claimed pairs is right, 1 of 2 true pairs is found."""
    found = measure({"a": 1, "b": 1, "c": 1, "d": 2}, {"a": "x", "b": "x", "c": "y", "d": "y"})
    assert found is not None
    assert (found.precision, found.recall) == (0.333333, 0.5)
    # B-cubed precision: a 2/3, b 2/3, c 1/3, d 1; recall: a 1, b 1, c 1/2, d 1/2.
    assert (found.b3_precision, found.b3_recall) == (0.666667, 0.75)
    assert measure({"a": 1}, {}) is None


IDS = [Id(source, str(number)) for source in SOURCES for number in range(3)]


@st.composite
def linked(draw: st.DrawFn) -> tuple[dict[Id, date], list[Link], Decisions]:
    first = {one: DAY + timedelta(days=draw(st.integers(0, 4))) for one in IDS}
    ends = draw(st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS)), max_size=14))
    links = [
        Link(
            *sorted(pair), draw(st.sampled_from(["email", "likeness"])), str(number),
            draw(st.sampled_from([1.0, 0.995])), max(first[one] for one in pair), True,
        )
        for number, pair in enumerate(ends)
        if pair[0] != pair[1]
    ]  # fmt: skip
    groups = st.frozensets(st.sampled_from(IDS), min_size=1, max_size=3)
    one, other = draw(groups), draw(groups)
    return first, links, Decisions(apart=((one - other, other - one),))


@settings(max_examples=60, deadline=None)
@given(linked(), st.integers(0, 1000))
def test_the_order_of_arrival_changes_nothing(case: tuple[dict[Id, date], list[Link], Decisions], seed: int) -> None:
    first, links, decisions = case
    mixed_links, mixed_ids = list(links), list(first.items())
    random.Random(seed).shuffle(mixed_links)
    random.Random(seed).shuffle(mixed_ids)
    found = find_people(age_order(first, SOURCES), links, decisions, 4)
    again = find_people(age_order(dict(mixed_ids), SOURCES), mixed_links, decisions, 4)
    assert found == again


@settings(max_examples=60, deadline=None)
@given(linked())
def test_no_person_is_too_large_or_holds_two_that_were_set_apart(
    case: tuple[dict[Id, date], list[Link], Decisions],
) -> None:
    first, links, decisions = case
    found = find_people(age_order(first, SOURCES), links, decisions, 4)
    groups: dict[Id, set[Id]] = {}
    for one, member in found.members.items():
        groups.setdefault(member.person, set()).add(one)
    for person, group in groups.items():
        assert len(group) <= 4
        assert person == min(group, key=age_order(first, SOURCES).index)
        assert not any(group & one and group & other for one, other in decisions.apart)
