"""Fit all parts of the recipes on the purchases up to a cut-off, and time each."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date

from spark_jobs.recommendations import factors
from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.pairs import Pairs, Purchases
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import Products


@dataclass(frozen=True)
class Fitted:
    """What was learned from the purchases up to a cut-off, and the seconds each part took."""

    catalogue: Catalogue
    products: Products
    pairs: Pairs
    seconds: dict[str, float]


def fit(purchases: Purchases, cut_off: date, params: RecommendationParams) -> Fitted:
    """Learn from purchases up to `cut_off`. Raises HuaxiangError when there are too few products or customers."""
    from threadpoolctl import threadpool_limits

    took: dict[str, float] = {}
    began = time.perf_counter()

    def lap(part: str) -> None:
        nonlocal began
        took[part], began = time.perf_counter() - began, time.perf_counter()

    of_day = purchases.catalogue(cut_off)
    pairs = purchases.pairs(cut_off)
    lap("counts")
    with threadpool_limits(1):  # the last bit of a product of matrices depends on the number of threads
        learned, als = purchases.als(cut_off, of_day, pairs)
        lap("als")
        svd_from, svd_to = factors.svd(learned, pairs, params)
        lap("svd")
        paired, neighbours, similarities = factors.item_based(of_day, pairs, params)
        lap("item_based")
        linked, links, weights = factors.ease(of_day, pairs, params)
        lap("ease")
    products = Products(
        **of_day.of_day(),
        learned=learned,
        factors=als,
        svd_from=svd_from,
        svd_to=svd_to,
        paired=paired,
        neighbours=neighbours,
        similarities=similarities,
        linked=linked,
        links=links,
        link_weights=weights,
    )
    return Fitted(of_day, products, pairs, took)
