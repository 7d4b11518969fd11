"""The models step: fit and register models (`train`), score every customer with the champions (`score`)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from huaxiang.errors import BadConfiguration
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog, step

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FAMILIES = ("segments",)


def train(settings: Settings, run: Run) -> None:
    """Fit the home's models on the features of `as_of`, judge them and register what wins.

    Raises MissingPartition without features, HuaxiangError when Spark cannot start.
    """
    with step("train", run, settings) as log:
        _each_family(settings, run, log, "train")


def score(settings: Settings, run: Run) -> None:
    """Score every customer with the champion models; where there is none, train first, in the same Spark application.

    Raises as `train`, and HuaxiangError when a champion needs a feature that is no longer there.
    """
    with step("models", run, settings) as log:
        _each_family(settings, run, log, "score")


def _each_family(settings: Settings, run: Run, log: StepLog, action: str) -> None:
    unknown = sorted(set(settings.models) - set(FAMILIES))
    if unknown:
        raise BadConfiguration(f"{settings.config}: there is no model '{unknown[0]}'; there are {', '.join(FAMILIES)}")
    if not settings.models:
        log.progress("no model is switched on in huaxiang.yml")
        return
    spark = _engines(settings)
    from spark_jobs.segments import job

    {"train": job.train, "score": job.score}[action](spark, settings, run, log)


def _engines(settings: Settings) -> SparkSession:
    """Start Spark and MLflow side by side: each takes seconds, mostly waiting for the other's kind of work."""
    from huaxiang import tracking
    from spark_jobs.session import session

    with ThreadPoolExecutor(max_workers=1) as beside:
        spark = beside.submit(session, settings.home.warehouse, settings.home.logs / "spark.log")
        tracking.open_store(settings)
        return spark.result()
