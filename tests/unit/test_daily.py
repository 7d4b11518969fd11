"""How `huaxiang run` knows that its day was released, and what it says of a day beside a later one."""

from datetime import date

from huaxiang import daily, lease, release
from huaxiang.settings import Run
from tests.unit.test_release import build, no_mlflow_and_no_ledger  # noqa: F401 (a fixture, for every test)

TODAY, EARLIER = Run(date(2017, 1, 5), date(2017, 1, 5)), Run(date(2017, 1, 3), date(2017, 1, 3))


def test_a_run_that_never_began_released_nothing_though_its_day_has_a_release(settings):
    release.publish(settings, build(settings, TODAY.as_of))
    assert not daily._released(settings, TODAY, after=lease.read(settings))


def test_a_run_that_stopped_on_the_way_released_nothing(settings):
    before = lease.read(settings)
    build(settings, TODAY.as_of)
    assert not daily._released(settings, TODAY, after=before)


def test_a_day_published_beside_a_later_one_is_released_and_the_summary_says_so(settings):
    newest = release.publish(settings, build(settings, TODAY.as_of))
    before = lease.read(settings)
    older = release.publish(settings, build(settings, EARLIER.as_of))
    assert daily._released(settings, EARLIER, after=before)
    lines = daily.summary(settings, EARLIER, 1.0, None).splitlines()
    assert lines[1:3] == [f"released   {older.id}", f"current    {newest.id} stays current: it is of a later day"]
    assert str(older.path / "report" / "index.html") in "\n".join(lines)


def test_the_summary_of_the_current_day_says_it_once(settings):
    made = release.publish(settings, build(settings, TODAY.as_of))
    lines = daily.summary(settings, TODAY, 1.0, None).splitlines()
    assert lines[1] == f"released   {made.id}" and not any(line.startswith("current") for line in lines)
