"""Intervals over customers, paired between recipes: of any mean, of AUC and of the Brier score, by bootstrap.

A customer drawn twice counts twice at every cut-off and in every category, so rows of one customer, which are alike, do
not pass for independent ones (the cluster bootstrap). Every recipe is weighed by the same draws: their differences are
paired. Ties in a score count half, as in the Mann-Whitney statistic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum, sqrt
from typing import TYPE_CHECKING

from huaxiang.tracking.promotion import Interval

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True)
class Replicates:
    """A figure and its value in every resample."""

    value: float
    resamples: Array

    def interval(self, outside: float = 0.05) -> Interval:
        """The figure between two percentiles of its resamples, beyond which that share lies, half on either side."""
        import numpy as np

        low, high = np.nanpercentile(self.resamples, [50 * outside, 100 - 50 * outside])
        return Interval(round(float(self.value), 6), round(float(low), 6), round(float(high), 6))

    def minus(self, other: Replicates) -> Replicates:
        """The paired difference."""
        return Replicates(self.value - other.value, self.resamples - other.resamples)


def draws(customers: int, resamples: int, seed: int) -> Array:
    """How often each customer is drawn: one column per resample, after a first one in which each counts once."""
    import numpy as np

    if not customers:
        return np.ones((0, resamples + 1))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(customers, np.full(customers, 1.0 / customers), size=resamples)
    return np.vstack([np.ones((1, customers)), drawn]).T.copy()


def redrawn(rows: Array, times: int, seed: int) -> Iterator[Array]:
    """The rows drawn anew, each time as many: for what has to be fitted again, where counting twice does not do."""
    import numpy as np

    rng = np.random.default_rng(seed)
    for _ in range(times):
        yield rows[rng.integers(0, len(rows), len(rows))]


def of_draws(values: Array) -> Replicates:
    """What was worked out for every column of `draws`: the first is the figure, the others are its resamples."""
    return Replicates(float(values[0]), values[1:])


def mean(values: Array, drawn: Array) -> Replicates:
    """The mean of the customers' values, one per row of `drawn`."""
    return of_draws(values @ drawn / drawn.sum(axis=0))


def of_clusters(sums: Sequence[float], counts: Sequence[float]) -> Interval:
    """The mean over all rows, of which each customer has `counts` that add up to `sums`; its 95 % interval without
    resamples, by the normal distribution of a ratio of two sums over customers (Cochran, Sampling Techniques, 1977)."""
    rows, customers = fsum(counts), len(counts)
    value = fsum(sums) / rows
    spread = fsum((one - value * count) ** 2 for one, count in zip(sums, counts, strict=True))
    half = 1.959964 * sqrt(spread * customers / (customers - 1)) / rows
    return Interval(round(value, 6), round(value - half, 6), round(value + half, 6))


def auc(labels: Array, scores: Array, weights: Array) -> Array:
    """AUC of the rows under each column of `weights` (one row per row of the data); NaN where a class is missing."""
    import numpy as np

    is_event = labels > 0
    order = np.argsort(scores[~is_event], kind="stable")
    others = scores[~is_event][order]
    # Weight of the rows without the event below each place; sums of whole numbers are exact in any order.
    below = np.vstack([np.zeros((1, weights.shape[1])), np.cumsum(weights[~is_event][order], axis=0)])
    positive = weights[is_event]
    first, last = (np.searchsorted(others, scores[is_event], side) for side in ("left", "right"))
    won = np.einsum("ij,ij->j", positive, below[first]) + np.einsum("ij,ij->j", positive, below[last])
    pairs = positive.sum(axis=0) * below[-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, won / 2 / pairs, np.nan)


def brier(labels: Array, probabilities: Array, weights: Array) -> Array:
    """Mean squared error of the probabilities under each column of `weights`."""
    import numpy as np

    total = weights.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0, np.einsum("i,ij->j", (probabilities - labels) ** 2, weights) / total, np.nan)


def by_group(
    groups: Array, customers: Array, drawn: Array, labels: Array, scores: Array, probabilities: Array
) -> tuple[Array, Array]:
    """AUC of the scores and Brier score of the probabilities in every group (codes 0, 1, ...).

    One row per group, one column per column of `drawn`: the mean over groups is the macro mean, resample by resample.
    """
    import numpy as np

    order = np.argsort(groups, kind="stable")
    bounds = np.flatnonzero(np.diff(groups[order]))
    aucs, briers = [], []
    for rows in np.split(order, bounds + 1):
        weights = drawn[customers[rows]]
        aucs.append(auc(labels[rows], scores[rows], weights))
        briers.append(brier(labels[rows], probabilities[rows], weights))
    return np.vstack(aucs), np.vstack(briers)


def replicates(figures: Array) -> Replicates:
    """The mean over groups, and in every resample; a group that lacks a class in a resample is passed over there."""
    import numpy as np

    return of_draws(np.nanmean(figures, axis=0))
