"""The baseline: five groups by RFM score, the sum of the three quintiles, which needs no model at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from huaxiang.judging import resampling
from huaxiang.tracking.promotion import Interval
from spark_jobs.segments.choose_k import over_customers, over_fits
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray

QUINTILES = ("recency_quintile", "frequency_quintile", "monetary_quintile")
GROUPS = 5
# What each quintile is made of; more recent (fewer days) is better.
_BEHIND = (("recency_days", -1), ("order_count", 1), ("net_spend", 1))


def rfm_groups(quintiles: Array) -> Array:
    """Groups 0 (worst) to 4 of rows of three quintiles: scores 3 to 15 in five bands as equal as can be."""
    scores = quintiles.sum(axis=1).astype(int)
    return (scores - 3) * GROUPS // 13


@dataclass(frozen=True)
class Beside:
    """The groups' silhouette of every customer, among the same points as the model's, and their stability when
    customers are drawn anew."""

    each: Array
    stability: Interval

    def figures(self, params: SegmentParams) -> dict[str, float]:
        """Both under the names by which the card keeps them."""
        return over_customers(self.each, params).figures("silhouette") | self.stability.figures("stability")


def judge(sample: pd.DataFrame, points: Array, params: SegmentParams) -> Beside | None:
    """None where the columns are not there or all customers fall in one group."""
    from sklearn.metrics import silhouette_samples

    behind = [name for name, _ in _BEHIND]
    if not {*QUINTILES, *behind} <= set(sample.columns):
        return None
    groups = rfm_groups(sample[list(QUINTILES)].to_numpy())
    if not 1 < len(set(groups)) < len(groups):
        return None
    return Beside(silhouette_samples(points, groups), _stability(sample[behind].to_numpy(), params))


def _stability(values: Array, params: SegmentParams) -> Interval:
    """Quintile borders move with the customers drawn: how alike are the groups they give?"""
    import numpy as np
    from sklearn.metrics import adjusted_rand_score

    values = values * np.array([direction for _, direction in _BEHIND])
    groups = _grouped(values, values)
    return over_fits(
        [
            adjusted_rand_score(groups, _grouped(values, drawn))
            for drawn in resampling.redrawn(values, params.bootstraps, params.seed)
        ]
    )


def _grouped(values: Array, drawn: Array) -> Array:
    import numpy as np

    borders = np.quantile(drawn, [0.2, 0.4, 0.6, 0.8], axis=0)
    quintiles = np.column_stack([1 + np.searchsorted(borders[:, i], values[:, i]) for i in range(values.shape[1])])
    return rfm_groups(quintiles)
