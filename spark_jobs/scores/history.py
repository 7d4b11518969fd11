"""How often and how lately each customer did something up to a cut-off, as columns: one row per customer and category.

What is done is mostly buying of a category; a list of products, or redeeming coupons, is a category of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.scores.params import ScoreParams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray

CUSTOMER_SHARE = "category_customer_share_28d"
COLUMNS = (
    "category_order_count",
    "category_order_count_28d",
    "category_order_count_91d",
    "category_recency_days",
    "category_order_share",
    "category_decayed_count",
    CUSTOMER_SHARE,
)

# Of redemptions the same is counted; a share of orders they have not.
REDEMPTIONS = {
    "category_order_count": "redemption_count",
    "category_order_count_28d": "redemption_count_28d",
    "category_order_count_91d": "redemption_count_91d",
    "category_recency_days": "redemption_recency_days",
    "category_decayed_count": "redemption_decayed_count",
}
KNOWN = frozenset((*COLUMNS, *REDEMPTIONS.values()))  # made here, and no column of the features


@dataclass(frozen=True)
class CategoryDays:
    """Orders with a category: one entry per customer, category and day, as codes into `customers` and `categories`.

    `day` counts from 1970-01-01.
    """

    customers: Sequence[str]
    categories: Sequence[str]
    customer: Array
    category: Array
    day: Array
    orders: Array


def category_history(
    days: CategoryDays, customer: Array, cutoff: int, order_counts: Array, tenure_days: Array, params: ScoreParams
) -> pd.DataFrame:
    """The columns COLUMNS for `customer` (codes) x all categories, customer by customer.

    Entries after `cutoff` are not seen. `order_counts` and `tenure_days` are the customers' orders and days since the
    first one; a category never bought counts as last bought the day before that.
    """
    import numpy as np
    import pandas as pd

    width = len(days.categories)
    seen = days.day <= cutoff
    cell = (days.customer * width + days.category)[seen]
    age, orders = cutoff - days.day[seen], days.orders[seen].astype(float)
    size = len(days.customers) * width

    def summed(weights: Array) -> Array:
        return np.bincount(cell, weights=weights, minlength=size).reshape(-1, width)[customer]

    last = np.full(size, -1)
    np.maximum.at(last, cell, days.day[seen])
    last = last.reshape(-1, width)[customer]
    never = np.broadcast_to(tenure_days[:, None] + 1.0, last.shape)
    count, recent = summed(orders), summed(orders * (age < 28))
    share = count / np.maximum(order_counts, 1.0)[:, None]
    columns = (
        count,
        recent,
        summed(orders * (age < 91)),
        np.where(last >= 0, cutoff - last, never),
        share,
        summed(orders * 0.5 ** (age / params.decay_half_life_days)),
        np.broadcast_to((recent > 0).mean(axis=0), count.shape),
    )
    return pd.DataFrame({name: values.reshape(-1) for name, values in zip(COLUMNS, columns, strict=True)})


def bought_after(days: CategoryDays, customer: Array, cutoff: int, window_days: int) -> Array:
    """1 where the customer bought the category in the days after `cutoff`, else 0; in the order of the history."""
    import numpy as np

    width = len(days.categories)
    later = (days.day > cutoff) & (days.day <= cutoff + window_days)
    bought = np.zeros(len(days.customers) * width)
    bought[(days.customer * width + days.category)[later]] = 1.0
    return bought.reshape(-1, width)[customer].reshape(-1)
