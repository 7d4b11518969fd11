"""Judge the recipes at several cut-offs, 28 days apart: who started which category in the days after?

At each cut-off all is learned from the days up to it. Judged are the customers who had bought something by then and
started a category after; a category that is not among the learned ones counts as missed. One customer is drawn with all
their cut-offs, and every recipe is judged on the same customers, so that differences are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from huaxiang.errors import HuaxiangError
from huaxiang.judging import resampling
from huaxiang.tracking.promotion import Interval
from spark_jobs.categories import recipes
from spark_jobs.categories.inputs import Bought, Days
from spark_jobs.categories.params import CategoryParams
from spark_jobs.categories.portable import ranked, scores
from spark_jobs.categories.recipes import BLEND, POPULARITY, RECIPES, Fitted
from spark_jobs.recommendations import metrics

Array = np.ndarray


@dataclass(frozen=True)
class Window:
    """A cut-off: what was learned by then, who is judged (positions in all customers), what they had bought and what
    they started (of the learned categories), and how many categories they started in all."""

    day: date
    fitted: Fitted
    who: Array
    held: Array
    started: Array
    relevant: Array

    def hits(self, recipe: str, start_weight: float, count: int) -> Array:
        """For each customer whether the categories of rank 1 ... `count` were started."""
        fitted, (of_popularity, of_start) = self.fitted, recipes.weights(recipe, start_weight)
        rate = of_popularity * fitted.rates.popularity + of_start * fitted.rates.start_rate
        found = scores(self.held, recipes.links_of(recipe, fitted), rate)
        columns = ranked(found, self.held, fitted.rates.popularity, count)
        return np.take_along_axis(self.started, columns.clip(min=0), axis=1) & (columns >= 0)


@dataclass(frozen=True)
class Judged:
    """Figures per recipe, a row per judged customer and cut-off; `drawn` has a column per resample."""

    tuned_on: tuple[date, ...]
    judged_on: tuple[date, ...]
    start_weight: float
    weights_tried: tuple[dict[str, float], ...]
    found: dict[str, dict[str, Array]]
    day: Array  # of each row, its place in judged_on
    who: Array  # of each row
    drawn: Array
    top: int

    @property
    def customers(self) -> int:
        return len(np.unique(self.who))

    def metrics(self, recipe: str) -> dict[str, float]:
        """Figures with intervals, beside those of popularity and the paired difference."""
        return metrics.flat(self.found[recipe], self.found[POPULARITY], self.drawn, self.top)

    def ndcg(self, recipe: str) -> float:
        return float(self.found[recipe]["ndcg"].mean())

    def difference(self, one: str, other: str) -> Interval:
        """Paired difference in NDCG."""
        return self.gain(one, other, "ndcg", np.ones(len(self.day), dtype=bool))

    def gain(self, one: str, other: str, name: str, rows: Array) -> Interval:
        """Paired difference in a figure, among these rows."""
        values = self.found[one][name][rows] - self.found[other][name][rows]
        return resampling.mean(values, self.drawn[rows]).interval()

    def by_cut_off(self, recipe: str) -> list[dict[str, Any]]:
        """One row per cut-off: the recipe beside popularity."""
        rows = []
        for place, day in enumerate(self.judged_on):
            there = self.day == place
            row: dict[str, Any] = {"cut_off": str(day), "customers": int(there.sum())}
            for name in ("hr", "ndcg"):
                row[name] = round(float(self.found[recipe][name][there].mean()), 6)
                row[f"baseline_{name}"] = round(float(self.found[POPULARITY][name][there].mean()), 6)
                row |= self.gain(recipe, POPULARITY, name, there).figures(f"{name}_gain")
            rows.append(row)
        return rows


def cut_offs(as_of: date, params: CategoryParams) -> list[date]:
    """Days whose window is over at `as_of`, the first comes first."""
    count = params.judged_cut_offs + params.tuning_cut_offs
    return [as_of - timedelta(days=params.window_days * place) for place in range(count, 0, -1)]


def judged(days: Days, as_of: date, params: CategoryParams) -> Judged:
    """Tune the blend on the earlier cut-offs and judge every recipe on the later ones. Raises HuaxiangError where not
    even one can be tuned on and one judged."""
    bought = days.by(as_of)
    windows = [window for day in cut_offs(as_of, params) if (window := _window(days, bought, day, params))]
    if len(windows) < 2:
        raise HuaxiangError(
            f"categories: needs two cut-offs, {params.window_days} days apart and over by {as_of}, with "
            f"{params.fewest_customers} customers who started a category after it, and there are {len(windows)}: land "
            "more drops, or leave 'categories' out of models"
        )
    count = min(params.judged_cut_offs, len(windows) - 1)
    tuning, judging = windows[:-count], windows[-count:]
    weight, tried = tuned(tuning, params)
    found = {recipe: figures(judging, recipe, weight, params.top) for recipe in RECIPES}
    who = np.concatenate([window.who for window in judging])
    present, rows = np.unique(who, return_inverse=True)
    drawn = resampling.draws(len(present), params.bootstraps, params.seed)[rows]
    return Judged(
        tuned_on=tuple(window.day for window in tuning),
        judged_on=tuple(window.day for window in judging),
        start_weight=weight,
        weights_tried=tuple(tried),
        found=found,
        day=np.repeat(np.arange(len(judging)), [len(window.who) for window in judging]),
        who=who,
        drawn=drawn,
        top=params.top,
    )


def tuned(windows: Sequence[Window], params: CategoryParams) -> tuple[float, list[dict[str, float]]]:
    """The start rate's weight in the blend with the best NDCG, of equals the first; and what each had."""
    tried = [
        {"start_weight": weight, "ndcg": round(float(figures(windows, BLEND, weight, params.top)["ndcg"].mean()), 6)}
        for weight in params.start_weights
    ]
    return max(tried, key=lambda row: row["ndcg"])["start_weight"], tried


def figures(windows: Sequence[Window], recipe: str, start_weight: float, top: int) -> dict[str, Array]:
    """Hit rate, NDCG and recall of a recipe, a row per judged customer and cut-off."""
    found = [metrics.per_customer(one.hits(recipe, start_weight, top), one.relevant, top) for one in windows]
    return {name: np.concatenate([one[name] for one in found]) for name in metrics.NAMES}


def _window(days: Days, bought: Bought, day: date, params: CategoryParams) -> Window | None:
    """None where there is too little to learn from, or too few started anything. `bought` holds the days after too."""
    customers, known = bought.everybody, days.by(day)
    try:
        fitted = recipes.fit(known, day, params)
    except HuaxiangError:
        return None
    today = (day - date(1970, 1, 1)).days
    is_start = (bought.first_on > today) & (bought.first_on <= today + params.window_days)
    relevant = bought.table(customers, bought.categories, is_start).sum(axis=1)
    held = known.table(customers, fitted.categories)
    who = np.flatnonzero(held.any(axis=1) & (relevant > 0))
    if len(who) < params.fewest_customers:
        return None
    started = bought.table(customers, fitted.categories, is_start)
    return Window(day, fitted, who, held[who], started[who], relevant[who])
