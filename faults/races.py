"""F28, F29 and F35: two runs at once, copies that wake up late, and readers while releases come and go."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb

from faults.kills import verdict
from faults.kinds import Options
from faults.quiet import quiet
from faults.readers import Seen, reading
from faults.trial import Trial
from faults.workshop import Workshop, workshop
from huaxiang import lease, release
from huaxiang.errors import HomeBusy
from huaxiang.release import publication
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.tables import Home

# Seconds between the two beginnings: at the same moment, within landing, and within each of the words after it.
OFFSETS = (0.0, 0.1, 0.5, 2.0, 5.0, 9.0, 14.0)
SWITCHES = 1000
ROLLBACK_SECONDS = 5.0
_FIRST_DAY = date(2017, 1, 1)


def races(options: Options) -> Iterator[Trial]:
    """Two runs of a day, copies stopped before and after they have the lock, and a rollback."""
    with workshop(options.folder) as made:
        for offset in OFFSETS:
            yield two_at_once(made, offset)
        for word in made.words[1:]:
            yield woken_late(made, word)
        yield stopped_with_the_lock(made)
        yield rolled_back(made)


def two_at_once(made: Workshop, offset: float) -> Trial:
    """F28: the whole day twice, the second `offset` seconds after the first. Nobody tries again."""
    made.put_back("landing")
    with reading(made.home) as seen:
        first = made.nursery.start(made.commands("landing"), made.log)
        time.sleep(offset)
        second = made.nursery.start(made.commands("landing"), made.log)
        codes = [made.nursery.wait(pid) for pid in (first, second)]
    one_wins = 0 if 0 in codes and set(codes) <= {0, 1} else 1
    detail = f"{offset} s apart, exit codes {codes[0]} and {codes[1]}"
    return verdict(made, "F28 two runs of one day", detail, one_wins, seen.violations, seen.releases)


def woken_late(made: Workshop, word: str) -> Trial:
    """F29: a copy of `word` is stopped before it has the lock, the day is run again, then the copy wakes up."""
    made.put_back(word)
    with reading(made.home) as seen:
        stale = made.nursery.start(made.commands(word, word), made.log, failpoint="lease.before_lock:stop")
        is_stopped = made.nursery.wait(stale) is None
        retried = made.run("landing")
        os.kill(stale, signal.SIGCONT)
        code = made.nursery.wait(stale)
    wrong = (
        [] if is_stopped and code == 1 and "began while" in made.said() else [f"it ended with {code}: {made.said()}"]
    )
    return verdict(
        made, f"F29 stale {word}", "woken after the day's retry", retried, wrong + seen.violations, seen.releases
    )


def stopped_with_the_lock(made: Workshop) -> Trial:
    """F29: stopped while it holds the home, a command keeps the others out; woken up, it goes on as if nothing were."""
    made.put_back("landing")
    with reading(made.home) as seen:
        holder = made.nursery.start(made.commands("landing", "landing"), made.log, failpoint="lease.begun:stop")
        made.nursery.wait(holder)
        wrong = []
        try:
            with lease.hold(made.settings, "another", wait_seconds=0.5):
                wrong.append("the home was taken from a stopped holder")
        except HomeBusy as error:
            wrong += [] if f"process {holder}" in str(error) else [f"the holder is not named: {error}"]
        os.kill(holder, signal.SIGCONT)
        code = made.nursery.wait(holder)
        retried = code if code != 0 else made.run("staging")
    return verdict(
        made, "F29 stopped landing", "while it holds the lock", retried, wrong + seen.violations, seen.releases
    )


def rolled_back(made: Workshop) -> Trial:
    """F35: back to the release before and forward again, each in less than 5 s, start of the process not counted."""
    made.put_back("release")
    made.run("release")
    wrong, longest = [], 0.0
    with reading(made.home) as seen:
        for target in made.released:
            began = time.perf_counter()
            code = made.nursery.run([["releases", "rollback", target]], made.log)
            longest = max(longest, time.perf_counter() - began)
            now = release.current(made.settings)
            if code != 0 or now is None or now.id != target:
                wrong.append(f"rollback to {target} ended with {code}: {made.said()}")
    if longest > ROLLBACK_SECONDS:
        wrong.append("too slow")
    return verdict(made, "F35 rollback", f"took at most {longest:.1f} s", 0, wrong + seen.violations, seen.releases)


def publishes(options: Options) -> Iterator[Trial]:
    """F35: 1,000 switches, by publishing and by rolling back in turn, under four readers that poll all the time."""
    yield switched_under_readers(options.folder, SWITCHES)


def switched_under_readers(folder: Path, switches: int) -> Trial:
    """Small builds of one customer each. MLflow is left out: it takes no part in what readers see."""
    settings = replace(load_settings(), home=Home(folder / "home"), inbox=folder / "inbox")
    slowest = 0.0
    settings.home.root.mkdir(parents=True)
    with quiet(), _without_mlflow(), reading(settings.home.root, seconds=0.002) as seen:
        published = [release.publish(settings, _finished_build(settings, 0)).id]
        for number in range(1, switches):
            if number % 2:
                published.append(release.publish(settings, _finished_build(settings, number)).id)
            else:
                began = time.perf_counter()
                release.rollback(settings, None)
                slowest = max(slowest, time.perf_counter() - began)
    wrong = _seen_wrongly(settings, seen, set(published), switches)
    if slowest > ROLLBACK_SECONDS:
        wrong.append("a rollback was too slow")
    detail = f"{switches} switches, {seen.polls:,} reads, {seen.whole:,} whole, slowest rollback {slowest:.2f} s"
    return Trial("F35 releases come and go", "; ".join([detail, *wrong[:6]]), is_same=not wrong)


def _seen_wrongly(settings: Settings, seen: Seen, published: set[str], switches: int) -> list[str]:
    wrong = list(seen.violations)
    if strangers := set(seen.releases) - published:
        wrong.append(f"readers saw {', '.join(sorted(strangers))}")
    if len(set(seen.releases)) < min(len(published), switches) // 4:
        wrong.append(f"readers saw {len(set(seen.releases))} of {len(published)} releases: they were too slow to tell")
    for each in release.releases(settings):
        release.verify(each)
    if left := [path.name for path in settings.home.releases.iterdir() if path.name.startswith(".")]:
        wrong.append(f"left behind: {left[0]}")
    return wrong


def _finished_build(settings: Settings, number: int) -> Run:
    """A build as the words before `release` leave it, whose every file tells its day."""
    day = _FIRST_DAY + timedelta(days=number)
    run = Run(day, day)
    lease.begin(settings, run)
    folder = settings.home.build(run.id)
    for name in ("profiles", "gates", "report"):
        (folder / name).mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select 'c1' as customer_id, date '{day}' as as_of, 1::bigint as order_count, 2::bigint as "
            f"line_count, 9.50::decimal(18, 2) as net_spend) to '{folder}/profiles/customer_profiles.parquet'"
        )
    for suite in ("landing", "profiles"):
        (folder / "gates" / f"{suite}.json").write_text(json.dumps({"checks": [], "day": str(day)}))
    for page in range(20):
        (folder / "report" / f"{page}.html").write_text(f"<p>{day}</p>" * 500)
    return run


@contextmanager
def _without_mlflow() -> Iterator[None]:
    track = publication._track
    publication._track = lambda *_: None
    try:
        yield
    finally:
        publication._track = track
