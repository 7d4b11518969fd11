"""Rank products for one customer's history: plain numpy, the same code in Spark's workers and in the served model.

It imports none of our packages, because the served model carries this very file. Nothing here is about a customer but
the history that is handed in.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Array = np.ndarray
# What a score is made of; each is scaled so that the customer's best product has 1.
OWN_COUNT, OWN_RECENT, ALS, ITEMS, POPULARITY, SVD, EASE, CONTENT = range(8)
COMPONENTS = ("own_count", "own_recent", "als", "item_based", "popularity", "svd", "ease", "content")
# What a learned ranker sees besides them, unscaled; an age of NEVER where the customer did not buy it.
EXTRAS = ("times", "lately", "age", "first_age", "products", "buyers", "late_buyers", "repeats", "affinity", "kind_age",
          "kind_share", "liking")  # fmt: skip
NEVER = 1000.0
# All a learned ranker's skops file may hold beyond numpy and scikit-learn's plain types.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
_MOST_SELLERS = 20_000  # so many of the most bought products are ranked by content


@dataclass(frozen=True)
class History:
    """What a customer bought: positions of products (rising), in how many orders (and of these `lately`, in the last 91
    days), and days since the last and the first one."""

    items: Array
    times: Array
    ages: Array
    lately: Array
    first_ages: Array


@dataclass(frozen=True)
class Candidates:
    """Products worth ranking, the more popular first, with one column of `values` per component and one of `extras` for
    each of EXTRAS."""

    items: Array
    values: Array
    is_bought: Array
    extras: Array

    def without_bought(self) -> Candidates:
        """Those the customer never bought."""
        kept = ~self.is_bought
        return Candidates(self.items[kept], self.values[kept], self.is_bought[kept], self.extras[kept])

    @property
    def features(self) -> Array:
        """What a learned ranker sees."""
        return np.hstack([self.values, self.extras])


@dataclass(frozen=True)
class Products:
    """All that is known of products; their positions in `ids` name them everywhere else.

    Of the day, one per product: `popularity` counts recent buyers, `late_buyers` those of the last 28 days, `repeats`
    is the share of buyers who bought again, `kinds` says which are of one type (-1: not known).
    Learned, and empty in a recipe that does not look at it: `learned` are the positions that have ALS `factors`, and
    `svd_from` and `svd_to`; `paired` those that have `neighbours` (positions) with `similarities`; `linked` those that
    have `links` (positions) with `link_weights`, by EASE.
    """

    ids: Array
    popularity: Array
    late_buyers: Array
    repeats: Array
    kinds: Array
    learned: Array
    factors: Array
    svd_from: Array
    svd_to: Array
    paired: Array
    neighbours: Array
    similarities: Array
    linked: Array
    links: Array
    link_weights: Array

    def to_bytes(self) -> bytes:
        """As an npz file; equal bytes for equal products."""
        file = io.BytesIO()
        np.savez_compressed(file, **self.__dict__)
        return file.getvalue()

    @staticmethod
    def from_bytes(content: bytes) -> Products:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return Products(**{name: arrays[name] for name in arrays.files})

    def same_as(self, other: Products) -> bool:
        """Whether all that is known is equal: then so are the candidates."""
        return all(np.array_equal(values, getattr(other, name)) for name, values in self.__dict__.items())

    def parts(self, weights: Mapping[str, float]) -> Products:
        """Only what a recipe with these weights looks at."""
        looked_at = {name for name, weight in weights.items() if weight}
        names: set[str] = set()
        if not looked_at & {"als", "svd"}:
            names |= {"learned"}
        names |= set() if "als" in looked_at else {"factors"}
        names |= set() if "svd" in looked_at else {"svd_from", "svd_to"}
        names |= set() if "item_based" in looked_at else {"paired", "neighbours", "similarities"}
        names |= set() if "ease" in looked_at else {"linked", "links", "link_weights"}
        return replace(self, **{name: getattr(self, name)[:0] for name in names})

    def on(self, of_day: Mapping[str, Array]) -> Products:
        """The same factors and neighbours for another day's products, `of_day`'s ids, popularity, late_buyers, repeats
        and kinds; what is not among them is forgotten."""
        place = positions(of_day["ids"], self.ids)
        learned, paired, linked = place[self.learned], place[self.paired], place[self.linked]
        neighbours, links = place[self.neighbours[paired >= 0]], place[self.links[linked >= 0]]
        is_kept = learned >= 0
        return Products(
            **of_day,
            learned=learned[is_kept],
            factors=_kept(self.factors, is_kept),
            svd_from=_kept(self.svd_from, is_kept),
            svd_to=_kept(self.svd_to, is_kept),
            paired=paired[paired >= 0],
            neighbours=neighbours.clip(min=0),
            similarities=np.where(neighbours < 0, np.float32(0), self.similarities[paired >= 0]),
            linked=linked[linked >= 0],
            links=links.clip(min=0),
            link_weights=np.where(links < 0, np.float32(0), self.link_weights[linked >= 0]),
        )


NOTHING = np.zeros(0, dtype=np.int64)


class Ranker:
    """Ranks `products` by weights of the components, or by a learned `model` (a classifier with `decision_function`).

    `settings` are alpha, regularisation, half_life_days, candidates, decimals and most_per_kind of the training.
    """

    def __init__(self, products: Products, settings: Mapping[str, float], model: Any = None) -> None:
        self.products = products
        self.settings = settings
        self.model = model
        count = len(products.ids)
        self.by_popularity = np.lexsort((np.arange(count), -products.popularity))
        self.popularity_rank = np.empty(count, dtype=np.int64)
        self.popularity_rank[self.by_popularity] = np.arange(count)
        self.sellers = np.sort(self.by_popularity[:_MOST_SELLERS])
        of_kind = np.bincount(products.kinds + 1, weights=products.popularity)
        self.kind_share = products.popularity / np.maximum(of_kind[products.kinds + 1], 1)
        self.seller_kinds, self.seller_shares = products.kinds[self.sellers] + 1, self.kind_share[self.sellers]
        self.by_late = np.lexsort((np.arange(count), -products.late_buyers))
        self.factors = products.factors.astype(np.float64)
        self.svd_to = products.svd_to.astype(np.float64)
        self.gram = self.factors.T @ self.factors
        self.learned_place = _places(products.learned, count)
        self.paired_place = _places(products.paired, count)
        self.linked_place = _places(products.linked, count)

    def fold_in(self, history: History) -> tuple[Array, Array]:
        """The customer's factors, and the inverse they came from, by one half-step of ALS with fixed products.

        The normal equations of Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets"
        (2008), with confidence 1 + alpha * log(1 + times), and the regularisation times the number of products bought
        (as Spark does, after Zhou et al. 2008). A history without learned products has factors of 0.
        """
        rows, times = self._learned_of(history, len(self.factors))
        rank = self.factors.shape[1]
        if len(rows) == 0:
            return np.zeros(rank), np.zeros((rank, rank))
        bought = self.factors[rows]
        extra = self.settings["alpha"] * np.log1p(times)
        left = self.gram + (bought * extra[:, None]).T @ bought
        left[np.diag_indices(rank)] += self.settings["regularisation"] * len(rows)
        inverse = np.linalg.inv(left)
        return inverse @ (bought.T @ (1 + extra)), inverse

    def candidates(self, history: History, without: Array = NOTHING) -> Candidates:
        """The best products of each component, among all and among those never bought, with all components' values.

        Positions in `without` are never among them; as many others take their places.
        """
        wanted = int(self.settings["candidates"]) + len(without)
        count = len(self.products.ids)
        bought = np.zeros(count, dtype=bool)
        bought[history.items] = True
        recent = self._recent(history)
        plain = history.times + 1.0 / (2.0 + history.ages)  # most often first, of equals the latest
        tastes, _ = self.fold_in(history)
        liked = np.maximum(self.factors @ tastes, 0.0)
        alike = _summed(self.products.paired, self.paired_place, self.products.neighbours, self.products.similarities,
                        history.items, recent)  # fmt: skip
        linked = _summed(self.products.linked, self.linked_place, self.products.links, self.products.link_weights,
                         history.items, np.ones(len(history.items)))  # fmt: skip
        rebuilt = self._rebuilt(history)
        affinity = self._by_kind(history, recent)
        content = np.log1p(affinity)[self.seller_kinds] * self.seller_shares
        first, late = self.by_popularity[: wanted + len(history.items)], self.by_late[: wanted + len(history.items)]
        found = [
            history.items[_best(recent, wanted)],
            history.items[_best(plain, wanted)],
            first[:wanted],
            first[~bought[first]][:wanted],
            late[~bought[late]][:wanted],
        ]
        for places, values in (
            (self.products.learned[: len(liked)], liked),
            (self.products.learned[: len(rebuilt)], rebuilt),
            (self.products.paired, alike),
            (self.products.linked, linked),
            (self.sellers, content),
        ):
            if len(places):
                found.append(places[_best(values, wanted)])
                found.append(places[_best(np.where(bought[places], -1.0, values), wanted)])
        chosen = np.setdiff1d(np.concatenate(found), without)
        items = chosen[np.argsort(self.popularity_rank[chosen])]
        values = np.zeros((len(items), len(COMPONENTS)))
        own = _places(history.items, count)[items]
        values[:, OWN_COUNT] = _scaled(plain, own)
        values[:, OWN_RECENT] = _scaled(recent, own)
        values[:, ALS] = _scaled(liked, self.learned_place[items])
        values[:, ITEMS] = _scaled(alike, self.paired_place[items])
        values[:, POPULARITY] = _scaled(self.products.popularity, items)
        values[:, SVD] = _scaled(rebuilt, self.learned_place[items])
        values[:, EASE] = _scaled(linked, self.linked_place[items])
        seller = _places(self.sellers, count)[items]
        values[:, CONTENT] = _scaled(content, seller)
        extras = self._extras(history, items, own, affinity, liked)
        decimals = int(self.settings["decimals"])
        return Candidates(items, np.round(values, decimals), bought[items], np.round(extras, decimals))

    def scores(self, candidates: Sequence[Candidates], weights: Array) -> list[Array]:
        """A score per candidate of each customer: by the learned model where there is one, else by the weights."""
        decimals = int(self.settings["decimals"])
        if self.model is None:
            return [np.round(one.values @ weights, decimals) for one in candidates]
        every = np.round(self.model.decision_function(np.vstack([one.features for one in candidates])), decimals)
        return np.split(every, np.cumsum([len(one.items) for one in candidates])[:-1])

    def top(self, candidates: Candidates, scores: Array, is_new: bool, count: int) -> Array:
        """Rows of the `count` best candidates, the best first. Of equals the more popular is first, then the lower
        position. At most `most_per_kind` are of one kind, 0 being no limit."""
        rows = np.flatnonzero(~candidates.is_bought) if is_new else np.arange(len(scores))
        rows = rows[np.argsort(-scores[rows], kind="stable")]
        most = int(self.settings.get("most_per_kind", 0))
        return (_spread(rows, self.products.kinds[candidates.items[rows]], most) if most else rows)[:count]

    def because(self, history: History, items: Array, weights: Array) -> Array:
        """How much each bought product (column) spoke for each of `items` (rows), by ALS and neighbours together.

        For ALS the share of a purchase in the score is that of section 5 of Hu, Koren and Volinsky (2008).
        """
        shares = np.zeros((len(items), len(history.items)))
        _, inverse = self.fold_in(history)
        columns = np.flatnonzero(self.learned_place[history.items] >= 0)
        rows = np.flatnonzero(self.learned_place[items] >= 0)
        if len(columns) and len(rows) and len(self.factors):
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

    def _learned_of(self, history: History, count: int) -> tuple[Array, Array]:
        rows = self.learned_place[history.items]
        is_known = (rows >= 0) & (rows < count)
        return rows[is_known], history.times[is_known]

    def _rebuilt(self, history: History) -> Array:
        """The history as a truncated SVD rebuilds it, for each learned product."""
        rows, times = self._learned_of(history, len(self.products.svd_from))
        return np.maximum(self.svd_to @ (np.log1p(times) @ self.products.svd_from[rows]), 0.0)

    def _by_kind(self, history: History, recent: Array) -> Array:
        """The interest in each kind, the unknown one first with 0."""
        kinds = self.products.kinds
        found = np.bincount(kinds[history.items] + 1, weights=recent, minlength=int(kinds.max(initial=-1)) + 2)
        found[0] = 0.0
        return found

    def _extras(self, history: History, items: Array, own: Array, affinity: Array, liked: Array) -> Array:
        is_own, place, products = own >= 0, own.clip(min=0), self.products
        extras = np.zeros((len(items), len(EXTRAS)))
        if len(history.items):
            for column, values, otherwise in (
                (0, history.times, 0.0),
                (1, history.lately, 0.0),
                (2, history.ages, NEVER),
                (3, history.first_ages, NEVER),
            ):
                extras[:, column] = np.where(is_own, values[place], otherwise)
        else:
            extras[:, 2:4] = NEVER
        kind_ages = np.full(len(affinity), NEVER)
        np.minimum.at(kind_ages, products.kinds[history.items] + 1, history.ages)
        kind_ages[0] = NEVER
        extras[:, 4] = len(history.items)
        extras[:, 5], extras[:, 6], extras[:, 7] = (
            products.popularity[items], products.late_buyers[items], products.repeats[items]
        )  # fmt: skip
        kind = products.kinds[items] + 1
        extras[:, 8], extras[:, 9], extras[:, 10] = affinity[kind], kind_ages[kind], self.kind_share[items]
        if len(liked):
            row = self.learned_place[items]
            extras[:, 11] = np.where(row >= 0, liked[row.clip(min=0)], 0.0)
        return extras


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


def _summed(listed: Array, place: Array, to: Array, weights: Array, items: Array, interest: Array) -> Array:
    """For each of the `listed` products the weights that lead to it from what was bought, each times the interest."""
    places = place[items]
    is_known = places >= 0
    places = places[is_known]
    if not len(listed) or not len(places):
        return np.zeros(len(listed))
    found = weights[places] * interest[is_known][:, None]
    target = place[to[places]].ravel()
    kept = target >= 0
    return np.bincount(target[kept], weights=found.ravel()[kept], minlength=len(listed))


def _spread(rows: Array, kinds: Array, most: int) -> Array:
    """The rows in their order without those that are of a kind listed `most` times before; of unknown kind all stay."""
    seen: dict[int, int] = {}
    kept = []
    for row, kind in zip(rows.tolist(), kinds.tolist(), strict=True):
        seen[kind] = seen.get(kind, 0) + 1
        if kind < 0 or seen[kind] <= most:
            kept.append(row)
    return np.array(kept, dtype=np.int64)


def _kept(values: Array, rows: Array) -> Array:
    """These rows; of a part that a recipe does not look at, nothing."""
    return values[rows] if len(values) == len(rows) else values


def _scaled(values: Array, places: Array) -> Array:
    """Values at the places, 0 at place -1, over the largest of all values."""
    largest = values.max(initial=0)
    if largest <= 0 or not len(values):
        return np.zeros(len(places))
    return np.where(places >= 0, values[places.clip(min=0)], 0) / largest


def _in_share(found: Array) -> Array:
    positive = np.maximum(found, 0.0)
    total = positive.sum(axis=1, keepdims=True)
    return np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)
