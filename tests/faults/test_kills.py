"""The short form of `make faults`, on a corner shop without models, whose day takes seconds."""

import pytest

from faults.kills import REACHED_BY, kill_after, kill_at
from faults.races import rolled_back, switched_under_readers, two_at_once
from faults.workshop import SHOP, workshop
from faults.writes import disk_with, failing_writes_of, may_mount, no_file_beyond
from huaxiang.failpoints import NAMES

pytestmark = [pytest.mark.faults, pytest.mark.dbt, pytest.mark.slow]

# Cheap, since little is left to do after them.
LATE = [(name, visit) for name in NAMES for word, visit in REACHED_BY[name] if word in ("report", "release")]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with workshop(tmp_path_factory.mktemp("faults"), SHOP) as made:
        yield made


def test_every_named_place_is_killed_at():
    assert set(REACHED_BY) == set(NAMES)


@pytest.mark.parametrize(("name", "visit"), LATE)
def test_killed_at_a_place_while_publishing_the_retry_gives_the_same(shop, name, visit):
    word = "report" if name.startswith("report.") else "release"
    assert (trial := kill_at(shop, name, word, visit)).is_same, trial
    assert trial.unaccounted == 0


def test_killed_between_the_rows_and_the_ledger_nothing_is_lost(shop):
    assert (trial := kill_at(shop, "landing.before_commit", "landing")).is_same, trial
    assert trial.unaccounted == 0


def test_killed_at_a_random_moment_the_retry_gives_the_same(shop):
    assert (trial := kill_after(shop, "report", shop.seconds["report"] / 2)).is_same, trial


def test_whichever_write_fails_the_release_before_is_served_and_the_retry_gives_the_same(shop):
    trials = list(failing_writes_of(shop, "release"))
    assert len(trials) >= 3
    assert [trial for trial in trials if not trial.is_same] == []


def test_on_a_full_disk_the_error_names_the_space_that_the_retry_then_needs(shop):
    trial = disk_with(shop, 0) if may_mount(shop.folder) else no_file_beyond(shop, 1_000_000)
    assert trial.is_same and "stopped" in trial.detail, trial


def test_of_two_runs_of_a_day_at_once_one_wins_and_the_result_is_the_same(shop):
    assert (trial := two_at_once(shop, 1.0)).is_same, trial


def test_a_rollback_takes_less_than_five_seconds(shop):
    assert (trial := rolled_back(shop)).is_same, trial


def test_readers_never_see_a_mixture_while_releases_come_and_go(tmp_path, capsys):
    assert (trial := switched_under_readers(tmp_path, 100)).is_same, trial
