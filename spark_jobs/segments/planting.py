"""Are strange customers found? At every training, business buyers are planted among the customers and looked for.

A business comes every two to seven days, give or take one, for five to forty lines of three to 24 categories, and
spends per line up to four times what is usual: those of `benchmarks.businesses`, as figures and not as order lines.
What is usual is learned with them inside, as it would be with real ones. The baseline calls as many other customers:
those farthest from the mean of recency, orders and spend, each standardised.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from huaxiang.judging.resampling import of_clusters
from huaxiang.tracking.promotion import Interval
from spark_jobs.segments import outliers
from spark_jobs.segments.params import OutlierParams

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Bools = npt.NDArray[np.bool_]

BASELINE = "the distance on standardised recency, orders and spend"
_BEHIND = ("recency_days", "order_count", "net_spend")
_NEEDED = {"tenure_days", "net_spend", "line_count"}


def judge(customers: pd.DataFrame, params: OutlierParams) -> dict[str, float]:
    """`outlier_recall`, the share of the planted that is found, beside the baseline's, with 95 % intervals over draws.

    Empty where nothing can be learned or the customers have no spend or no past.
    """
    import numpy as np
    import pandas as pd

    if not _NEEDED.issubset(customers.columns) or len(customers) < params.fewest_customers:
        return {}
    count = max(params.planted_least, round(params.planted_share * len(customers)))
    ours, baseline = [], []
    for draw in range(params.planted_draws):
        planted = businesses(customers, count, np.random.default_rng([params.seed, draw]), params)
        columns = [name for name in planted.columns if name in customers.columns]
        everybody = pd.concat([customers[columns], planted[columns]], ignore_index=True)
        crowd = outliers.learn(everybody, params)
        if crowd is None:
            return {}
        found = outliers.judged(everybody, crowd, params, "")["is_outlier"].to_numpy(dtype=bool)
        ours.append(float(found[-count:].sum()))
        baseline.append(float(called(everybody, found[:-count])[-count:].sum()))
    counts = [float(count)] * len(ours)
    gains = [own - other for own, other in zip(ours, baseline, strict=True)]
    return {
        **_share(of_clusters(ours, counts)).figures("outlier_recall"),
        **_share(of_clusters(baseline, counts)).figures("baseline_outlier_recall"),
        **of_clusters(gains, counts).figures("outlier_recall_gain"),
    }


def notes(figures: Mapping[str, float]) -> list[str]:
    """What a reader should know of these figures; nothing without them."""
    if not figures:
        return []
    return [
        "the businesses looked for are invented, and few: so many that they make a crowd of their own are not found"
    ]


def businesses(customers: pd.DataFrame, count: int, rng: np.random.Generator, params: OutlierParams) -> pd.DataFrame:
    """The features of so many business buyers; they have come for half of the customers' longest pasts or more."""
    import numpy as np
    import pandas as pd

    usual_spend = float(
        np.nanmedian(customers["net_spend"] / customers["line_count"].where(customers["line_count"] > 0))
    )
    longest = float(customers["tenure_days"].quantile(0.9))
    rows = []
    for _ in range(count):
        every = int(rng.integers(2, 8))
        gaps = np.maximum(1, every + rng.integers(-1, 2, max(2, int(rng.uniform(0.5, 1) * longest / every))))
        ago = int(rng.integers(every)) + np.append(0, np.cumsum(gaps))
        lines = np.maximum(1, rng.poisson(rng.uniform(5, 40), len(ago))).sum()
        rows.append(
            {
                "recency_days": ago[0],
                "order_count": len(ago),
                "order_count_91d": (ago < 91).sum(),
                "line_count": lines,
                "net_spend": lines * usual_spend * rng.uniform(*params.planted_spend),
                "basket_lines_mean": lines / len(ago),
                "gap_days_mean": gaps.mean(),
                "gap_days_std": gaps.std(ddof=1),
                "category_count": rng.integers(3, 25),
            }
        )
    return pd.DataFrame(rows).astype(float)


def called(customers: pd.DataFrame, found: Bools) -> Bools:
    """Whom the baseline calls when it calls as many of the first customers as were `found` of them."""
    import numpy as np

    values = customers[[name for name in _BEHIND if name in customers.columns]].fillna(0.0).to_numpy(dtype=float)
    spreads = values.std(axis=0)
    away = np.linalg.norm((values - values.mean(axis=0)) / np.where(spreads > 0, spreads, 1.0), axis=1)
    others = np.sort(away[: len(found)])[::-1]
    number = int(found.sum())
    return away > others[number] if number < len(others) else np.ones(len(away), dtype=bool)


def _share(found: Interval) -> Interval:
    """No share lies outside 0 and 1."""
    return Interval(found.value, max(0.0, found.low), min(1.0, found.high))
