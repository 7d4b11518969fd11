from datetime import date

import pytest

from huaxiang import lease, steps
from huaxiang.errors import MissingPartition
from huaxiang.settings import Run

MONDAY = Run(date(2017, 1, 2), date(2017, 1, 2))


@pytest.fixture
def build(settings):
    lease.begin(settings, MONDAY)
    return settings.home.build(MONDAY.id)


def test_a_word_needs_the_word_before_it_in_this_very_build(settings, build):
    with pytest.raises(MissingPartition, match="'huaxiang features --as-of 2017-01-02' first"):
        steps.require_before(settings, MONDAY, "models")
    with steps.step("features", MONDAY, settings):
        pass
    steps.require_before(settings, MONDAY, "models")


def test_a_gate_that_failed_lets_no_word_pass(settings, build):
    with steps.step("landing", MONDAY, settings):
        pass
    with pytest.raises(MissingPartition, match="landing/2017-01-02"):
        steps.require_before(settings, MONDAY, "staging")


def test_a_line_cut_short_counts_for_nothing(settings, build):
    (build / "steps.jsonl").write_text('{"step": "features"}\n{"step": "mod')
    steps.require_before(settings, MONDAY, "models")
    with pytest.raises(MissingPartition):
        steps.require_before(settings, MONDAY, "profiles")
