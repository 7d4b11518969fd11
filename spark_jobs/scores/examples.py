"""The rows a model learns from: what was known at a cut-off, and whether the event of the target came after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from huaxiang.judging import leaks
from huaxiang.targets import Target
from spark_jobs.scores import history, lifetimes
from spark_jobs.scores.history import CategoryDays
from spark_jobs.scores.params import ScoreParams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray


@dataclass(frozen=True)
class Examples:
    """One row per customer and cut-off, or per customer, category and cut-off; ordered by cut-off, customer, category.

    `cutoff` counts days since 1970. `category` is '' where there is none. `label` is 1 when the event came, 0 when not.
    """

    customer_id: Array
    cutoff: Array
    category: Array
    features: pd.DataFrame
    label: Array

    def where(self, rows: Array) -> Examples:
        """The rows of a mask or of positions."""
        return Examples(
            self.customer_id[rows],
            self.cutoff[rows],
            self.category[rows],
            self.features.iloc[rows.nonzero()[0] if rows.dtype == bool else rows].reset_index(drop=True),
            self.label[rows],
        )

    def shuffled(self, seed: int) -> Examples:
        """The same rows with labels dealt out anew within each cut-off and category: there is nothing left to learn."""
        import pandas as pd

        groups = pd.DataFrame({"cutoff": self.cutoff, "category": self.category}).groupby(["cutoff", "category"])
        return replace(self, label=leaks.dealt_anew(self.label, groups.ngroup().to_numpy(), seed))


@dataclass(frozen=True)
class Facts:
    """What happened, besides the features: `order_days` (customer_id, day, net_amount), one row per customer and day
    with an order or a return; `days`, who did on which day what the target is about, None where it is no such thing.
    """

    order_days: pd.DataFrame
    days: CategoryDays | None = None


def of_target(target: Target, features: pd.DataFrame, facts: Facts, params: ScoreParams) -> Examples:
    """One row per row of `features`, and category where the target has scores per category."""
    if facts.days is not None:
        rows = category(features, facts.days, target.window_days, params)
        if not target.is_by_category:
            # The same for all customers of a day: it tells categories apart, and of a single one only days.
            rows = replace(rows, features=rows.features.drop(columns=history.CUSTOMER_SHARE))
        if target.event.kind == "redemption":
            kept = [*history.REDEMPTIONS, *rows.features.columns[len(history.COLUMNS) - 1 :]]
            rows = replace(rows, features=rows.features[kept].rename(columns=history.REDEMPTIONS))
        return rows
    if target.event.kind == "high_spend":
        return _of_customers(features, _high_spend(target, features, facts.order_days), params)
    ordered = _ordered(features, facts.order_days, target.window_days)
    if target.event.kind == "purchase":
        return _of_customers(features, ordered, params)
    return _of_customers(features, 1.0 - ordered, params, lifetimes.COLUMNS)


def _of_customers(features: pd.DataFrame, label: Array, params: ScoreParams, more: Sequence[str] = ()) -> Examples:
    """`more` are columns that some recipe asks for though they are left out for the others."""
    import numpy as np

    columns = feature_columns(features, params)
    columns += [name for name in more if name not in columns and name in features.columns]
    return Examples(
        customer_id=features["customer_id"].to_numpy(dtype=object),
        cutoff=features["as_of"].to_numpy(),
        category=np.full(len(features), "", dtype=object),
        features=features[columns],
        label=label,
    )


def _ordered(features: pd.DataFrame, order_days: pd.DataFrame, window_days: int) -> Array:
    """1 for whoever orders in the days after the row's cut-off, else 0."""
    import numpy as np

    ordered = np.zeros(len(features))
    for cutoff, rows in _by_cutoff(features):
        later = order_days["day"].between(cutoff + 1, cutoff + window_days) & order_days["is_order"]
        ordered[rows] = features["customer_id"].iloc[rows].isin(set(order_days["customer_id"][later]))
    return ordered


def _high_spend(target: Target, features: pd.DataFrame, order_days: pd.DataFrame) -> Array:
    """1 for whoever spends in the days after the cut-off what the top of all spent in as many days up to it."""
    import numpy as np

    high = np.zeros(len(features))
    for cutoff, rows in _by_cutoff(features):
        customers = features["customer_id"].iloc[rows]
        before, after = (
            _spent(order_days, first, first + target.window_days - 1).reindex(customers, fill_value=0.0).to_numpy()
            for first in (cutoff - target.window_days + 1, cutoff + 1)
        )
        high[rows] = after >= np.quantile(before, 1 - target.event.top_pct / 100)
    return high


def _spent(order_days: pd.DataFrame, first: int, last: int) -> pd.Series:
    """Net spend per customer of the days from first to last."""
    chosen = order_days[order_days["day"].between(first, last)]
    return chosen.groupby("customer_id")["net_amount"].sum()


def category(features: pd.DataFrame, days: CategoryDays, window_days: int, params: ScoreParams) -> Examples:
    """One row per row of `features` and category; the event is a purchase of it in the days after."""
    import numpy as np
    import pandas as pd

    width = len(days.categories)
    positions = {customer_id: position for position, customer_id in enumerate(days.customers)}
    parts, labels = [], []
    for cutoff, rows in _by_cutoff(features):
        here = features.iloc[rows]
        # Whoever never bought any of these categories has a place of his own, without entries, at the end.
        codes = here["customer_id"].map(positions).fillna(len(days.customers)).to_numpy(dtype=np.int64)
        padded = replace(days, customers=[*days.customers, ""])
        counts, tenure = here["order_count"].to_numpy(), here["tenure_days"].to_numpy()
        parts.append(history.category_history(padded, codes, cutoff, counts, tenure, params))
        labels.append(history.bought_after(padded, codes, cutoff, window_days))
    columns = feature_columns(features, params)
    of_customers = features.loc[features.index.repeat(width), ["customer_id", "as_of", *columns]].reset_index(drop=True)
    of_pairs = pd.concat(parts, ignore_index=True)
    return Examples(
        customer_id=of_customers["customer_id"].to_numpy(dtype=object),
        cutoff=of_customers["as_of"].to_numpy(),
        category=np.tile(np.array(days.categories, dtype=object), len(features)),
        features=pd.concat([of_pairs, of_customers[columns]], axis=1),
        label=np.concatenate(labels),
    )


def feature_columns(features: pd.DataFrame, params: ScoreParams) -> list[str]:
    """The figures that are learned from; one that is empty throughout has no source in this home."""
    return [
        name
        for name in features.columns
        if name not in {"customer_id", "as_of", *params.left_out_features} and features[name].notna().any()
    ]


def usable_cutoffs(examples: Examples, cutoffs: Sequence[int], params: ScoreParams) -> list[int]:
    """The cut-offs with enough customers and enough of both outcomes, in order."""
    return [cutoff for cutoff in sorted(cutoffs) if _is_usable(examples.label[examples.cutoff == cutoff], params)]


def _is_usable(labels: Array, params: ScoreParams) -> bool:
    events = labels.sum()
    return len(labels) >= params.fewest_customers and min(events, len(labels) - events) >= params.fewest_events


def _by_cutoff(features: pd.DataFrame) -> list[tuple[int, Any]]:
    """Each cut-off with the positions of its rows; rows are in the order of cut-offs."""
    groups = features.reset_index(drop=True).groupby("as_of", sort=True).indices
    return [(int(cutoff), rows) for cutoff, rows in groups.items()]
