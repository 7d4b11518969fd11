"""A family's job: what it answers for, and how an action of it is tried.

Families run one after another, in one or two processes (`models.apart`), in one Spark application where any of them
needs Spark; where none does, it is not started. One that fails is left out and the others go on.
"""

from __future__ import annotations

import traceback
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from huaxiang.disk import is_full
from huaxiang.errors import HuaxiangError, TryAgain
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog

if TYPE_CHECKING:
    from spark_jobs.session import LazySession


def job(name: str) -> Any:
    """A family's job: `targets(settings)`, and `NEEDS_ALL_TARGETS`, whether it scores only when each has a champion;
    `snapshot_days(as_of)`, `train` and `score` (spark, settings, run, log), `cannot_score(settings, champion,
    columns)`, and `needs_spark(settings, run, action)`: the session starts when it is used, and beside MLflow where it
    is known that it will be."""
    return import_module(f"spark_jobs.{name}.job")


def targets(settings: Settings, name: str) -> tuple[str, ...]:
    """What the family has a model each of."""
    found: tuple[str, ...] = job(name).targets(settings)
    return found


def snapshot_days(names: tuple[str, ...] | list[str], run: Run) -> list[Any]:
    """The days before `as_of` whose features the families learn from."""
    return sorted({day for name in names for day in job(name).snapshot_days(run.as_of)})


def tried(
    spark: LazySession, settings: Settings, run: Run, log: StepLog, name: str, actions: tuple[str, ...]
) -> str | None:
    """Do a family's actions; None when all went well, else the reason. Raises when it was Spark that died."""
    try:
        for action in actions:
            getattr(job(name), action)(spark, settings, run, log)
    except Exception as error:
        if is_full(error):  # it is the home that cannot go on, not the family
            raise
        _require_alive(spark, error)
        return str(error) if isinstance(error, HuaxiangError) else _kept(settings, name, error)
    finally:
        # A family that failed has not let go of its cached frames: Spark would give them to whoever asks for the same
        # plan later, though the files behind it are others by then.
        with suppress(Exception):  # where Spark itself has died
            if spark.started:
                spark.started.catalog.clearCache()
    return None


def _kept(settings: Settings, name: str, error: Exception) -> str:
    """Keep where a fault of the program happened, without its message: that may hold a customer's value."""
    log = settings.home.logs / "models.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as lines:
        lines.write(f"{name}: {type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}\n")
    return (
        f"{type(error).__name__} in spark_jobs/{name}, a fault of the program: logs/models.log of the home says where"
    )


def _require_alive(spark: LazySession, error: Exception) -> None:
    try:
        if spark.started:
            spark.started.range(1).count()
    except Exception:
        raise TryAgain(f"Spark stopped while it worked ({type(error).__name__}): run the step again") from error
