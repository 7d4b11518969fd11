"""Rank the films a user gave no mark yet: the recipes of the family recommendations, and SAR to try the measure on.

A mark is taken as one order of the film, whatever it says, as the published table takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.ratings.marks import Marks
from benchmarks.ratings.splits import Split
from spark_jobs.recommendations import factors, fitting, hybrid, judging, metrics, training
from spark_jobs.recommendations.catalogue import Catalogue, catalogue
from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import Products, Ranker, weights_of

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
TOP, NOTHING = 10, -1
NAMES = ("map", "ndcg", "precision", "recall")
# Popularity counts every mark there is: half a year is what the site has been open. All else is as the product has it.
PARAMS = replace(RecommendationParams(), popularity_days=365, bootstraps=1000)
_DAY = 86_400
RECIPES = ("popularity", "item_based", "als", "svd", "ease", "content")


def figures(lists: Array, held: Marks, shape: tuple[int, int]) -> dict[str, Array]:
    """MAP, NDCG, precision and recall at 10 of each user with a held mark, by rising number; also the hit rate.

    `lists` has a row of ten films for every user, NOTHING where there are fewer. MAP is the mean precision at the
    ranks of hits, over the number of films that could be hit (as Recommenders 1.1 and Spark define it).
    """
    relevant = np.bincount(held.user, minlength=shape[0])
    judged = np.flatnonzero(relevant)
    wanted = held.matrix(shape, np.ones(len(held.user))).toarray() > 0
    listed = lists[judged]
    hits = wanted[judged[:, None], listed.clip(min=0)] & (listed != NOTHING)
    found = metrics.per_customer(hits, relevant[judged], TOP)
    precisions = np.cumsum(hits, axis=1) / np.arange(1, TOP + 1)
    return {
        "map": (precisions * hits).sum(axis=1) / relevant[judged],
        "ndcg": found["ndcg"],
        "precision": hits.mean(axis=1),
        "recall": found["recall"],
        "hr": found["hr"],
    }


def ours(split: Split, shape: tuple[int, int], genres: Array, inner: Callable[[Marks], Split]) -> dict[str, Array]:
    """Lists of every recipe; the hybrid's trees learn from an `inner` split of what is known."""
    of_inner = inner(split.learned)
    earlier = Given(of_inner.learned, genres)
    judged = judging.judged(_ranker(earlier), earlier.pairs(earlier.last), earlier.targets_of(of_inner.held), "new")
    trees = hybrid.fit([judged], "new", PARAMS)
    known = Given(split.learned, genres)
    ranker = Ranker(_products(known), training.settings_of(PARAMS), trees)
    histories = known.pairs(known.last).histories(np.arange(shape[0]))
    found = [ranker.candidates(history).without_bought() for history in histories]
    lists = {}
    for name in (*RECIPES, judging.HYBRID):
        if name == judging.HYBRID:
            scores = ranker.scores(found, weights_of({}))
        else:
            weights = weights_of({name: 1.0})
            scores = [one.values @ weights for one in found]
        rows = [ranker.top(one, values, True, TOP) for one, values in zip(found, scores, strict=True)]
        lists[name] = _padded([known.films[one.items[of_one]] for one, of_one in zip(found, rows, strict=True)])
    return lists


def sar(known: Marks, shape: tuple[int, int], half_life_days: float = 30.0) -> Array:
    """Lists by SAR ("Simple Algorithm for Recommendation"): likeness of films by Jaccard, times the user's marks,
    which halve every 30 days before the last one. What it is worth is published, so it tries `figures` and the split.
    """
    faded = known.mark * 0.5 ** ((known.at.max() - known.at) / (half_life_days * _DAY))
    is_known = known.matrix(shape, np.ones(len(known.user)))
    common = (is_known.T @ is_known).toarray()
    of_film = common.diagonal()
    either = of_film[:, None] + of_film[None, :] - common
    alike = np.divide(common, either, out=np.zeros_like(common), where=either > 0)
    scores = known.matrix(shape, faded) @ alike
    scores[is_known.toarray() > 0] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :TOP]


class Given:
    """`pairs.Purchases` of known marks: each is one order. `films` are the numbers of those that have a mark."""

    def __init__(self, known: Marks, genres: Array) -> None:
        self._known = known
        self.films, self._item = np.unique(known.item, return_inverse=True)
        self._genres = genres[self.films]
        self.last: date = datetime.fromtimestamp(int(known.at.max()), UTC).date()

    def catalogue(self, cut_off: date) -> Catalogue:
        import pandas as pd

        age = self._ages()
        since = {
            "buyers": np.inf,
            "recent_buyers": PARAMS.popularity_days,
            "late_buyers": PARAMS.late_days,
            "week_buyers": PARAMS.week_days,
            "new_buyers": PARAMS.late_days,
        }
        columns = {name: np.bincount(self._item[age < days], minlength=len(self.films)) for name, days in since.items()}
        never = ("repeat_buyers", "earlier_buyers", "returned_buyers", "gaps", "gap_days")  # no film is marked twice
        table = pd.DataFrame({**columns, **dict.fromkeys(never, 0)})
        ids = np.array([f"{film:05d}" for film in self.films])
        return catalogue(ids, self._genres, table, len(np.unique(self._known.user)), cut_off, PARAMS)

    def pairs(self, cut_off: date) -> Pairs:
        return Pairs.of(self._known.user, self._item, self._ages())

    def targets(self, cut_off: date) -> pd.DataFrame:
        raise NotImplementedError("what is foretold is handed over: see targets_of")

    def targets_of(self, held: Marks) -> pd.DataFrame:
        """The held marks as targets; a film that has no known mark gets a number nothing else has."""
        import pandas as pd

        place = np.searchsorted(self.films, held.item).clip(max=len(self.films) - 1)
        item = np.where(self.films[place] == held.item, place, len(self.films) + held.item)
        rows = pd.DataFrame({"customer": held.user, "item": item, "is_new": True})
        return rows.sort_values(["customer", "item"], ignore_index=True)

    def als(self, cut_off: date, products: Catalogue, pairs: Pairs) -> tuple[Array, Array]:
        return factors.als(products, pairs, PARAMS)

    def _ages(self) -> Array:
        return (self._known.at.max() - self._known.at) // _DAY


def _ranker(known: Given) -> Ranker:
    return Ranker(_products(known), training.settings_of(PARAMS))


def _products(known: Given) -> Products:
    return fitting.fit(known, known.last, PARAMS).products


def _padded(rows: Sequence[Array]) -> Array:
    lists = np.full((len(rows), TOP), NOTHING)
    for place, row in enumerate(rows):
        lists[place, : len(row)] = row
    return lists
