"""Rank products for one customer's history: plain numpy, the same code in Spark's workers and in the served model.

It imports none of our packages, because the served model carries this very file. Nothing here is about a customer but
the history that is handed in.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray
# What a score is made of; each is scaled so that the customer's best product has 1.
OWN_COUNT, OWN_RECENT, ALS, ITEMS, POPULARITY = range(5)
COMPONENTS = ("own_count", "own_recent", "als", "item_based", "popularity")


@dataclass(frozen=True)
class History:
    """What a customer bought: positions of products (rising), in how many orders, and days since the last one."""

    items: Array
    times: Array
    ages: Array


@dataclass(frozen=True)
class Candidates:
    """Products worth ranking, the more popular first, with one column of `values` per component."""

    items: Array
    values: Array
    is_bought: Array


@dataclass(frozen=True)
class Products:
    """All that is known of products; their positions in `ids` name them everywhere else.

    `popularity` counts recent buyers. `learned` are the positions that have ALS `factors`, `paired` those that have
    `neighbours` (positions) with `similarities`; both may be empty.
    """

    ids: Array
    popularity: Array
    learned: Array
    factors: Array
    paired: Array
    neighbours: Array
    similarities: Array

    def to_bytes(self) -> bytes:
        """As an npz file; equal bytes for equal products."""
        file = io.BytesIO()
        np.savez_compressed(file, **self.__dict__)
        return file.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> Products:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Products(**{name: arrays[name] for name in arrays.files})

    def parts(self, weights: Mapping[str, float]) -> Products:
        """Only what a recipe with these weights looks at."""
        kept = self
        if not weights.get("als"):
            kept = replace(kept, learned=kept.learned[:0], factors=kept.factors[:0])
        if not weights.get("item_based"):
            empty = {name: getattr(kept, name)[:0] for name in ("paired", "neighbours", "similarities")}
            kept = replace(kept, **empty)
        return kept

    def on(self, ids: Array, popularity: Array) -> Products:
        """The same factors and neighbours for another day's products; what is not among `ids` is forgotten."""
        place = positions(ids, self.ids)
        learned, paired = place[self.learned], place[self.paired]
        neighbours = place[self.neighbours[paired >= 0]]
        gone = neighbours < 0
        return Products(
            ids=ids,
            popularity=popularity,
            learned=learned[learned >= 0],
            factors=self.factors[learned >= 0],
            paired=paired[paired >= 0],
            neighbours=np.where(gone, 0, neighbours),
            similarities=np.where(gone, np.float32(0), self.similarities[paired >= 0]),
        )


