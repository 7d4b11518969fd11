"""Other shapes than K-Means': a Gaussian mixture and the groups that HDBSCAN finds, judged as they would score.

K-Means makes round groups of like width. A mixture (McLachlan and Peel, "Finite Mixture Models", 2000) has a width per
group and feature, and BIC says how many groups. HDBSCAN (Campello, Moulavi and Sander, PAKDD 2013) finds groups of
any shape and calls the rest noise; everybody needs a segment, so its groups score by the nearest of their centres.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.segments import nearest
from spark_jobs.segments.choose_k import Candidate, judge
from spark_jobs.segments.model import Segment, SegmentModel, unnamed
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

K_MEANS, MIXTURE, DENSITY = "spark-kmeans", "gaussian-mixture", "hdbscan"


@dataclass(frozen=True)
class Shape:
    """Groups of one recipe. `candidate` is None where there are fewer than two; `reason` says why it cannot compete."""

    recipe: str
    segments: tuple[Segment, ...]
    labels: Array
    candidate: Candidate | None
    figures: Mapping[str, float]
    reason: str


def shapes(points: Array, fewest: int, params: SegmentParams) -> tuple[Shape, ...]:
    """Those of `params`, fitted on `points`. One competes that makes `fewest` groups, all large and found again."""
    import sklearn.cluster  # noqa: F401 (the limit below reaches only libraries that are loaded)
    from threadpoolctl import threadpool_limits

    recipes = {MIXTURE: _mixture, DENSITY: _density}
    with threadpool_limits(1):  # as when k is chosen
        return tuple(recipes[recipe](points, fewest, params) for recipe in params.shapes)


def label(points: Array, segments: tuple[Segment, ...], params: SegmentParams) -> Array:
    """The place of each point's segment, as scoring finds it."""
    labels: Array = nearest.segment_ids(points, SegmentModel("", "", params.decimals, (), segments, {})) - 1
    return labels


def _mixture(points: Array, fewest: int, params: SegmentParams) -> Shape:
    began = time.perf_counter()
    bic = {k: _fitted_mixture(points, k, params).bic(points) for k in range(2, params.largest_k + 1)}
    k = min(bic, key=lambda k: (bic[k], k))

    def fit(drawn: Array) -> tuple[Segment, ...]:
        return _segments_of_mixture(_fitted_mixture(drawn, k, params), params)

    return _shape(MIXTURE, points, fit, fewest, {"bic": round(float(bic[k]), 2)}, began, params)


def _fitted_mixture(points: Array, k: int, params: SegmentParams):  # type: ignore[no-untyped-def]
    from sklearn.mixture import GaussianMixture

    return GaussianMixture(
        k,
        covariance_type="diag",
        n_init=params.mixture_starts,
        reg_covar=params.least_variance,
        max_iter=params.max_iterations,
        random_state=params.seed,
    ).fit(points)


def _segments_of_mixture(fitted, params: SegmentParams) -> tuple[Segment, ...]:  # type: ignore[no-untyped-def]
    """The likeliest component as the nearest centre: -2 log(weight x density), less what all have in common."""
    import numpy as np

    offsets = np.log(fitted.covariances_).sum(axis=1) - 2 * np.log(np.maximum(fitted.weights_, 1e-12))
    return unnamed(fitted.means_, params.decimals, np.sqrt(fitted.covariances_), offsets - offsets.min())


def _density(points: Array, fewest: int, params: SegmentParams) -> Shape:
    import numpy as np
    from sklearn.cluster import HDBSCAN

    began = time.perf_counter()
    least = max(params.fewest_per_segment, int(params.smallest_share * len(points)))

    def found(drawn: Array) -> HDBSCAN:
        return HDBSCAN(
            min_cluster_size=least, min_samples=params.outliers.neighbours, store_centers="centroid", copy=True
        ).fit(drawn)

    noise = round(float(np.mean(found(points).labels_ == -1)), params.decimals)
    return _shape(
        DENSITY,
        points,
        lambda drawn: unnamed(found(drawn).centroids_, params.decimals),
        fewest,
        {"noise_share": noise},
        began,
        params,
    )


def _shape(
    recipe: str,
    points: Array,
    fit: Callable[[Array], tuple[Segment, ...]],
    fewest: int,
    figures: Mapping[str, float],
    began: float,
    params: SegmentParams,
) -> Shape:
    import numpy as np

    segments = fit(points)
    labels = label(points, segments, params) if segments else np.zeros(len(points), dtype=int)
    candidate = None
    if len(set(labels)) > 1:

        def again(drawn: Array, number: int) -> Array:
            found = fit(drawn)
            return label(points, found, params) if found else np.zeros(len(points), dtype=int)

        candidate = judge(points, labels, again, params)
    seconds = round(time.perf_counter() - began, 2)
    return Shape(
        recipe, segments, labels, candidate, {**figures, "fit_seconds": seconds}, _why_not(candidate, fewest, params)
    )


def _why_not(candidate: Candidate | None, fewest: int, params: SegmentParams) -> str:
    if candidate is None:
        return "it finds fewer than two groups"
    if candidate.k < fewest:
        return f"it tells {candidate.k} groups apart, K-Means {fewest}"
    share, again, stability = candidate.smallest_share, candidate.least_found_again, candidate.stability.value
    if share < params.smallest_share:
        return f"one group holds {share:.1%} of the customers ({params.smallest_share:.0%} is needed)"
    if again < params.least_found_again:
        return f"one group is found again only to {again:.0%} ({params.least_found_again:.0%} is needed)"
    if stability < params.least_stability:
        return f"its stability is {stability:.2f} ({params.least_stability:.2f} is needed)"
    return ""
