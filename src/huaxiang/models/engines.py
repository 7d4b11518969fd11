"""What the step starts before the first family: MLflow, and Spark where it is known that it will be used."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from huaxiang.errors import HuaxiangError
from huaxiang.models.jobs import job
from huaxiang.models.store import open_store
from huaxiang.settings import Run, Settings

if TYPE_CHECKING:
    from spark_jobs.session import LazySession


def engines(settings: Settings, run: Run, actions: Mapping[str, tuple[str, ...]]) -> LazySession:
    """Start MLflow, and beside it Spark where a family's action needs it: each takes seconds, mostly waiting for the
    other's kind of work."""
    from spark_jobs.session import LazySession

    spark = LazySession(settings.home.warehouse, settings.home.logs / "spark.log")
    is_needed = any(needs_spark(settings, run, name, said) for name, said in actions.items())
    with ThreadPoolExecutor(max_workers=1) as beside:
        started = beside.submit(spark.start) if is_needed else None
        open_store(settings)
        if started:
            started.result()
    return spark


def needs_spark(settings: Settings, run: Run, name: str, actions: tuple[str, ...]) -> bool:
    """Whether one of a family's actions will use Spark, as far as can be told before."""
    try:
        return any(job(name).needs_spark(settings, run, action) for action in actions)
    except HuaxiangError:
        return False  # what it lacks, the action itself will say
