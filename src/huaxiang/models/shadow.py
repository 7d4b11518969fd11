"""`huaxiang shadow`: candidates score a real day beside the champions, for nobody to see.

The backtest has judged whether a candidate foretells better. What it cannot show is whether the candidate works on
today's customers at all: whether it covers them, says sane things, is fast enough, and how much would change.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from huaxiang import families, tracking, warehouse
from huaxiang.errors import HuaxiangError, NothingDue
from huaxiang.models import agreement, candidates
from huaxiang.models.candidates import Candidate
from huaxiang.models.engines import engines
from huaxiang.models.jobs import targets, tried
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog, step

# A candidate may take so many times as long as the champion, and this much more: the daily run has to stay quick.
TIMES, SECONDS = 3.0, 10.0


def shadow(settings: Settings, run: Run) -> None:
    """Score the day with the champions and with the candidates, compare, and note on each candidate how it did.

    Raises NothingDue when no candidate waits, HuaxiangError when the champions themselves cannot score.
    """
    waits = candidates.waiting(settings)
    if not waits:
        raise NothingDue("no candidate waits: the training kept the champions")
    with step("shadow", run, settings) as log, _apart(settings, run) as apart:
        warehouse.training_set(apart, run, (), log)
        by_family: dict[str, list[Candidate]] = {}
        for one in waits:
            by_family.setdefault(_family(settings, one), []).append(one)
        for family, tried_ones in by_family.items():
            for one, faults, evidence in _compared(apart, run, log, family, tried_ones):
                candidates.note_shadow(settings, one, faults, evidence)
                log.progress(f"{one.target}: version {one.version.version} {'; '.join(faults) or 'passed'}: {evidence}")
        log.fact("candidates", len(waits))


def _compared(
    settings: Settings, run: Run, log: StepLog, family: str, waits: list[Candidate]
) -> Iterator[tuple[Candidate, list[str], str]]:
    """Each candidate of the family with its faults, and with what was seen, in words."""
    in_use = {target: tracking.incumbent(settings, target) for target in targets(settings, family)}
    champions = {target: version.version for target, version in in_use.items() if version}
    wanting = champions | {one.target: one.version.version for one in waits}
    reason, was, before = _scored(settings, run, log, family, champions, "champion")
    if reason:
        raise HuaxiangError(f"shadow: the champions of {family} cannot score {run.as_of}: {reason}")
    reason, now, after = _scored(settings, run, log, family, wanting, "candidate")
    for one in waits:
        if reason:
            yield one, [f"cannot score {run.as_of}: {reason}"], ""
            continue
        faults, evidence = agreement.of(family, one.target, before, after)
        if now > TIMES * was + SECONDS:
            faults.append(f"takes {now:.0f} s instead of {was:.0f} s")
        yield one, faults, f"{evidence}; {now:.1f} s, the champion {was:.1f} s"


def _scored(
    settings: Settings, run: Run, log: StepLog, family: str, versions: dict[str, str], role: str
) -> tuple[str | None, float, Path]:
    """Score the family with these versions: why it could not, the seconds it took, and the folder of its tables."""
    scoring = replace(settings, pinned_models=versions)
    spark = engines(scoring, run, {family: ("score",)})
    begun = time.perf_counter()
    reason = tried(spark, scoring, run, log, family, ("score",))
    seconds = time.perf_counter() - begun
    build = settings.home.build(run.id)
    return reason, seconds, build if reason else (build / family).rename(build / f"{family}_{role}")


@contextmanager
def _apart(settings: Settings, run: Run) -> Iterator[Settings]:
    """A warehouse and a build that nobody else sees, removed at the end."""
    apart = replace(settings, home=replace(settings.home, work="shadow", drafts="shadow_build"))
    shutil.rmtree(apart.home.builds, ignore_errors=True)  # of one that was killed
    warehouse.copy(settings, apart)
    try:
        yield apart
    finally:
        for folder in (apart.home.warehouse, apart.home.builds):
            shutil.rmtree(folder, ignore_errors=True)


def _family(settings: Settings, one: Candidate) -> str:
    return next(name for name in families.FAMILIES if one.target in targets(settings, name))
