"""Customers unlike everybody: business buyers, test accounts, fraud. What is usual is learned, the rest stands out.

DBSCAN (Ester, Kriegel, Sander and Xu, KDD 1996) calls a customer usual who lies in a crowd: a large group in which
everyone has enough others near. Its crowd is made of customers, so the model keeps it as the middles of groups of at
least five of them, and scoring asks how far the nearest middle is: a few sums per customer, for any number of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from spark_jobs.segments.naming import said
from spark_jobs.segments.params import OutlierParams

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Figure:
    """One thing in which a customer can be unlike others: how it is said, and the feature, or two to be divided."""

    name: str
    label: str
    kind: str
    features: tuple[str, ...]


@dataclass(frozen=True)
class Usual:
    """What is usual of one figure. Its logarithm less `middle`, over `spread`, is a coordinate.

    `low` and `high` hold 98 % of the crowd. The spread is half the distance between the 16th and 84th percentile, which
    no outlier moves.
    """

    name: str
    middle: float
    spread: float
    low: float
    high: float


@dataclass(frozen=True)
class Crowd:
    """All that scoring needs, without any customer's row. Who is beyond `reach` of every middle is unlike everybody.

    `report` holds `noise_share` (by DBSCAN), `agreement` (Jaccard overlap of its outliers with those beyond reach),
    `eps`, `groups` and `customers`.
    """

    usual: tuple[Usual, ...]
    middles: tuple[tuple[float, ...], ...]
    reach: float
    report: dict[str, float]


FIGURES = (
    Figure("order_count_91d", "orders in 91 days", "number", ("order_count_91d",)),
    Figure("basket_lines_mean", "lines per order", "number", ("basket_lines_mean",)),
    Figure("line_net_mean", "net spend per line", "money", ("net_spend", "line_count")),
    Figure("gap_unevenness", "unevenness of the days between orders", "ratio", ("gap_days_std", "gap_days_mean")),
    Figure("category_count", "categories bought", "number", ("category_count",)),
)
_BY_NAME = {figure.name: figure for figure in FIGURES}
TOGETHER = "no figure alone is unusual, but all together are"


def learn(customers: pd.DataFrame, params: OutlierParams) -> Crowd | None:
    """What is usual among these customers; None where they are too few or do not differ in two figures."""
    import numpy as np
    import sklearn.cluster
    from threadpoolctl import threadpool_limits

    raw = figures(customers)
    usual = [one for name in raw for one in _usual(name, raw[name].to_numpy(dtype=float), params)]
    if len(customers) < params.fewest_customers or len(usual) < 2:
        return None
    points = _points(raw, usual, params)
    eps = round(params.reach_of_neighbours * _usual_distance(points, params), params.decimals)
    if eps == 0:  # most customers are exactly alike
        return None
    with threadpool_limits(1):  # sums in one order give the same figures on every machine
        found = sklearn.cluster.DBSCAN(eps=eps, min_samples=params.neighbours).fit(points)
        is_usual = _in_a_crowd(found.labels_, params)
        core = points[np.intersect1d(found.core_sample_indices_, np.flatnonzero(is_usual))]
        if len(core) < 2 * params.fewest_per_group:
            return None
        middles = _middles(core, params)
    away = _distances(points, middles, params)
    reach = round(float(np.quantile(away, is_usual.mean())), params.decimals)
    is_beyond = away > reach
    either = int((is_beyond | ~is_usual).sum())
    report = {
        "noise_share": round(float(1 - is_usual.mean()), params.decimals),
        "agreement": round(float((is_beyond & ~is_usual).sum()) / either, params.decimals) if either else 1.0,
        "eps": eps,
        "groups": float(len(middles)),
        "customers": float(len(customers)),
    }
    inside = raw[is_usual]
    known = tuple(_bounded(one, inside[one.name].to_numpy(dtype=float), params) for one in usual)
    return Crowd(known, tuple(tuple(map(float, middle)) for middle in middles), reach, report)


def judged(customers: pd.DataFrame, crowd: Crowd | None, params: OutlierParams, currency: str) -> pd.DataFrame:
    """Add `is_outlier`, `outlier_score` (distance from the nearest middle over reach: above 1 is beyond it) and
    `outlier_reason` (the figures beyond what is usual, the furthest first). All empty where nothing was learned."""
    import numpy as np
    import pandas as pd

    if crowd is None:
        empty = {"is_outlier": pd.array([None] * len(customers), dtype="boolean"), "outlier_score": np.nan}
        return customers.assign(**empty, outlier_reason=None)
    raw = figures(customers)
    points = _points(raw, crowd.usual, params)
    away = _distances(points, np.array(crowd.middles), params)
    is_outlier = away > crowd.reach
    reasons = np.full(len(customers), None, dtype=object)
    for row in np.flatnonzero(is_outlier):
        reasons[row] = _reason(raw.iloc[row], points[row], crowd.usual, currency, params)
    return customers.assign(
        is_outlier=pd.array(is_outlier, dtype="boolean"),
        outlier_score=np.round(away / crowd.reach, params.decimals) if crowd.reach else away,
        outlier_reason=reasons,
    )


def needed(crowd: Crowd | None) -> set[str]:
    """The features that scoring reads."""
    return {feature for one in crowd.usual for feature in _BY_NAME[one.name].features} if crowd else set()


def from_said(said: dict[str, Any] | None) -> Crowd | None:
    """The crowd of a model file; None where it was trained without one."""
    if said is None:
        return None
    usual = tuple(Usual(**one) for one in said["usual"])
    return Crowd(usual, tuple(map(tuple, said["middles"])), said["reach"], said["report"])


def figures(customers: pd.DataFrame) -> pd.DataFrame:
    """The figures whose features are there, one column each; empty where nothing is known."""
    import pandas as pd

    columns = {}
    for figure in FIGURES:
        if set(figure.features) <= set(customers.columns):
            part, *whole = (customers[name].astype(float) for name in figure.features)
            columns[figure.name] = part / whole[0].where(whole[0] > 0) if whole else part
    return pd.DataFrame(columns, index=customers.index)


# Learning.


def _usual(name: str, values: Floats, params: OutlierParams) -> list[Usual]:
    """The scaling of a figure; none where nothing is known or most customers are alike."""
    import numpy as np

    known = _levels(values[~np.isnan(values)])
    if not len(known):
        return []
    low, middle, high = np.quantile(known, [0.16, 0.5, 0.84])
    spread = round(float(high - low) / 2, params.decimals)
    return [Usual(name, round(float(middle), params.decimals), spread, 0.0, 0.0)] if spread > 0 else []


def _usual_distance(points: Floats, params: OutlierParams) -> float:
    """The median distance to the last of the nearest neighbours: a half of strange customers would not change it."""
    import numpy as np
    from scipy.spatial import cKDTree

    away, _ = cKDTree(points).query(points, k=params.neighbours)
    return float(np.median(away[:, -1]))


def _in_a_crowd(labels: npt.NDArray[np.int64], params: OutlierParams) -> npt.NDArray[np.bool_]:
    """Who is in a large group: strange customers who are like each other form a small one."""
    import numpy as np

    groups, sizes = np.unique(labels[labels >= 0], return_counts=True)
    return np.isin(labels, groups[sizes >= params.crowd_share * len(labels)])


def _middles(core: Floats, params: OutlierParams) -> Floats:
    """Means of groups of alike customers; a group of too few is left out, since its mean would nearly be a customer."""
    import numpy as np
    from sklearn.cluster import MiniBatchKMeans

    count = max(1, min(params.groups, len(core) // (2 * params.fewest_per_group)))
    grouped = MiniBatchKMeans(count, n_init=1, batch_size=4096, random_state=params.seed).fit(core)
    sizes = np.bincount(grouped.labels_, minlength=count)
    means = np.stack([np.bincount(grouped.labels_, weights=axis, minlength=count) for axis in core.T], axis=1)
    middles: Floats = np.round(means / np.maximum(sizes, 1)[:, None], params.decimals)
    return middles[sizes >= params.fewest_per_group]


def _bounded(one: Usual, values: Floats, params: OutlierParams) -> Usual:
    import numpy as np

    low, high = np.nanquantile(values, [params.beyond, 1 - params.beyond])
    return replace(one, low=round(float(low), params.decimals), high=round(float(high), params.decimals))


# Scoring.


def _levels(values: Floats) -> Floats:
    """Logarithms: twice as much is as far from once as four times from twice. Below nothing there is none."""
    import numpy as np

    levels: Floats = np.log1p(np.maximum(values, 0.0))
    return levels


def _points(raw: pd.DataFrame, usual: Sequence[Usual], params: OutlierParams) -> Floats:
    """Coordinates, one row per customer; what is unknown counts as usual."""
    import numpy as np

    columns = [(_levels(raw[one.name].to_numpy(dtype=float)) - one.middle) / one.spread for one in usual]
    points: Floats = np.clip(np.nan_to_num(np.column_stack(columns), nan=0.0), -params.clip, params.clip)
    return np.round(points, params.decimals)


def _distances(points: Floats, middles: Floats, params: OutlierParams) -> Floats:
    from scipy.spatial import cKDTree

    away: Floats = cKDTree(middles).query(points)[0].round(params.decimals)
    return away


def _reason(row: pd.Series, point: Floats, usual: Sequence[Usual], currency: str, params: OutlierParams) -> str:
    far = sorted(
        (-abs(float(away)), one.name)
        for one, away in zip(usual, point, strict=True)
        if not one.low <= row[one.name] <= one.high and row[one.name] == row[one.name]
    )
    bounds = {one.name: one for one in usual}
    return "; ".join(_said(row[name], bounds[name], currency) for _, name in far[: params.told]) or TOGETHER


def _said(value: float, usual: Usual, currency: str) -> str:
    figure = _BY_NAME[usual.name]
    low, high = (said(bound, figure.kind, currency) for bound in (usual.low, usual.high))
    return f"{figure.label} {said(value, figure.kind, currency)}, usual {low} to {high}"
