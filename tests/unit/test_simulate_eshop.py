"""The player of the e-shop's clicks: a small part of the real file, as drops that the home's mapping reads."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from huaxiang.contracts import load_contracts
from huaxiang.errors import BadConfiguration
from huaxiang.settings import PROJECT, load_settings
from huaxiang.simulate import simulate
from huaxiang.sources import load_sources

CONFIG = PROJECT / "homes" / "eshop_clothing_2008" / "huaxiang.yml"


@pytest.fixture
def shop(tmp_path, monkeypatch):
    monkeypatch.setenv("HUAXIANG_CONFIG", str(CONFIG))
    monkeypatch.setenv("HUAXIANG_HOME", str(tmp_path / "home"))
    return load_settings()


def test_a_drop_holds_the_clicks_of_its_day_in_order(shop) -> None:
    simulate(shop, "eshop_clothing_2008", date(2008, 4, 2), customers=3)
    folder = shop.inbox / "eshop_clothing_2008"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*.csv")) == [
        "catalogue/models_2008-04-01.csv",
        "clicks/clicks_2008-04-01.csv",
    ]
    with (folder / "clicks" / "clicks_2008-04-01.csv").open(encoding="utf-8", newline="") as lines:
        clicks = list(csv.DictReader(lines))
    assert [click["page 2 (clothing model)"] for click in clicks if click["session ID"] == "1"][:4] == [
        "A13", "A16", "B4", "B17"
    ]  # fmt: skip
    assert {click["session ID"] for click in clicks} == {"1", "2", "3"}


def test_the_homes_mapping_says_that_there_are_days_and_no_times(shop) -> None:
    events = load_sources(shop, load_contracts(shop))["eshop_clothing_2008"].tables["events"]
    assert dict((name, expression.sql) for name, expression in events.columns)["is_timed"] == "false"


def test_before_its_first_day_there_is_nothing_to_play(shop) -> None:
    with pytest.raises(BadConfiguration, match="begins on 2008-04-01"):
        simulate(shop, "eshop_clothing_2008", date(2008, 3, 31))