class Ranker:
    """Ranks `products` by weights of the components. `settings` are alpha, regularisation, half_life_days,
    candidates and decimals of the training."""

    def __init__(self, products: Products, settings: Mapping[str, float]) -> None:
        self.products = products
        self.settings = settings
        count = len(products.ids)
        self.by_popularity = np.lexsort((np.arange(count), -products.popularity))
        self.popularity_rank = np.empty(count, dtype=np.int64)
        self.popularity_rank[self.by_popularity] = np.arange(count)
        self.factors = products.factors.astype(np.float64)
        self.gram = self.factors.T @ self.factors
        self.learned_place = _places(products.learned, count)
        self.paired_place = _places(products.paired, count)

    def fold_in(self, history: History) -> tuple[Array, Array]:
        """The customer's factors, and the inverse they came from, by one half-step of ALS with fixed products.

        The normal equations of Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets"
        (2008), with confidence 1 + alpha * log(1 + times), and the regularisation times the number of products bought
        (as Spark does, after Zhou et al. 2008). A history without learned products has factors of 0.
        """
        rows, times = self._learned_of(history)
        rank = self.factors.shape[1]
        if len(rows) == 0:
            return np.zeros(rank), np.zeros((rank, rank))
        bought = self.factors[rows]
        extra = self.settings["alpha"] * np.log1p(times)
        left = self.gram + (bought * extra[:, None]).T @ bought
        left[np.diag_indices(rank)] += self.settings["regularisation"] * len(rows)
        inverse = np.linalg.inv(left)
        return inverse @ (bought.T @ (1 + extra)), inverse

    def candidates(self, history: History) -> Candidates:
        """The best products of each component, among all and among those never bought, with all components' values."""
        wanted = int(self.settings["candidates"])
        count = len(self.products.ids)
        bought = np.zeros(count, dtype=bool)
        bought[history.items] = True
        recent = self._recent(history)
        plain = history.times + 1.0 / (2.0 + history.ages)  # most often first, of equals the latest
        tastes, _ = self.fold_in(history)
        liked = np.maximum(self.factors @ tastes, 0.0)
        alike = self._alike(history)
        first = self.by_popularity[: wanted + len(history.items)]
        found = [
            history.items[_best(recent, wanted)],
            history.items[_best(plain, wanted)],
            first[:wanted],
            first[~bought[first]][:wanted],
        ]
        for places, values in ((self.products.learned, liked), (self.products.paired, alike)):
            if len(places):
                found.append(places[_best(values, wanted)])
                found.append(places[_best(np.where(bought[places], -1.0, values), wanted)])
        chosen = np.unique(np.concatenate(found))
        items = chosen[np.argsort(self.popularity_rank[chosen])]
        values = np.zeros((len(items), len(COMPONENTS)))
        own = _places(history.items, count)[items]
        values[:, OWN_COUNT] = _scaled(plain, own)
        values[:, OWN_RECENT] = _scaled(recent, own)
        values[:, ALS] = _scaled(liked, self.learned_place[items])
        values[:, ITEMS] = _scaled(alike, self.paired_place[items])
        values[:, POPULARITY] = _scaled(self.products.popularity, items)
        return Candidates(items, np.round(values, int(self.settings["decimals"])), bought[items])

    def top(self, candidates: Candidates, weights: Array, is_new: bool, count: int) -> tuple[Array, Array]:
        """Rows of the `count` best candidates, the best first, and their scores. Of equals the more popular is first,
        then the lower position."""
        scores = np.round(candidates.values @ weights, int(self.settings["decimals"]))
        rows = np.flatnonzero(~candidates.is_bought) if is_new else np.arange(len(scores))
        rows = rows[np.argsort(-scores[rows], kind="stable")][:count]
        return rows, scores[rows]

    def because(self, history: History, items: Array, weights: Array) -> Array:
        """How much each bought product (column) spoke for each of `items` (rows), by ALS and neighbours together.

        For ALS the share of a purchase in the score is that of section 5 of Hu, Koren and Volinsky (2008).
        """
        shares = np.zeros((len(items), len(history.items)))
        _, inverse = self.fold_in(history)
        columns = np.flatnonzero(self.learned_place[history.items] >= 0)
        rows = np.flatnonzero(self.learned_place[items] >= 0)
        if len(columns) and len(rows):
            confidence = 1 + self.settings["alpha"] * np.log1p(history.times[columns])
            bought = self.factors[self.learned_place[history.items[columns]]] * confidence[:, None]
            found = self.factors[self.learned_place[items[rows]]] @ inverse @ bought.T
            shares[np.ix_(rows, columns)] += weights[ALS] * _in_share(found)
        columns = np.flatnonzero(self.paired_place[history.items] >= 0)
        if len(columns):
            places = self.paired_place[history.items[columns]]
            interest = self._recent(history)[columns]
            row = _places(items, len(self.products.ids))[self.products.neighbours[places]]
            of, place = np.nonzero(row >= 0)
            found = np.zeros((len(items), len(columns)))
            found[row[of, place], of] = self.products.similarities[places][of, place] * interest[of]
            shares[:, columns] += weights[ITEMS] * _in_share(found)
        return shares

    def _recent(self, history: History) -> Array:
        """Own history, fading: log(1 + times), halved with every half-life since the last purchase."""
        return np.log1p(history.times) * 0.5 ** (history.ages / self.settings["half_life_days"])

    def _learned_of(self, history: History) -> tuple[Array, Array]:
        rows = self.learned_place[history.items]
        return rows[rows >= 0], history.times[rows >= 0]

    def _alike(self, history: History) -> Array:
        """For each paired product the similarities to what was bought, each times the interest in that."""
        places = self.paired_place[history.items]
        interest = self._recent(history)[places >= 0]
        places = places[places >= 0]
        count = len(self.products.paired)
        if not count or not len(places):
            return np.zeros(count)
        weights = self.products.similarities[places] * interest[:, None]
        to = self.paired_place[self.products.neighbours[places]].ravel()
        is_known = to >= 0
        return np.bincount(to[is_known], weights=weights.ravel()[is_known], minlength=count)


def weights_of(said: Mapping[str, float]) -> Array:
    """Weights by name as an array in the order of COMPONENTS."""
    return np.array([float(said.get(name, 0.0)) for name in COMPONENTS])


def positions(ids: Array, wanted: Array) -> Array:
    """Where each of `wanted` stands in `ids`, -1 where it does not."""
    order = np.argsort(ids)
    place = order[np.searchsorted(ids, wanted, sorter=order).clip(max=len(ids) - 1)]
    return np.where(ids[place] == wanted, place, -1)


def recipe_text(recipe: Mapping[str, Any]) -> str:
    return json.dumps(recipe, indent=2, sort_keys=True) + "\n"


def _places(positions: Array, count: int) -> Array:
    """For each of `count` products where it stands in `positions`, -1 where it does not."""
    places = np.full(count, -1, dtype=np.int64)
    places[positions] = np.arange(len(positions))
    return places


def _best(values: Array, count: int) -> Array:
    """Places of the `count` largest values above 0, of equals the first ones."""
    places = np.flatnonzero(values >= _bound(values, count))
    # Rounded, so that the last bit does not choose among equals.
    found = np.round(values[places], 9)
    if len(found) > count:
        least = np.partition(found, len(found) - count)[len(found) - count]
        above, equal = np.flatnonzero(found > least), np.flatnonzero(found == least)
        kept = np.concatenate([above, equal[: count - len(above)]])
        places, found = places[kept], found[kept]
    return places[found > 0]


def _bound(values: Array, count: int, width: int = 32) -> float:
    """A cheap first cut that none of the `count` largest values is below: so many blocks have one that large."""
    blocks = len(values) // width
    if blocks < 2 * count:
        return 0.0
    largest = values[: blocks * width].reshape(blocks, width).max(axis=1)
    return float(np.partition(largest, blocks - count)[blocks - count]) - 1e-9


def _scaled(values: Array, places: Array) -> Array:
    """Values at the places, 0 at place -1, over the largest of all values."""
    largest = values.max(initial=0)
    if largest <= 0:
        return np.zeros(len(places))
    return np.where(places >= 0, values[places.clip(min=0)], 0) / largest


def _in_share(found: Array) -> Array:
    positive = np.maximum(found, 0.0)
    total = positive.sum(axis=1, keepdims=True)
    return np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)
