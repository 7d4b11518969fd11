"""Judge ranked lists: hit rate, NDCG and recall at k, per customer and in all, and say what
lists are like: how much of the catalogue they show, and how little known it is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from huaxiang.judging import resampling

Array = np.ndarray
NAMES = ("hr", "ndcg", "recall")


def per_customer(hits: Array, relevant: Array, k: int) -> dict[str, Array]:
    """Metrics at k of customers (rows), from `hits` (is the product of rank 1, 2, ... bought?) and the number of
    `relevant` products of each, those that no list could hold included; it is at least 1.

    HR is 1 with a hit among the first k. Recall is hits over relevant. NDCG has gain 1 per hit, discount
    1 / log2(rank + 1), over the best list that k ranks allow (Järvelin and Kekäläinen 2002).
    """
    first = hits[:, :k].astype(float)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(relevant, k) - 1]
    return {
        "hr": first.any(axis=1).astype(float),
        "ndcg": first @ discounts[: first.shape[1]] / ideal,
        "recall": first.sum(axis=1) / relevant,
    }


def likeness(listed: Array, information: Array) -> dict[str, float]:
    """What lists are like (customers x ranks of product numbers, below 0 where there is none), be it good or not:
    `coverage` is the share of all products that stand on some list, `novelty` the mean self-information of what is
    listed, in bits (Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", 2010)."""
    found = listed[listed >= 0]
    shown = len(np.unique(found)) / max(len(information), 1)
    return {"coverage": round(shown, 6), "novelty": round(float(information[found].mean()) if len(found) else 0.0, 6)}


def information(items: Array, products: int, customers: int) -> Array:
    """The self-information of each product: minus the binary logarithm of the share of customers who bought it, from
    `items`, one per customer and product bought. A product nobody bought counts as bought by one."""
    buyers = np.maximum(np.bincount(items, minlength=products), 1)
    return np.asarray(np.log2(max(customers, 1)) - np.log2(buyers))


def flat(values: Mapping[str, Array], baseline: Mapping[str, Array], drawn: Array, k: int) -> dict[str, float]:
    """`{x_at_k, x_at_k_low, x_at_k_high}`, the same of the baseline and of the paired difference, for every metric."""
    figures: dict[str, float] = {}
    for name in NAMES:
        key = f"{name}_at_{k}"
        ours, theirs = resampling.mean(values[name], drawn), resampling.mean(baseline[name], drawn)
        figures |= ours.interval().figures(key)
        figures |= theirs.interval().figures(f"baseline_{key}")
        figures |= ours.minus(theirs).interval().figures(f"{key}_gain")
    return figures
