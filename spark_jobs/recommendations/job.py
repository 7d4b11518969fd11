"""Train and score recommendations: where the family's inputs, arithmetic, tracking and outputs come together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.sql import functions as F

from huaxiang import tracking
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.files import write_text
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from spark_jobs.recommendations import inputs, lists, outputs, reasons, tracked, training
from spark_jobs.recommendations.inputs import Catalogue
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import Products

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TARGETS = tuple(tracked.TARGETS.values())


@dataclass(frozen=True)
class Champion:
    """The model of a task that scores: its version, its recipe file, its products."""

    version: tracking.Version
    recipe: Mapping[str, Any]
    products: Products


def snapshot_days(as_of: date) -> list[date]:
    """Recommendations learn from purchases, not from features of earlier days."""
    return []


def train(
    spark: SparkSession, settings: Settings, run: Run, log: StepLog, params: RecommendationParams | None = None
) -> dict[str, tracking.Version | None]:
    """Tune, judge and fit both tasks on purchases up to `as_of`; every recipe becomes a run, the best one champion.

    Returns the new version of each task, None where the champion stays. Raises HuaxiangError when there is too little
    to learn from.
    """
    params = params or RecommendationParams()
    path = inputs.purchases_path(settings, run)
    every = inputs.read_purchases(spark, path, run.as_of)
    known = inputs.encoded(spark, inputs.worth_recommending(every, params), params)
    trained = training.trained(spark, known, run.as_of, settings.home.warehouse / "als", params)
    known.forget()
    inputs_hash = content_hash(path)
    versions = {}
    for task in training.TASKS:
        decision, versions[task], outcome = tracked.record(settings, run, inputs_hash, trained, task, params)
        found = trained.reports[task].metrics(decision.winner)
        said = {
            "won": "is the champion",
            "unchanged": "stays as it is",
            "lost": "refitted is clearly worse, so it stays",
            "waits": "waits and is not promoted, since MLflow is away",
        }
        log.progress(
            f"{tracked.TARGETS[task]}: {decision.winner} {said[outcome]}; NDCG@{params.top} "
            f"{found[f'ndcg_at_{params.top}']:.4f}, baseline {found[f'baseline_ndcg_at_{params.top}']:.4f}"
        )
    return versions


def score(
    spark: SparkSession, settings: Settings, run: Run, log: StepLog, params: RecommendationParams | None = None
) -> None:
    """List ten products per customer of `as_of` and task with the champions, and say why.

    Nothing is fitted: factors and neighbours of products are the champions', popularity and histories are today's.
    Writes the table and a card per target. Raises HuaxiangError when there is no champion.
    """
    params = params or RecommendationParams()
    path = inputs.purchases_path(settings, run)
    champions = {task: _champion(settings, run, task) for task in training.TASKS}
    every = inputs.read_purchases(spark, path, run.as_of)
    known = inputs.encoded(spark, inputs.worth_recommending(every, params), params)
    bought = inputs.pairs(known.rows, run.as_of).cache()
    products = inputs.catalogue(known, bought, run.as_of, params)
    customers = _customers(spark, settings, run)
    count = customers.count()
    found = inputs.histories(bought, run.as_of).join(known.customers, on="customer", how="inner")
    histories = inputs.of_customers(customers, found, "customer_id", inputs.parts(count, params))
    tasks = tuple(
        lists.Task(
            task,
            one.products.on(products.ids, products.recent_buyers),
            one.recipe["settings"],
            one.recipe["weights"],
        )
        for task, one in champions.items()
    )
    listed = lists.ranked(histories, tasks, products.types, params.top)
    named = listed.join(F.broadcast(_named(spark, products)), on="item", how="inner").cache()
    reasoned = reasons.with_reasons(named, every, run.as_of, params)
    folder = settings.home.build(run.id) / "recommendations"
    fingerprints = {task: str(one.recipe["fingerprint"]) for task, one in champions.items()}
    rows = outputs.write_items(reasoned, fingerprints, folder / "customer_items.parquet", count)
    for task, one in champions.items():
        text = json.dumps(_card(task, one, run), indent=2) + "\n"
        write_text(folder / f"model.{tracked.TARGETS[task]}.json", text)
    log.fact("recommendations", rows)
    named.unpersist()
    bought.unpersist()
    known.forget()


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Whether the champion was made by other code; recommendations need no features."""
    return not tracked.can_score(settings, champion)


def _customers(spark: SparkSession, settings: Settings, run: Run) -> DataFrame:
    """The customers of the day, one row each, those without a purchase worth recommending too."""
    path = settings.home.build(run.id) / "features" / "customer_features.parquet"
    if not path.exists():
        raise MissingPartition(
            f"recommendations: there are no features of {run.id}: run 'huaxiang features --as-of {run.as_of}' first"
        )
    return spark.read.parquet(str(path)).where(F.col("as_of") == F.lit(run.as_of)).select("customer_id")


def _named(spark: SparkSession, products: Catalogue) -> DataFrame:
    """One row per product: position, id, buyers ever and of late, and its rank by the latter."""
    import pandas as pd

    order = np.lexsort((np.arange(len(products.ids)), -products.recent_buyers))
    popularity_rank = np.empty(len(order), dtype=np.int64)
    popularity_rank[order] = np.arange(1, len(order) + 1)
    return spark.createDataFrame(
        pd.DataFrame(
            {
                "item": np.arange(len(products.ids)),
                "product_id": products.ids,
                "buyers": products.buyers,
                "recent_buyers": products.recent_buyers,
                "popularity_rank": popularity_rank,
            }
        )
    )


def _champion(settings: Settings, run: Run, task: str) -> Champion:
    target = tracked.TARGETS[task]
    version = tracking.champion(settings, target)
    if version is None:
        raise HuaxiangError(f"recommendations: no {target} has been trained: run 'huaxiang train --as-of {run.as_of}'")
    if not tracked.can_score(settings, version):
        raise HuaxiangError(
            f"recommendations: {target} version {version.version} was made by other code: run 'huaxiang train --as-of "
            f"{run.as_of}'"
        )
    recipe = json.loads(tracking.model_file(settings, version, "recipe.json"))
    products = Products.from_bytes(tracking.model_path(settings, version, "products.npz").read_bytes())
    return Champion(version, recipe, products)


def _card(task: str, champion: Champion, run: Run) -> dict[str, Any]:
    """`model.<target>.json`: what the report and the manifest say of the model."""
    recipe = champion.recipe
    return {
        "model": tracked.TARGETS[task],
        "version": champion.version.version,
        "run_id": champion.version.run_id,
        "fingerprint": recipe["fingerprint"],
        "training_as_of": recipe["training_as_of"],
        "scored_as_of": str(run.as_of),
        "recipe": recipe["recipe"],
        "weights": recipe["weights"],
        **recipe["report"],
    }
