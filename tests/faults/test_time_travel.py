"""A past day can be made again: single people against a plain computation, a whole release against its hashes."""

import json
import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from huaxiang import lease, release, warehouse
from huaxiang.errors import BrokenConservation, MissingPartition
from huaxiang.landing.ledger import landed_path
from huaxiang.release import publication
from huaxiang.settings import Run
from huaxiang.tables import RELEASED
from huaxiang.timetravel import errata, portraits
from huaxiang.timetravel.portrait_text import as_json, as_text
from huaxiang.timetravel.reproduce import Reproduction, _compare, reproduce
from huaxiang.timetravel.reproduce import as_text as said_of
from tests.faults.past_shop import CUSTOMERS, DAYS, FIRST, drop, known, landed, made_up_lines, shop_at

pytestmark = [pytest.mark.faults, pytest.mark.dbt, pytest.mark.slow]

LAST = FIRST + timedelta(DAYS - 1)
DAY = FIRST + timedelta(40)


def files_of(settings):
    """Every file of the home with its content, but logs."""
    root = settings.home.root
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and settings.home.logs not in path.parents
    }


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    """All drops of the shop, landed in one go at the end."""
    settings = shop_at(tmp_path_factory.mktemp("past"))
    lines = made_up_lines(seed=7)
    drop(settings, lines)
    landed(settings, LAST + timedelta(60))
    return settings, lines


def test_a_hundred_people_are_shown_as_they_were_known_then(past):
    settings, lines = past
    before = files_of(settings)
    draw = random.Random(11)
    runs = [Run(DAY, DAY), Run(DAY, DAY + timedelta(6)), Run(LAST, LAST), Run(FIRST + timedelta(3), LAST)]
    checked, changed_later = 0, 0
    for run in runs:
        with portraits.computed(settings, run) as build:
            for who in draw.sample([f"c{number}" for number in range(CUSTOMERS)], 25):
                expected = known(lines, run, who)
                checked += 1
                if expected is None:
                    with pytest.raises(MissingPartition, match=r"no order by|not known"):
                        portraits.read(settings, run, build, [who])
                    continue
                [shown] = portraits.read(settings, run, build, [who])
                assert {name: shown.profile[name] for name in expected} == expected, (run, who)
                changed_later += known(lines, replace(run, known_at=LAST + timedelta(60)), who) != expected
    assert checked == 100
    assert changed_later >= 10  # late rows are among what is tested
    assert files_of(settings) == before


def publish(settings, run):
    """The words from staging to release without models and gates, whose results are written by hand."""
    lease.begin(settings, run)
    errata.record(settings)
    for word in (warehouse.staging, warehouse.features, warehouse.profiles):
        word(settings, run)
    gates = settings.home.build(run.id) / "gates"
    gates.mkdir()
    for suite in ("landing", "profiles"):
        (gates / f"{suite}.json").write_text(json.dumps({"checks": []}))
    return release.publish(settings, run)


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A day released; then a drop of an earlier load day comes late and the day is published again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publication, "_track", lambda *_: None)
        settings = shop_at(tmp_path_factory.mktemp("released"))
        lines = [one for one in made_up_lines(seed=3) if one.loaded_on <= DAY]
        late_day = DAY - timedelta(5)
        late = [one for one in lines if one.loaded_on == late_day]
        drop(settings, [one for one in lines if one.loaded_on < DAY - timedelta(20)])
        landed(settings, DAY - timedelta(20))
        drop(settings, [one for one in lines if one.loaded_on != late_day])
        landed(settings, DAY)
        first = publish(settings, Run(DAY, DAY))
        drop(settings, late)
        landed(settings, DAY)
        second = publish(settings, Run(DAY, DAY))
        yield settings, lines, late, first, second


def test_a_release_is_made_again_from_raw_bytes_as_it_was_known(released):
    settings, _, _, first, second = released
    before = files_of(settings)
    assert first.manifest["inputs"]["ledger_call"] < second.manifest["inputs"]["ledger_call"]
    made = reproduce(settings, first.id)
    assert made.is_equal, said_of(made)
    assert {one.table for one in made.tables} == set(first.manifest["tables"])
    assert "this very code" in said_of(made)
    assert files_of(settings) == before


def test_a_table_that_differs_is_told_with_its_rows(released):
    _, _, late, first, second = released
    # The later release beside the earlier one's manifest: what the late drop changed must be seen.
    compared = [_compare(first, second.path, table) for table in RELEASED]
    made = Reproduction(first, 2, {"hash": "x"}, tuple(one for one in compared if one), 0)
    assert not made.is_equal
    differing = next(one for one in made.tables if one.table == "customer_profiles")
    rows, of_key = differing.difference.split("; ")
    assert rows.endswith("rows made")
    assert of_key.endswith("rows differ")
    assert int(of_key.split()[0]) >= len({one.who for one in late})
    assert "not this code (code x)" in said_of(made)


def test_raw_bytes_that_have_changed_are_named_by_their_drop(released):
    settings, _, _, _, second = released
    path = next(iter(sorted(settings.home.raw.iterdir())))
    kept = path.read_bytes()
    path.write_bytes(kept + b"\n")
    try:
        with pytest.raises(BrokenConservation, match=r"shop/(sales|products)_.*no longer hash"):
            reproduce(settings, second.id)
    finally:
        path.write_bytes(kept)
    assert not list(settings.home.root.glob(".timetravel-*"))


def test_a_late_drop_gives_the_earlier_release_an_erratum(released):
    settings, _, late, first, second = released
    [told] = errata.read(settings, first.id)
    assert told.files == (f"shop/sales_{late[0].loaded_on}.csv",)
    assert told.rows == len(late)
    assert told.customers == len({one.who for one in late})
    assert set(told.days) == {str(one.ordered_on) for one in late}
    [shown] = errata.with_corrections(settings)
    assert (shown.release.id, shown.corrected_by) == (first.id, second.id)
    assert errata.record(settings) == 0
    assert not errata.read(settings, second.id)


def test_a_person_is_read_from_a_release_that_knows_all(released):
    settings, lines, late, _, second = released
    run, who = Run(DAY, DAY), late[0].who
    shown = portraits.show(settings, run, [who])
    expected = known(lines, run, who)
    assert shown.release_id == second.id
    assert shown.portraits[0].profile["net_spend"] == expected["net_spend"]
    text = as_text(shown, "USD")
    assert text.splitlines()[0] == f"as of {DAY}, known at {DAY}: from release {second.id}"
    assert f"{expected['net_spend']:,.2f}" in text
    assert json.loads(as_json(shown))["customers"][0]["profile"]["net_spend"] == str(expected["net_spend"])


def test_a_customer_known_later_is_told_since_when(past):
    settings, lines = past
    run = Run(FIRST, FIRST)
    who = next(f"c{number}" for number in range(CUSTOMERS) if known(lines, run, f"c{number}") is None)
    first = min(one.ordered_on for one in lines if one.who == who)
    said = portraits._unknown(settings, run, who, 1)
    assert f"the first order is of {first}" in said
    assert f" {who} " not in said


def test_no_landed_row_hides_from_its_ledger_row(released):
    settings, *_ = released
    from huaxiang.landing.ledger import ACCEPTED, read_ledger

    rows = [row for row in read_ledger(settings) if row.outcome == ACCEPTED and row.records]
    assert rows
    assert all(landed_path(settings.home, row).exists() for row in rows)


def test_a_release_that_is_gone_is_named(released):
    with pytest.raises(MissingPartition, match="no release"):
        reproduce(released[0], f"{date(2020, 1, 1)}-0000000000")
