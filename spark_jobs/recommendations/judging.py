"""Try recipes on customers whose next purchases are known: rank their candidates, count the hits."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spark_jobs.recommendations import metrics
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import COMPONENTS, weights_of

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
Weights = Mapping[str, float]

BASELINES = {"any": "own_history", "new": "popularity"}
_PLAIN: dict[str, dict[str, Weights]] = {
    "any": {
        "own_history": {"own_count": 1.0},
        "own_history_fading": {"own_recent": 1.0},
        "popularity": {"popularity": 1.0},
        "als": {"als": 1.0},
        "item_based": {"item_based": 1.0},
    },
    "new": {"popularity": {"popularity": 1.0}, "als": {"als": 1.0}, "item_based": {"item_based": 1.0}},
}
BLEND = "blend"


@dataclass(frozen=True)
class Judged:
    """Customers with purchases in the window, and their candidates, a row each, padded to equal length.

    `values` has a plane per component; `hits` says which candidate was bought; `relevant` counts the products bought,
    also those that are no candidate. Candidates are in the order that breaks ties.
    """

    values: Array  # components x customers x candidates
    may_be_listed: Array
    hits: Array
    relevant: Array

    @property
    def customers(self) -> int:
        return len(self.relevant)

    def ranked_hits(self, weights: Weights, count: int) -> Array:
        """For each customer, whether the products of rank 1 ... `count` were bought."""
        scores = np.tensordot(weights_of(weights), self.values, axes=1)
        scores = np.where(self.may_be_listed, np.round(scores, 6), -1.0)
        order = np.argsort(-scores, axis=1, kind="stable")[:, :count]
        found = np.take_along_axis(self.hits & self.may_be_listed, order, axis=1)
        return np.pad(found, ((0, 0), (0, count - found.shape[1])))


def judged(candidates: pd.DataFrame, targets: pd.DataFrame, task: str) -> Judged:
    """Bring together the rows of `lists.candidates` and `inputs.targets`; a product first sold in the window is
    no candidate. For the task 'new' only what a customer had never bought is relevant, and listed."""
    wanted = targets[targets["is_new"]] if task == "new" else targets
    customers = np.sort(wanted["customer"].unique())
    number = {customer: row for row, customer in enumerate(customers)}
    relevant = np.bincount(wanted["customer"].map(number).to_numpy(dtype=int), minlength=len(customers))
    kept = candidates[candidates["customer"].isin(number)]
    rows = kept["customer"].map(number).to_numpy(dtype=int)
    order = np.argsort(rows, kind="stable")
    kept, rows = kept.iloc[order], rows[order]
    counts = np.bincount(rows, minlength=len(customers))
    columns = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (len(customers), int(counts.max(initial=0)))
    values = np.zeros((len(COMPONENTS), *shape), dtype=np.float32)
    for place, name in enumerate(COMPONENTS):
        values[place][rows, columns] = kept[name]
    may_be_listed, hits = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    may_be_listed[rows, columns] = ~kept["is_bought"].to_numpy(dtype=bool) if task == "new" else True
    width = 1 + int(max(kept["item"].max(), wanted["item"].max()))
    bought = wanted["customer"].map(number).to_numpy(dtype=np.int64) * width + wanted["item"].to_numpy(dtype=np.int64)
    hits[rows, columns] = np.isin(rows.astype(np.int64) * width + kept["item"].to_numpy(dtype=np.int64), bought)
    return Judged(values, may_be_listed, hits, relevant)


def recipes(task: str, blend: Weights) -> dict[str, Weights]:
    """Weights of every recipe of a task, the baseline first, the blend last."""
    return {**_PLAIN[task], BLEND: blend}


def tuned(judged: Judged, task: str, params: RecommendationParams) -> tuple[Weights, list[dict[str, float]]]:
    """The blend with the best NDCG, and what each combination of weights had; of equals the one tried first wins."""
    main, others, steps = (
        ("own_recent", ("als", "item_based", "popularity"), params.any_weights)
        if task == "any"
        else ("als", ("item_based", "popularity"), params.new_weights)
    )
    tried = []
    for combination in itertools.product(steps, repeat=len(others)):
        weights = {main: 1.0, **dict(zip(others, combination, strict=True))}
        found = metrics.per_customer(judged.ranked_hits(weights, params.top), judged.relevant, params.top)
        tried.append({**weights, "ndcg": round(float(found["ndcg"].mean()), 6)})
    best = max(tried, key=lambda row: row["ndcg"])
    return {name: value for name, value in best.items() if name != "ndcg"}, tried
