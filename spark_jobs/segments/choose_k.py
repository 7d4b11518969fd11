"""How many segments: the most that are found again when customers are drawn anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from huaxiang.judging import resampling
from huaxiang.judging.resampling import Replicates
from huaxiang.tracking.promotion import Interval
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True)
class Candidate:
    """What is known of one k.

    `stability` is the adjusted Rand index between the fit and fits on resampled customers, with the interval of these
    figures; `least_found_again` the mean Jaccard overlap of the segment that is found again worst.
    """

    k: int
    silhouette: Interval
    stability: Interval
    smallest_share: float
    least_found_again: float
    is_usable: bool


@dataclass(frozen=True)
class Choice:
    """The chosen k, every candidate, the labels of the sample at the chosen k, and what a reader should be told."""

    k: int
    candidates: tuple[Candidate, ...]
    labels: Array
    notes: tuple[str, ...]

    def candidate(self) -> Candidate | None:
        return next((candidate for candidate in self.candidates if candidate.k == self.k), None)


def choose(points: Array, params: SegmentParams) -> Choice:
    """Choose k on the rows of `points`. k = 1, with a note, where no grouping can be trusted.

    The silhouette nearly always prefers two groups, so it does not decide alone: the most segments are taken of which
    each is large enough and found again. k = 2 stands beside as a reference, and is taken when nothing above it holds.
    """
    import numpy as np
    import sklearn.cluster  # noqa: F401 (the limit below reaches only libraries that are loaded)
    from threadpoolctl import threadpool_limits

    customers = len(points)
    one = np.zeros(customers, dtype=int)
    if customers < params.fewest_customers:
        needed = f"{params.fewest_customers} are needed, so all are one segment"
        note = f"{customers} customers are too few to segment: {needed}"
        return Choice(1, (), one, (note,))
    if points.shape[1] == 0:
        return Choice(1, (), one, ("no feature differs between customers, so all are one segment",))
    distinct = len(np.unique(points, axis=0))
    largest = min(params.largest_k, customers // params.fewest_per_segment, distinct - 1)
    candidates, labels = [], {1: one}
    # One thread: hundreds of small fits gain nothing from more and, beside other work on the machine, lose tenfold by
    # waiting for each other; and sums in one order give the same figures on every machine.
    with threadpool_limits(1):
        for k in range(2, largest + 1):
            candidate, labels[k] = _of_k(points, k, params)
            candidates.append(candidate)
    usable = [candidate.k for candidate in candidates if candidate.is_usable]
    k = max(usable, default=1)
    notes = () if k >= 3 else (_why_so_few(k, candidates, params),)
    return Choice(k, tuple(candidates), labels[k], notes)


def silhouette(points: Array, labels: Array, params: SegmentParams) -> Interval:
    """Mean silhouette of a grouping; the interval is a bootstrap over customers."""
    from sklearn.metrics import silhouette_samples

    return over_customers(silhouette_samples(points, labels), params)


def over_customers(values: Array, params: SegmentParams) -> Interval:
    """The mean of the customers' values; the interval is a bootstrap over customers."""
    return resampling.mean(values, resampling.draws(len(values), params.resamples, params.seed)).interval()


def over_fits(agreements: list[float]) -> Interval:
    """The mean of what fits on customers drawn anew agree with the one on all; the interval is that of these fits."""
    import numpy as np

    return Replicates(float(np.mean(agreements)), np.array(agreements)).interval()


def found_again(labels: Array, others: Array) -> list[float]:
    """For each group of `labels` the Jaccard overlap with the group of `others` that is most like it."""
    import numpy as np

    _, rows = np.unique(labels, return_inverse=True)
    _, columns = np.unique(others, return_inverse=True)
    shared = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(shared, (rows, columns), 1)
    either = shared.sum(axis=1, keepdims=True) + shared.sum(axis=0, keepdims=True) - shared
    return [float(value) for value in (shared / either).max(axis=1)]


def judge(points: Array, labels: Array, again: Callable[[Array, int], Array], params: SegmentParams) -> Candidate:
    """How good a grouping of `points` is; `again(drawn, number)` labels them by a fit on customers drawn anew."""
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    agreements, overlaps = [], []
    for number, drawn in enumerate(resampling.redrawn(points, params.bootstraps, params.seed)):
        others = again(drawn, number)
        agreements.append(adjusted_rand_score(labels, others))
        overlaps.append(found_again(labels, others))
    stability = over_fits(agreements)
    least = round(float(np.mean(overlaps, axis=0).min()), 6)
    _, sizes = np.unique(labels, return_counts=True)
    share = round(float(sizes.min() / len(labels)), 6)
    is_usable = (
        share >= params.smallest_share
        and least >= params.least_found_again
        and stability.value >= params.least_stability
    )
    return Candidate(len(sizes), silhouette(points, labels, params), stability, share, least, is_usable)


def _of_k(points: Array, k: int, params: SegmentParams) -> tuple[Candidate, Array]:
    from sklearn.cluster import KMeans

    labels = KMeans(k, n_init=2 * params.bootstrap_starts, random_state=params.seed).fit(points).labels_

    def again(drawn: Array, number: int) -> Array:
        found: Array = KMeans(k, n_init=params.bootstrap_starts, random_state=number).fit(drawn).predict(points)
        return found

    return judge(points, labels, again, params), labels


def _why_so_few(k: int, candidates: list[Candidate], params: SegmentParams) -> str:
    three = next((candidate for candidate in candidates if candidate.k == 3), None)
    taken = "all customers are one segment" if k == 1 else "only two segments are made"
    if three is None:
        return f"the customers do not suffice for three segments, so {taken}"
    if three.smallest_share < params.smallest_share:
        reason = f"with three, one would hold {three.smallest_share:.1%} of the customers"
    else:
        reason = (
            f"with three, one is found again only to {three.least_found_again:.0%} when customers are drawn anew "
            f"({params.least_found_again:.0%} is needed)"
        )
    return f"no three usable segments: {reason}, so {taken}"
