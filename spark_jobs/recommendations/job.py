"""Train and score recommendations: where the family's inputs, arithmetic, tracking and outputs come together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from huaxiang import tracking
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.files import write_text
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from spark_jobs import engine
from spark_jobs.recommendations import hybrid, laptop, tracked
from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.laptop import Laptop
from spark_jobs.recommendations.lists import Task
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import NOTHING, Products

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from spark_jobs.recommendations.cluster import Cluster

NEEDS_ALL_TARGETS = True


@dataclass(frozen=True)
class Champion:
    """The model of a task that scores: its version, its recipe file, its products."""

    version: tracking.Version
    recipe: Mapping[str, Any]
    products: Products
    ranker: Any  # the learned one of a hybrid

    def task(self, name: str, of_day: Catalogue, barred: np.ndarray) -> Task:
        """Its list, for the products of the day without those `barred`."""
        recipe = self.recipe
        return Task(
            name,
            self.products.on(of_day.of_day()),
            recipe["settings"],
            recipe["weights"],
            str(recipe["fingerprint"]),
            self.ranker,
            barred,
        )


def targets(settings: Settings) -> tuple[str, ...]:
    """A list of products of any kind, and one of products that are new to the customer."""
    return tuple(tracked.TARGETS.values())


def snapshot_days(as_of: date) -> list[date]:
    """Recommendations learn from purchases, not from features of earlier days."""
    return []


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """Whether `train` and `score` use Spark: a home of few purchases does without."""
    return _engine(settings, run, RecommendationParams()) == engine.SPARK


def train(
    spark: SparkSession, settings: Settings, run: Run, log: StepLog, params: RecommendationParams | None = None
) -> dict[str, tracking.Version | None]:
    """Tune, judge and fit both tasks on purchases up to `as_of`; every recipe becomes a run, the best one champion.

    Returns the new version of each task, None where the champion stays. Raises HuaxiangError when there is too little
    to learn from.
    """
    from spark_jobs.recommendations import training

    params = params or RecommendationParams()
    path = _purchases(settings, run)
    with _opened(spark, settings, run, params) as purchases:
        trained = training.trained(purchases, run.as_of, params)
    inputs_hash = content_hash(path)
    versions = {}
    for task in tracked.TARGETS:
        decision, versions[task], outcome = tracked.record(settings, run, inputs_hash, trained, task, params)
        found = trained.reports[task].metrics(decision.winner)
        said = {
            "won": "is the champion",
            "unchanged": "stays as it is",
            "lost": "refitted is clearly worse, so it stays",
            "held": "is the candidate",
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
    champions = {task: _champion(settings, run, task) for task in tracked.TARGETS}

    def tasks(of_day: Catalogue) -> list[Task]:
        barred = _barred(settings, run, of_day, params.top)
        return [one.task(name, of_day, barred) for name, one in champions.items()]

    folder = settings.home.build(run.id) / "recommendations"
    with _opened(spark, settings, run, params) as purchases:
        suppressions = settings.home.inputs(run.id) / "suppressions.parquet"
        path = folder / "customer_items.parquet"
        rows = purchases.write_items(_customers(settings, run), suppressions, run.as_of, tasks, path)
    for task, one in champions.items():
        text = json.dumps(_card(task, one, run), indent=2) + "\n"
        write_text(folder / f"model.{tracked.TARGETS[task]}.json", text)
    log.fact("recommendations", rows)


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Whether the champion was made by other code; recommendations need no features."""
    return not tracked.can_score(settings, champion)


@contextmanager
def _opened(
    spark: SparkSession, settings: Settings, run: Run, params: RecommendationParams
) -> Iterator[Laptop | Cluster]:
    """The run's purchases, where they are worked on."""
    path = _purchases(settings, run)
    if _engine(settings, run, params) == engine.LAPTOP:
        scratch = settings.home.build(run.id) / ".duckdb.tmp"
        with laptop.opened(path, run.as_of, scratch, params) as opened:
            yield opened
        return
    from spark_jobs.recommendations.cluster import Cluster

    cluster = Cluster(spark, path, run.as_of, settings.home.warehouse / "als", params)
    yield cluster
    cluster.forget()


def _engine(settings: Settings, run: Run, params: RecommendationParams) -> str:
    import pyarrow.parquet as pq

    return engine.chosen(pq.read_metadata(_purchases(settings, run)).num_rows, params.laptop_purchases)


def _purchases(settings: Settings, run: Run) -> Path:
    return _input(settings.home.inputs(run.id) / "purchases.parquet", run)


def _customers(settings: Settings, run: Run) -> Path:
    return _input(settings.home.build(run.id) / "features" / "customer_features.parquet", run)


def _input(path: Path, run: Run) -> Path:
    if not path.exists():
        raise MissingPartition(
            f"recommendations: there is no {path.stem} of {run.id}: run 'huaxiang features --as-of {run.as_of}' first"
        )
    return path


def _barred(settings: Settings, run: Run, of_day: Catalogue, top: int) -> np.ndarray:
    """Positions of the products that leave less than the home's `least_margin_share`; none where it has no such limit.

    Raises HuaxiangError when too few are left to make a list of.
    """
    least = settings.least_margin_share
    if least is None:
        return NOTHING
    barred = of_day.below(_input(settings.home.inputs(run.id) / "margins.parquet", run), least)
    left = len(of_day.ids) - len(barred)
    if left < top:
        raise HuaxiangError(
            f"recommendations: least_margin_share {least:g} leaves {left} of {len(of_day.ids):,} products, fewer than "
            f"a list of {top} needs: lower it in {settings.config}"
        )
    return barred


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
    trees = tracking.model_path(settings, version, "ranker.skops")
    return Champion(version, recipe, products, hybrid.from_bytes(trees.read_bytes()) if trees.exists() else None)


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
