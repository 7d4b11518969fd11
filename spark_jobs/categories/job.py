"""Train and score: where the family's inputs, recipes, judging, tracking and outputs come together.

The Spark session is given, and not used: what is fitted is one row per customer (docs/decisions/0034).
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from huaxiang import tracking
from huaxiang.errors import HuaxiangError
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.tracking.fits import card_of_day
from spark_jobs.categories import inputs, lists, outputs, portable, recipes, tracked
from spark_jobs.categories.params import CategoryParams

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TARGET = tracked.TARGET
NEEDS_ALL_TARGETS = True
MODEL_FILE = "model.json"


def targets(settings: Settings) -> tuple[str, ...]:
    """The categories that come next."""
    return (TARGET,)


def snapshot_days(as_of: date) -> list[date]:
    """It learns from purchases: no features of earlier days are needed."""
    return []


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """What is fitted is one row per customer: it never does."""
    return False


def train(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: CategoryParams | None = None
) -> tracking.Version | None:
    """Tune, judge and fit on purchases up to `as_of`; every recipe becomes a run, the best one champion.

    Returns the new version, None where the champion stays. Raises HuaxiangError when there is too little to judge.
    """
    from spark_jobs.categories.judge import judged

    params = params or CategoryParams()
    path = inputs.purchases(settings, run)
    days = inputs.read_days(path, run.as_of, params.customers)
    found = judged(days, run.as_of, params)
    fitted = recipes.fit(days.by(run.as_of), run.as_of, params)
    return tracked.record(settings, run, log, found, fitted, path, params)


def score(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: CategoryParams | None = None
) -> None:
    """List the categories that each customer of `as_of` may start next with the champion, and say why.

    Nothing is fitted: links are the champion's, rates and purchases are today's. Writes the table and a card. Raises
    HuaxiangError when there is no champion.
    """
    params = params or CategoryParams()
    champion = tracking.champion(settings, TARGET)
    if champion is None:
        raise HuaxiangError(
            f"categories: no model of {TARGET} has been trained yet: run 'huaxiang train --as-of {run.as_of}'"
        )
    model = json.loads(tracking.model_file(settings, champion, MODEL_FILE))
    categories = tuple(model["categories"])
    customers = inputs.read_customers(settings, run)
    bought = inputs.read_bought(inputs.purchases(settings, run), run.as_of)
    rates = recipes.rates(bought, run.as_of, categories, params)
    found = lists.listed(
        bought.table(customers, categories),
        inputs.read_suppressed(settings, run, customers, categories),
        np.array(model["links"]) if model["links"] else None,
        portable.rate(model, rates.popularity, rates.start_rate),
        rates.popularity,
        params,
    )
    everybody = bought.table(bought.everybody, categories)
    rows = lists.rows(customers, categories, found, everybody, rates.recent_buyers, model["fingerprint"], params)
    folder = settings.home.build(run.id) / "categories"
    log.fact("new categories", outputs.write(rows, folder))
    write_text(folder / f"model.{TARGET}.json", json.dumps(card_of_day(model, champion, run.as_of), indent=2) + "\n")


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Whether the champion was made by other code; it needs no features."""
    return not tracked.can_score(settings, champion)
