"""Train on one window, report on the next, fit on all: what each recipe is worth, and the products to score with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.errors import HuaxiangError
from huaxiang.promotion import Interval
from spark_jobs.recommendations import fitting, inputs, judging, lists, metrics
from spark_jobs.recommendations.inputs import Encoded
from spark_jobs.recommendations.judging import BASELINES, Judged, Weights
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import Products

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TASKS = ("any", "new")


@dataclass(frozen=True)
class Report:
    """What the recipes of one task were worth in the reported window."""

    task: str
    recipes: Mapping[str, Weights]
    customers: int
    found: Mapping[str, Mapping[str, np.ndarray]]  # recipe -> metric -> a figure per customer
    curves: Mapping[str, list[float]]  # recipe -> hit rate at 1, 2, ...
    weights_tried: list[dict[str, float]]
    draws: np.ndarray
    k: int

    def metrics(self, recipe: str) -> dict[str, float]:
        """Figures of a recipe with intervals, beside those of the baseline and the paired difference."""
        return metrics.flat(self.found[recipe], self.found[BASELINES[self.task]], self.draws, self.k)

    def quality(self) -> dict[str, Interval]:
        """NDCG of every recipe, by which they are judged."""
        return {name: metrics.interval(found["ndcg"], self.draws) for name, found in self.found.items()}

    def difference(self, one: str, other: str) -> Interval:
        """Paired difference in NDCG, with its bootstrap interval over customers."""
        return metrics.interval(self.found[one]["ndcg"] - self.found[other]["ndcg"], self.draws)


@dataclass(frozen=True)
class Training:
    """The reports of both tasks and the fit on all purchases."""

    reports: Mapping[str, Report]
    products: Products
    seconds: Mapping[str, float]


def settings_of(params: RecommendationParams) -> dict[str, float]:
    """What `ranking.Ranker` needs to know of a training."""
    names = ("alpha", "regularisation", "half_life_days", "candidates", "decimals")
    return {name: getattr(params, name) for name in names}


def cut_offs(as_of: date, params: RecommendationParams) -> tuple[date, date]:
    """The cut-off of the window weights are tuned on, and of the one that is reported, which follows it."""
    return as_of - timedelta(days=2 * params.window_days), as_of - timedelta(days=params.window_days)


def trained(spark: SparkSession, known: Encoded, as_of: date, scratch: Path, params: RecommendationParams) -> Training:
    """Tune, report and fit. Raises HuaxiangError when a window has too few customers or products."""
    tuning, reporting = cut_offs(as_of, params)
    tried = {
        task: judging.tuned(judged, task, params)
        for task, judged in _judged(spark, known, tuning, scratch, params).items()
    }
    reports = {
        task: report(task, judged, judging.recipes(task, tried[task][0]), tried[task][1], params)
        for task, judged in _judged(spark, known, reporting, scratch, params).items()
    }
    final = fitting.fit(spark, known, as_of, scratch, params)
    final.bought.unpersist()
    return Training(reports, final.products, final.seconds)


def report(
    task: str,
    judged: Judged,
    recipes: Mapping[str, Weights],
    weights_tried: list[dict[str, float]],
    params: RecommendationParams,
) -> Report:
    """Judge the recipes on the same customers."""
    found, curves = {}, {}
    for name, weights in recipes.items():
        hits = judged.ranked_hits(weights, params.curve)
        found[name] = metrics.per_customer(hits, judged.relevant, params.top)
        curves[name] = [round(float(hits[:, :k].any(axis=1).mean()), 6) for k in range(1, params.curve + 1)]
    draws = metrics.resamples(judged.customers, params.bootstraps, params.seed)
    return Report(task, recipes, judged.customers, found, curves, weights_tried, draws, params.top)


def _judged(
    spark: SparkSession, known: Encoded, cut_off: date, scratch: Path, params: RecommendationParams
) -> dict[str, Judged]:
    """For each task the candidates, by a fit up to `cut_off`, of the customers who bought in the window after it."""
    fitted = fitting.fit(spark, known, cut_off, scratch, params)
    wanted = inputs.targets(known.rows, fitted.bought, cut_off, params).cache()
    targets = inputs.on_driver(wanted)
    for is_new in (False, True):
        count = targets.loc[targets["is_new"] | (not is_new), "customer"].nunique()
        if count < params.fewest_customers:
            what = "a product new to them" if is_new else "anything"
            raise HuaxiangError(
                f"recommendations: needs {params.fewest_customers} customers who bought {what} in the "
                f"{params.window_days} days after {cut_off}, and there are {count}: land more drops"
            )
    histories = inputs.of_customers(
        wanted.select("customer").distinct(),
        inputs.histories(fitted.bought, cut_off),
        "customer",
        inputs.parts(targets["customer"].nunique(), params),
    )
    candidates = inputs.on_driver(lists.candidates(histories, fitted.products, settings_of(params)))
    wanted.unpersist()
    fitted.bought.unpersist()
    return {task: judging.judged(candidates, targets, task) for task in TASKS}
