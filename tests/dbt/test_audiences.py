"""Audiences on real rows: 500 random ones are found as plain Python finds them; they are released and previewed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import duckdb
import pytest
import yaml

from huaxiang import landing, lease, warehouse
from huaxiang.audiences import build, text
from huaxiang.audiences.preview import preview
from huaxiang.audiences.read import load_askable, load_audiences, read_audiences
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.simulate import simulate
from huaxiang.tables import Home
from huaxiang.warehouse import state
from tests.audience_language import Dice, holds, spelled
from tests.dbt.audience_world import read_world

pytestmark = pytest.mark.dbt

DAY = date(2017, 11, 30)
TODAY = Run(DAY, DAY)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Settings:
    """150 real households and 60 days, up to the portraits, without models."""
    root = tmp_path_factory.mktemp("audiences")
    settings = replace(load_settings(), home=Home(root / "home"), inbox=root / "inbox", models=())
    simulate(settings, "complete_journey", DAY, since=date(2017, 10, 2), customers=150)
    for drop in settings.inbox.glob("**/promotions_*"):
        drop.unlink()
    with lease.hold(settings, "landing"):
        lease.begin(settings, TODAY)
        landing.land(settings, TODAY)
    warehouse.staging(settings, TODAY)
    warehouse.features(settings, TODAY)
    warehouse.profiles(settings, TODAY)
    return settings


def test_500_random_audiences_hold_whom_plain_python_finds(home, tmp_path) -> None:
    askable, own = load_askable(home), load_audiences(home)
    for one in own:
        (tmp_path / one.path.name).write_text(one.path.read_text())
    with state.reading(home) as connection:
        ids = [row[0] for row in connection.execute("select customer_id from profiles.customer_profiles").fetchall()]
        world = read_world(connection, DAY, askable, own, ids)
        dice = Dice(Random(20171130), world)
        asked = {f"random_{number}": dice.condition() for number in range(500)}
        for name, condition in asked.items():
            said = {"title": "T", "description": "D", "owner": "O", "purpose": "P", "who": spelled(condition)}
            (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(said, sort_keys=False))
        read = {one.name: one for one in read_audiences(tmp_path, askable)}
        divided = 0
        for name, condition in asked.items():
            assert read[name].who == condition
            query = build.members(read[name], list(read.values()), DAY)
            found = sorted(row[0] for row in connection.execute(query).fetchall())
            assert found == sorted(one for one in ids if holds(condition, one, world)), spelled(condition)
            divided += 0 < len(found) < len(ids)
    assert divided > 250  # most are true of some and false of others


def test_audiences_are_released_with_the_portraits(home) -> None:
    path = home.home.build(TODAY.id) / "audiences" / "customer_audiences.parquet"
    with duckdb.connect() as connection:
        rows = connection.execute(f"select audience, customer_id from read_parquet('{path}')").fetchall()
    assert rows == sorted(set(rows))
    assert {"baby_households", "fresh_food_fans", "silent_after_campaign"} <= {row[0] for row in rows}
    missing = json.loads((path.parent / build.LEFT_OUT).read_text())
    assert {one["audience"]: one["needs"] for one in missing}["valuable_and_slipping"] == ["scores"]


def test_a_preview_tells_size_overlap_and_what_no_event_has(home, tmp_path) -> None:
    head = "title: T\ndescription: D\nowner: O\npurpose: P\n"
    for name, category in (("milk", "FLUID MILK PRODUCTS"), ("misspelled", "FLUID MILK")):
        Path(tmp_path, f"{name}.yml").write_text(f"{head}who: {{event: purchases, where: {{category: {category}}}}}")
    Path(tmp_path, "all.yml").write_text(f"{head}who: {{event: orders}}")
    audiences = read_audiences(tmp_path, load_askable(home))
    found = preview(home, TODAY, audiences, [])
    size = {one.audience.name: one.size for one in found.shown}
    assert size["all"] == found.customers > size["milk"] > size["misspelled"] == 0
    assert [(pair.one, pair.other, pair.both) for pair in found.overlaps] == [("all", "milk", size["milk"])]
    assert found.overlaps[0].jaccard == size["milk"] / found.customers
    said = text.previewed(found, {}, "USD")
    assert "misspelled: no event has category FLUID MILK; is it spelled otherwise?" in said
    with pytest.raises(HuaxiangError, match="there is no audience 'mlik'"):
        preview(home, TODAY, audiences, ["mlik"])
    with pytest.raises(MissingPartition, match="run 'huaxiang profiles --as-of 2017-11-29' first"):
        preview(home, Run(date(2017, 11, 29), date(2017, 11, 29)), audiences, [])
