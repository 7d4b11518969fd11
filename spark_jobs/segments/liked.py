"""What a segment's customers like more than others: categories among their strongest interests, tested one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spark_jobs.segments.naming import Fact, said
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import pandas as pd

FEATURE = "interests"


def facts(assigned: pd.DataFrame, interests: pd.DataFrame, params: SegmentParams) -> dict[int, list[Fact]]:
    """For each segment the categories that more of its customers like than of the others, the largest difference first.

    `assigned` has customer_id and segment_id, `interests` a row per customer and liked category. A category is told
    when Fisher's exact test, one-sided, times the number of tests stays below `largest_p_value`, its share is at least
    `least_index` times that of the others and the difference of the shares (the rank-biserial correlation of a yes and
    no) reaches `least_liked_more`.
    """
    import numpy as np
    import pandas as pd
    from scipy.stats import hypergeom

    liked = interests[["customer_id", "category"]].drop_duplicates().merge(assigned[["customer_id", "segment_id"]])
    both = pd.crosstab(liked["segment_id"], liked["category"])
    inside = assigned["segment_id"].value_counts().sort_index()
    both = both.reindex(inside.index, fill_value=0)
    if len(inside) < 2 or both.empty:
        return {}
    everybody, size, count = len(assigned), inside.to_numpy()[:, None], both.sum().to_numpy()[None, :]
    found = both.to_numpy()
    p_values = np.minimum(1.0, hypergeom.sf(found - 1, everybody, count, size) * found.size)
    share, rest = found / size, (count - found) / (everybody - size)
    is_told = (
        (p_values < params.largest_p_value)
        & (share >= params.least_index * rest)
        & (share - rest >= params.least_liked_more)
    )
    result = {}
    for row, segment_id in enumerate(inside.index):
        columns = np.flatnonzero(is_told[row])
        ordered = sorted(columns, key=lambda at: (rest[row, at] - share[row, at], both.columns[at]))
        result[int(segment_id)] = [
            _fact(str(both.columns[at]), share[row, at], rest[row, at], p_values[row, at])
            for at in ordered[: params.most_liked]
        ]
    return result


def _fact(category: str, share: float, rest: float, p_value: float) -> Fact:
    statement = f"among the strongest interests of {said(share, 'share')}, of {said(rest, 'share')} of the others"
    figures = (round(float(share), 6), round(float(rest), 6), round(float(share - rest), 6))
    return Fact(FEATURE, category, FEATURE, statement, *figures, p_value=float(f"{p_value:.3e}"))
