"""One fault of each kind on the whole data, all model families on: what holds on the small home must hold here too."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date

from faults.kills import kill_after, kill_at
from faults.kinds import Options
from faults.races import rolled_back, two_at_once, woken_late
from faults.trial import Trial
from faults.workshop import Plan, workshop
from faults.writes import disk_with, failing_writes_of, may_mount
from huaxiang.settings import PROJECT

PLAN = Plan(
    config=PROJECT,
    day=date(2017, 11, 30),
    models=("segments", "associations", "recommendations", "scores"),
    sample=("--source", "complete_journey"),
)
_FREE = 50_000_000  # bytes: too little for the day


def full_size(options: Options) -> Iterator[Trial]:
    """F01 to F04, F28, F29 and F35."""
    chance = random.Random(options.seed)  # noqa: S311 (which moment is no secret)
    with workshop(options.folder, PLAN) as made:
        for word in ("landing", "features", "models"):
            yield kill_after(made, word, chance.uniform(0, made.seconds[word]))
        yield kill_at(made, "release.before_switch", "release")
        yield from failing_writes_of(made, "profiles")
        yield two_at_once(made, 9.0)
        yield woken_late(made, "release")
        yield rolled_back(made)
        if may_mount(options.folder):
            yield disk_with(made, _FREE)
