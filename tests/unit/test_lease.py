import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from huaxiang import lease
from huaxiang.errors import HomeBusy, MissingPartition, StaleWriter
from huaxiang.settings import Run

MONDAY = Run(date(2017, 1, 2), date(2017, 1, 2))
TUESDAY = Run(date(2017, 1, 3), date(2017, 1, 3))


def waited(settings):
    """Hold the home once it is free; the number that counts then."""
    with lease.hold(settings, "the one that waits"):
        return lease.read(settings).fence


def test_the_fencing_number_rises_with_every_run(settings):
    assert [lease.begin(settings, run).fence for run in (MONDAY, TUESDAY, MONDAY)] == [1, 2, 3]


def test_a_run_that_has_begun_may_publish(settings):
    lease.begin(settings, MONDAY)
    assert lease.require(settings, MONDAY).run_id == "2017-01-02"


def test_a_run_that_another_run_has_overtaken_may_not_publish(settings):
    lease.begin(settings, MONDAY)
    lease.begin(settings, TUESDAY)
    with pytest.raises(StaleWriter, match=r"2017-01-02 holds number 1.*2017-01-03 \(number 2\)"):
        lease.require(settings, MONDAY)


def test_a_run_that_was_overtaken_and_cleared_away_is_told_by_whom(settings):
    lease.begin(settings, TUESDAY)
    with pytest.raises(StaleWriter, match=r"2017-01-03 \(number 1\).*huaxiang landing --as-of 2017-01-02"):
        lease.require(settings, MONDAY)


def test_a_command_that_waited_while_a_run_began_is_of_the_past(settings):
    """A copy that was stopped before it had the lock, and wakes up after its retry."""
    lease.begin(settings, MONDAY)
    with ThreadPoolExecutor(1) as beside, lease.hold(settings, "the retry"):
        stale = beside.submit(waited, settings)
        time.sleep(0.3)
        lease.begin(settings, MONDAY)
    with pytest.raises(StaleWriter, match="began while this command waited"):
        stale.result()


def test_a_command_that_waited_for_another_word_of_the_same_run_goes_on(settings):
    lease.begin(settings, MONDAY)
    with ThreadPoolExecutor(1) as beside:
        with lease.hold(settings, "staging"):
            second = beside.submit(waited, settings)
            time.sleep(0.3)
        assert second.result() == 1


def test_a_run_that_has_ended_says_with_which_release(settings):
    lease.begin(settings, MONDAY)
    assert lease.ended_with(settings, MONDAY) is None
    lease.end(settings, MONDAY, "2017-01-02-ab")
    assert lease.ended_with(settings, MONDAY) == "2017-01-02-ab"
    assert lease.ended_with(settings, TUESDAY) is None
    lease.begin(settings, MONDAY)
    assert lease.ended_with(settings, MONDAY) is None


def test_a_run_that_never_began_is_told_how_to_begin(settings):
    with pytest.raises(MissingPartition, match="huaxiang landing --as-of 2017-01-02"):
        lease.require(settings, MONDAY)


def test_a_second_writer_is_told_who_writes(settings):
    code = (
        "import sys\nfrom dataclasses import replace\nfrom pathlib import Path\n"
        "from huaxiang import lease\nfrom huaxiang.settings import load_settings\nfrom huaxiang.tables import Home\n"
        "settings = replace(load_settings(), home=Home(Path(sys.argv[1])))\n"
        "with lease.hold(settings, 'features --as-of 2017-01-02'):\n"
        "    print('held', flush=True)\n    sys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(settings.home.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(HomeBusy, match="features --as-of 2017-01-02"), lease.hold(settings, "x", wait_seconds=0.1):
            pass
    finally:
        other.kill()
        other.communicate()
    with lease.hold(settings, "the one after a kill", wait_seconds=5):
        pass


def test_two_homes_do_not_wait_for_each_other(settings, tmp_path):
    other = replace(settings, home=replace(settings.home, root=tmp_path / "other"))
    with lease.hold(settings, "one"), lease.hold(other, "two", wait_seconds=0.1):
        pass
