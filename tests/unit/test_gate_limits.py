"""The thresholds of the gates, and how a home states its own."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from huaxiang.errors import BadConfiguration
from huaxiang.gate_limits import GateLimits, read_limits
from huaxiang.settings import PROJECT


def test_a_home_that_says_nothing_has_the_defaults():
    assert read_limits(None, where="huaxiang.yml") == GateLimits()


def test_a_home_states_its_own_limit_and_keeps_the_others():
    limits = read_limits({"stale_critical_days": 8, "refused_critical_share": 0.1}, where="huaxiang.yml")

    assert limits == GateLimits(stale_critical_days=8, refused_critical_share=0.1)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([1], "must map names of limits to numbers"),
        ({"stale": 8}, "no limit 'stale'"),
        ({"stale_critical_days": 1.5}, "must be a whole number"),
        ({"stale_critical_days": True}, "must be a whole number"),
        ({"stale_critical_days": "eight"}, "must be a whole number"),
        ({"quiet_ratio": -1}, "must be a number of 0 or more"),
        ({"quiet_ratio": float("nan")}, "must be a number of 0 or more"),
        ({"refused_critical_share": 5}, "write 5 % as 0.05"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused_with_its_file(said: object, reason: str):
    with pytest.raises(BadConfiguration, match=reason) as caught:
        read_limits(said, where="homes/shop/huaxiang.yml")

    assert str(caught.value).startswith("homes/shop/huaxiang.yml: ")


def test_every_limit_and_its_default_stand_in_the_manual():
    manual = (PROJECT / "docs" / "how-to" / "read-a-quality-report.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in manual.splitlines() if line.startswith("| `") and line.count("|") == 4]
    told = {
        name.strip().strip("`"): float(value)
        for names, values in rows
        for name, value in zip(names.split(","), values.split(","), strict=True)
    }
    assert told == asdict(GateLimits())
