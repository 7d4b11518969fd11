"""Rank products for one customer's history, by weights of the components or by a learned model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .arrays import in_share, largest, places_in, scaled, spread, summed
from .candidates import (
    ALS,
    COMPONENTS,
    CONTENT,
    EASE,
    ITEMS,
    OWN_COUNT,
    OWN_RECENT,
    POPULARITY,
    SVD,
    Candidates,
)
from .figures import figures
from .history import NOTHING, History, interest
from .known import Products

Array = np.ndarray
_MOST_SELLERS = 20_000  # so many of the most bought products are ranked by content


class Ranker:
    """Ranks `products` by weights of the components, or by a learned `model` (a classifier with `decision_function`).

    `settings` are alpha, regularisation, half_life_days, starting_power, candidates, decimals and most_per_kind of the
    training.
    Positions in `barred` are recommended to nobody; what was bought of them still tells of the customer.
    """

    def __init__(
        self, products: Products, settings: Mapping[str, float], model: Any = None, barred: Array = NOTHING
    ) -> None:
        self.products = products
        self.settings = settings
        self.model = model
        count = len(products.ids)
        self.is_barred = np.isin(np.arange(count), barred)
        self.bars_any = bool(self.is_barred.any())
        self.by_popularity = np.lexsort((np.arange(count), -products.popularity))
        self.popularity_rank = np.empty(count, dtype=np.int64)
        self.popularity_rank[self.by_popularity] = np.arange(count)
        self.sellers = np.sort(self.by_popularity[:_MOST_SELLERS])
        of_kind = np.bincount(products.kinds + 1, weights=products.popularity)
        self.kind_share = products.popularity / np.maximum(of_kind[products.kinds + 1], 1)
        self.seller_kinds, self.seller_shares = products.kinds[self.sellers] + 1, self.kind_share[self.sellers]
        self.by_late = np.lexsort((np.arange(count), -products.late_buyers))
        self.offered = self.by_popularity[~self.is_barred[self.by_popularity]]
        self.offered_late = self.by_late[~self.is_barred[self.by_late]]
        starting = products.starting ** float(settings.get("starting_power", 0.0))
        self.learned_starting, self.paired_starting, self.linked_starting = (
            starting[places] for places in (products.learned, products.paired, products.linked)
        )
        self.factors = products.factors.astype(np.float64)
        self.svd_to = products.svd_to.astype(np.float64)
        self.gram = self.factors.T @ self.factors
        self.learned_place = places_in(products.learned, count)
        self.paired_place = places_in(products.paired, count)
        self.linked_place = places_in(products.linked, count)

    def fold_in(self, history: History) -> tuple[Array, Array]:
        """The customer's factors, and the inverse they came from, by one half-step of ALS with fixed products.

        The normal equations of Hu, Koren and Volinsky, "Collaborative Filtering for Implicit Feedback Datasets"
        (2008), with confidence 1 + alpha * log(1 + times), and the regularisation times the number of products bought
        (as Spark does, after Zhou et al. 2008). A history without learned products has factors of 0.
        """
        rows, known = self._learned_of(history, len(self.factors))
        rank = self.factors.shape[1]
        if len(rows) == 0:
            return np.zeros(rank), np.zeros((rank, rank))
        bought = self.factors[rows]
        extra = self.settings["alpha"] * np.log1p(history.times[known])
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
        likely = self._likely(liked, self.learned_starting, self.learned_place, history)
        alike = summed(self.products.paired, self.paired_place, self.products.neighbours, self.products.similarities,
                       history.items, recent)  # fmt: skip
        linked = summed(self.products.linked, self.linked_place, self.products.links, self.products.link_weights,
                        history.items, np.ones(len(history.items)))  # fmt: skip
        rebuilt = self._likely(self._rebuilt(history), self.learned_starting, self.learned_place, history)
        alike = self._likely(alike, self.paired_starting, self.paired_place, history)
        linked = self._likely(linked, self.linked_starting, self.linked_place, history)
        affinity = self._by_kind(history, recent)
        content = np.log1p(affinity)[self.seller_kinds] * self.seller_shares
        first, late = self.offered[: wanted + len(history.items)], self.offered_late[: wanted + len(history.items)]
        found = [
            history.items[largest(self._unbarred(history.items, recent), wanted)],
            history.items[largest(self._unbarred(history.items, plain), wanted)],
            first[:wanted],
            first[~bought[first]][:wanted],
            late[~bought[late]][:wanted],
        ]
        for places, values in (
            (self.products.learned[: len(likely)], likely),
            (self.products.learned[: len(rebuilt)], rebuilt),
            (self.products.paired, alike),
            (self.products.linked, linked),
            (self.sellers, content),
        ):
            if len(places):
                allowed = self._unbarred(places, values)
                found.append(places[largest(allowed, wanted)])
                found.append(places[largest(np.where(bought[places], -1.0, allowed), wanted)])
        chosen = np.setdiff1d(np.concatenate(found), without)
        items = chosen[np.argsort(self.popularity_rank[chosen])]
        values = np.zeros((len(items), len(COMPONENTS)))
        own = places_in(history.items, count)[items]
        values[:, OWN_COUNT] = scaled(plain, own)
        values[:, OWN_RECENT] = scaled(recent, own)
        values[:, ALS] = scaled(likely, self.learned_place[items])
        values[:, ITEMS] = scaled(alike, self.paired_place[items])
        values[:, POPULARITY] = scaled(self.products.popularity, items)
        values[:, SVD] = scaled(rebuilt, self.learned_place[items])
        values[:, EASE] = scaled(linked, self.linked_place[items])
        seller = places_in(self.sellers, count)[items]
        values[:, CONTENT] = scaled(content, seller)
        liking = self._liking(items, liked)
        extras = figures(history, items, own, self.products, self.kind_share, affinity, liking)
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
        return (spread(rows, self.products.kinds[candidates.items[rows]], most) if most else rows)[:count]

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
            shares[np.ix_(rows, columns)] += weights[ALS] * in_share(found)
        columns = np.flatnonzero(self.paired_place[history.items] >= 0)
        if len(columns):
            places = self.paired_place[history.items[columns]]
            interest = self._recent(history)[columns]
            row = places_in(items, len(self.products.ids))[self.products.neighbours[places]]
            of, place = np.nonzero(row >= 0)
            found = np.zeros((len(items), len(columns)))
            found[row[of, place], of] = self.products.similarities[places][of, place] * interest[of]
            shares[:, columns] += weights[ITEMS] * in_share(found)
        return shares

    @staticmethod
    def _likely(values: Array, starting: Array, place: Array, history: History) -> Array:
        """The values, those of products never bought times `starting`: who has not bought by now what everybody knows
        will hardly begin."""
        found = values * starting[: len(values)]
        bought = place[history.items]
        bought = bought[(bought >= 0) & (bought < len(values))]
        found[bought] = values[bought]
        return found

    def _unbarred(self, places: Array, values: Array) -> Array:
        """The values, below 0 where the product is barred."""
        return np.where(self.is_barred[places], -1.0, values) if self.bars_any else values

    def _recent(self, history: History) -> Array:
        """Own history, fading: log(1 + times), halved with every half-life since the last purchase."""
        return np.log1p(history.times) * 0.5 ** (history.ages / self.settings["half_life_days"])

    def _learned_of(self, history: History, count: int) -> tuple[Array, Array]:
        """Rows of the learned products of a history, and which of it these are."""
        rows = self.learned_place[history.items]
        is_known = (rows >= 0) & (rows < count)
        return rows[is_known], is_known

    def _rebuilt(self, history: History) -> Array:
        """The history as a truncated SVD rebuilds it, for each learned product."""
        rows, known = self._learned_of(history, len(self.products.svd_from))
        felt = interest(history.times[known], history.ages[known])
        return np.maximum(self.svd_to @ (felt @ self.products.svd_from[rows]), 0.0)

    def _by_kind(self, history: History, recent: Array) -> Array:
        """The interest in each kind, the unknown one first with 0."""
        kinds = self.products.kinds
        found = np.bincount(kinds[history.items] + 1, weights=recent, minlength=int(kinds.max(initial=-1)) + 2)
        found[0] = 0.0
        return found

    def _liking(self, items: Array, liked: Array) -> Array:
        """What ALS says of the candidates, unscaled."""
        if not len(liked):
            return np.zeros(len(items))
        rows = self.learned_place[items]
        return np.where(rows >= 0, liked[rows.clip(min=0)], 0.0)
