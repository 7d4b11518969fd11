"""Learn from some windows, report on the next, fit on all: what each recipe is worth, and what to score with."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from huaxiang.errors import HuaxiangError
from huaxiang.judging import resampling
from huaxiang.judging.resampling import Replicates
from huaxiang.tracking.promotion import Interval
from spark_jobs.recommendations import fitting, hybrid, judging, metrics, neighbours
from spark_jobs.recommendations.fitting import Fitted
from spark_jobs.recommendations.judging import BASELINES, Judged, Weights
from spark_jobs.recommendations.pairs import Purchases
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import Products, Ranker

TASKS = ("any", "new")


@dataclass(frozen=True)
class Report:
    """What the recipes of one task were worth in the reported window.

    `measured` are others that cannot be promoted; they have figures beside those of the recipes.
    """

    task: str
    recipes: Mapping[str, Weights]
    measured: tuple[str, ...]
    customers: int
    found: Mapping[str, Mapping[str, np.ndarray]]  # recipe -> metric -> a figure per customer
    likeness: Mapping[str, Mapping[str, float]]  # recipe -> coverage and novelty of its lists
    curves: Mapping[str, list[float]]  # recipe -> hit rate at 1, 2, ...
    weights_tried: list[dict[str, float]]
    drawn: np.ndarray  # how often each customer is drawn in each resample
    k: int

    def metrics(self, recipe: str) -> dict[str, float]:
        """Figures of a recipe with intervals, beside those of the baseline and the paired difference; and, without
        either, what its lists are like."""
        like = {f"{name}_at_{self.k}": value for name, value in self.likeness[recipe].items()}
        return metrics.flat(self.found[recipe], self.found[BASELINES[self.task]], self.drawn, self.k) | like

    def quality(self) -> dict[str, Interval]:
        """NDCG of every recipe that can be promoted, by which they are judged."""
        return {name: self._ndcg(name).interval() for name in self.recipes}

    def difference(self, one: str, other: str) -> Interval:
        """Paired difference in NDCG, with its bootstrap interval over customers."""
        return self._ndcg(one).minus(self._ndcg(other)).interval()

    def _ndcg(self, recipe: str) -> Replicates:
        return resampling.mean(self.found[recipe]["ndcg"], self.drawn)


@dataclass(frozen=True)
class Training:
    """The reports of both tasks and the fit on all purchases."""

    reports: Mapping[str, Report]
    products: Products
    hybrids: Mapping[str, Any]  # task -> the learned ranker
    seconds: Mapping[str, float]


def settings_of(params: RecommendationParams) -> dict[str, float]:
    """What `ranking.Ranker` needs to know of a training."""
    names = ("alpha", "regularisation", "half_life_days", "starting_power", "candidates", "decimals", "most_per_kind")
    return {name: getattr(params, name) for name in names}


def cut_offs(as_of: date, params: RecommendationParams) -> tuple[list[date], date]:
    """The cut-offs of the windows that are learned from, the latest first, and of the one that is reported, which
    follows them."""
    reported = as_of - timedelta(days=params.window_days)
    count = params.hybrid_windows
    return [reported - timedelta(days=params.window_days * (1 + place)) for place in range(count)], reported


def trained(purchases: Purchases, as_of: date, params: RecommendationParams) -> Training:
    """Tune, report and fit. Raises HuaxiangError when a window has too few customers or products.

    Weights are tuned on the latest of the earlier windows; the hybrid learns from all of them that there are.
    """
    (tuning, *earlier), reported = cut_offs(as_of, params)
    began = time.perf_counter()
    windows = [window for cut_off in (tuning, *earlier) if (window := _window(purchases, cut_off, tuning, params))]
    tried = {task: judging.tuned(windows[0][task], task, params) for task in TASKS}
    hybrids = {task: hybrid.fit([judged[task] for judged in windows], task, params) for task in TASKS}
    learned = time.perf_counter()
    judged, fitted = _judged(purchases, reported, params)
    measured, took = lists_of_neighbours(fitted, params)
    reports = {}
    for task in TASKS:
        weights, all_tried = tried[task]
        ranker = Ranker(fitted.products, settings_of(params), hybrids[task])
        lists = {name: lists[task] for name, lists in measured.items()}
        reports[task] = report(task, judged[task], weights, ranker, lists, fitted, all_tried, params)
    final = fitting.fit(purchases, as_of, params)
    return Training(reports, final.products, hybrids, {**final.seconds, **took, judging.HYBRID: learned - began})


def report(
    task: str,
    judged: Judged,
    blend: Weights,
    ranker: Ranker,
    measured: Mapping[str, np.ndarray],
    fitted: Fitted,
    weights_tried: list[dict[str, float]],
    params: RecommendationParams,
) -> Report:
    """Judge the recipes on the same customers, and the lists of others (`measured`: a row per customer by number)."""
    recipes = judging.recipes(task, blend)
    known = fitted.pairs
    information = metrics.information(known.item, len(fitted.products.ids), len(np.unique(known.customer)))
    found, likeness, curves = {}, {}, {}
    for name in (*recipes, *measured):
        if name in measured:
            lists = measured[name]
            listed = np.full((judged.customers, params.curve), neighbours.NOTHING)
            is_known = judged.who < len(lists)  # the others bought nothing before
            listed[is_known] = lists[judged.who[is_known]]
            hits = judged.hits_of(listed)
        else:
            scores = judged.by(ranker) if name == judging.HYBRID else judged.blended(recipes[name])
            listed, hits = judged.ranked_items(scores, params.curve), judged.ranked_hits(scores, params.curve)
        found[name] = metrics.per_customer(hits, judged.relevant, params.top)
        likeness[name] = metrics.likeness(listed[:, : params.top], information)
        curves[name] = [round(float(hits[:, :k].any(axis=1).mean()), 6) for k in range(1, params.curve + 1)]
    drawn = resampling.draws(judged.customers, params.bootstraps, params.seed)
    return Report(
        task, recipes, tuple(measured), judged.customers, found, likeness, curves, weights_tried, drawn, params.top
    )


def lists_of_neighbours(
    fitted: Fitted, params: RecommendationParams
) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, float]]:
    """The lists of those that answer from other customers' purchases, and the seconds each took; none where there are
    too many customers to look at every two of them."""
    if int(fitted.pairs.customer.max(initial=-1)) >= params.measured_customers:
        return {}, {}
    lists, took = {}, {}
    starting = fitted.products.starting[fitted.products.learned] ** params.starting_power
    for name, recipe in neighbours.RECIPES.items():
        began = time.perf_counter()
        items = np.asarray(fitted.products.learned, dtype=np.int64)
        lists[name] = neighbours.listed(recipe, fitted.pairs, items, params.curve, starting)
        took[name] = time.perf_counter() - began
    return lists, took


def _window(
    purchases: Purchases, cut_off: date, needed: date, params: RecommendationParams
) -> dict[str, Judged] | None:
    """The candidates of `_judged`, or None for a window other than the `needed` one in which there is too little to
    learn from."""
    try:
        return _judged(purchases, cut_off, params)[0]
    except HuaxiangError:
        if cut_off == needed:
            raise
        return None


def _judged(purchases: Purchases, cut_off: date, params: RecommendationParams) -> tuple[dict[str, Judged], Fitted]:
    """For each task the candidates, by a fit up to `cut_off`, of the customers who bought in the window after it."""
    from threadpoolctl import threadpool_limits

    fitted = fitting.fit(purchases, cut_off, params)
    targets = purchases.targets(cut_off)
    for is_new in (False, True):
        count = targets.loc[targets["is_new"] | (not is_new), "customer"].nunique()
        if count < params.fewest_customers:
            what = "a product new to them" if is_new else "anything"
            raise HuaxiangError(
                f"recommendations: needs {params.fewest_customers} customers who bought {what} in the "
                f"{params.window_days} days after {cut_off}, and there are {count}: land more drops"
            )
    ranker = Ranker(fitted.products, settings_of(params))
    with threadpool_limits(1):
        found = {task: judging.judged(ranker, fitted.pairs, targets, task) for task in TASKS}
    return found, fitted
