"""Families in two processes: which work beside this one, and how.

One family's work, `recommendations`, takes about as long as that of all others together, in training and in scoring.
So it has one process and the others have the second, as long as nobody there needs Spark and there is enough to do.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from huaxiang import memory
from huaxiang.beside import Beside, result
from huaxiang.models.engines import needs_spark
from huaxiang.models.jobs import job, tried
from huaxiang.models.store import open_store
from huaxiang.settings import Run, Settings
from huaxiang.steps import Fact, StepLog

LONGEST = "recommendations"
_ROWS_WORTH_IT = 5_000  # of the training set: below, a training takes no longer than starting a process
_NEEDED_GIB = 6.0  # of the machine: a training in two processes takes 4 at most

Actions = Mapping[str, tuple[str, ...]]


def scored_apart(settings: Settings, run: Run, actions: Actions) -> tuple[str, ...]:
    """Of families that only score, those that work beside this process; none where one needs Spark."""
    if any(needs_spark(settings, run, name, said) for name, said in actions.items()):
        return ()
    return tuple(name for name in actions if name == LONGEST)


def trained_apart(settings: Settings, run: Run, actions: Actions, rows: int) -> tuple[str, ...]:
    """Of families of which some are trained, on `rows` customers and days, those that work beside this process."""
    if LONGEST not in actions or "train" not in actions[LONGEST] or rows < _ROWS_WORTH_IT or not _has_room():
        return ()
    others = ((name, said) for name, said in actions.items() if name != LONGEST)
    return tuple(name for name, said in others if not needs_spark(settings, run, name, said))


def worked(
    spark: object,
    settings: Settings,
    run: Run,
    log: StepLog,
    actions: Actions,
    apart: tuple[str, ...],
    beside: Beside,
    begin: Callable[[str], None] = lambda name: None,
) -> Iterator[tuple[str, str | None]]:
    """Do each family's actions, those of `apart` in the second process; yields the family and why it failed, if it did.

    `begin` is called before a family's first action. Raises TryAgain when Spark or the second process died.
    """
    for name in apart:
        begin(name)
    other = beside.begin(work_apart, settings, run, {name: actions[name] for name in apart}) if apart else None
    for name, said in actions.items():
        if name not in apart:
            begin(name)
            yield name, tried(spark, settings, run, log, name, said)  # type: ignore[arg-type]
    if other:
        reasons, facts = result(other)
        log.facts |= facts
        yield from reasons.items()


def get_ready(settings: Settings) -> None:
    """In the second process: what takes seconds before the first row is scored."""
    job(LONGEST)
    open_store(settings)


def work_apart(settings: Settings, run: Run, actions: Actions) -> tuple[dict[str, str | None], dict[str, Fact]]:
    """In the second process: why each family failed, if it did, and what they say of themselves."""
    from spark_jobs.session import LazySession

    log = StepLog("models")
    spark = LazySession(settings.home.warehouse, settings.home.logs / "spark.log")
    return {name: tried(spark, settings, run, log, name, said) for name, said in actions.items()}, log.facts


def _has_room() -> bool:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores > 1 and (memory.total_gib() or 0) >= _NEEDED_GIB
