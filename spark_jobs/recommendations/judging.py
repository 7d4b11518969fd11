"""Try recipes on customers whose next purchases are known: rank their candidates, count the hits."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from spark_jobs.recommendations import metrics
from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import COMPONENTS, Candidates, Ranker, weights_of

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
Weights = Mapping[str, float]

BASELINES = {"any": "own_history", "new": "popularity"}
LEARNED = ("als", "svd", "item_based", "ease", "content")
_PLAIN: dict[str, dict[str, Weights]] = {
    "any": {
        "own_history": {"own_count": 1.0},
        "own_history_fading": {"own_recent": 1.0},
        "popularity": {"popularity": 1.0},
        **{name: {name: 1.0} for name in LEARNED},
    },
    "new": {"popularity": {"popularity": 1.0}, **{name: {name: 1.0} for name in LEARNED}},
}
BLEND, HYBRID = "blend", "hybrid"


@dataclass(frozen=True)
class Judged:
    """Customers (by number, rising) with purchases in the window, and their candidates, of each those that a list may
    hold. What was bought can be no candidate."""

    who: Array
    bought: Sequence[Array]
    candidates: Sequence[Candidates]
    hits: Sequence[Array]  # which candidate was bought

    @property
    def customers(self) -> int:
        return len(self.who)

    @cached_property
    def relevant(self) -> Array:
        """How many products each customer bought."""
        return np.array([len(items) for items in self.bought])

    def candidates_with_hits(self) -> tuple[Array, Array, Array]:
        """What a learned ranker sees of every candidate, whether it was bought, and whether it was one before."""
        features = np.vstack([one.features for one in self.candidates]).astype(np.float32)
        return features, np.concatenate(self.hits), np.concatenate([one.is_bought for one in self.candidates])

    def blended(self, weights: Weights) -> Array:
        """Scores by weights of the components: customers x candidates."""
        return np.round(np.tensordot(weights_of(weights), self._values, axes=1), 6)

    def by(self, ranker: Ranker) -> Array:
        """Scores by the ranker's learned model."""
        return self._padded(ranker.scores(self.candidates, weights_of({})))

    def ranked_hits(self, scores: Array, count: int) -> Array:
        """For each customer, whether the products of rank 1 ... `count` were bought."""
        found = np.take_along_axis(self._padded(self.hits).astype(bool), self._order(scores, count), axis=1)
        return np.pad(found, ((0, 0), (0, count - found.shape[1])))

    def ranked_items(self, scores: Array, count: int) -> Array:
        """For each customer the products of rank 1 ... `count`, -1 where there are fewer."""
        items = np.where(self._is_there, self._padded([one.items for one in self.candidates]), -1)
        found = np.take_along_axis(items, self._order(scores, count), axis=1)
        return np.pad(found, ((0, 0), (0, count - found.shape[1])), constant_values=-1)

    def hits_of(self, listed: Array) -> Array:
        """Which products of a list of another origin (a row per customer) were bought."""
        return np.array([np.isin(row, items) for row, items in zip(listed, self.bought, strict=True)])

    def _order(self, scores: Array, count: int) -> Array:
        return np.argsort(-np.where(self._is_there, scores, -np.inf), axis=1, kind="stable")[:, :count]

    @cached_property
    def _is_there(self) -> Array:
        return self._padded([np.ones(len(one), dtype=np.float32) for one in self.hits]) > 0

    @cached_property
    def _values(self) -> Array:
        """A plane per component."""
        return np.stack(
            [
                self._padded([one.values[:, place].astype(np.float32) for one in self.candidates])
                for place in range(len(COMPONENTS))
            ]
        )

    def _padded(self, rows: Sequence[Array]) -> Array:
        """The rows as one array, filled up with 0."""
        found = np.zeros((len(rows), max(map(len, self.hits), default=0)), dtype=rows[0].dtype if len(rows) else float)
        for place, row in enumerate(rows):
            found[place, : len(row)] = row
        return found


def judged(ranker: Ranker, pairs: Pairs, targets: pd.DataFrame, task: str) -> Judged:
    """The candidates of those who bought, of `Purchases.targets`; a product first sold in the window is no candidate.
    For the task 'new' only what a customer had never bought is relevant, and listed."""
    wanted = targets[targets["is_new"]] if task == "new" else targets
    customers, starts = np.unique(wanted["customer"].to_numpy(), return_index=True)
    bought = np.split(wanted["item"].to_numpy(), starts[1:])
    candidates = [ranker.candidates(history) for history in pairs.histories(customers)]
    if task == "new":
        candidates = [one.without_bought() for one in candidates]
    hits = [np.isin(one.items, items) for one, items in zip(candidates, bought, strict=True)]
    return Judged(customers, bought, candidates, hits)


def recipes(task: str, blend: Weights) -> dict[str, Weights]:
    """Weights of every recipe of a task, the baseline first; the hybrid's only say that it looks at everything."""
    return {**_PLAIN[task], BLEND: blend, HYBRID: dict.fromkeys(COMPONENTS, 1.0)}


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
        found = metrics.per_customer(
            judged.ranked_hits(judged.blended(weights), params.top), judged.relevant, params.top
        )
        tried.append({**weights, "ndcg": round(float(found["ndcg"].mean()), 6)})
    best = max(tried, key=lambda row: row["ndcg"])
    return {name: value for name, value in best.items() if name != "ndcg"}, tried
