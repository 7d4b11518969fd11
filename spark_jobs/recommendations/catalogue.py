"""The products of a day by number, and how many customers bought them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.errors import HuaxiangError
from spark_jobs.recommendations.params import RecommendationParams

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


@dataclass(frozen=True)
class Catalogue:
    """Every product bought by a day, by number: its id, its type, buyers ever and buyers of late."""

    ids: Array
    types: Array
    buyers: Array
    recent_buyers: Array

    def named(self) -> pd.DataFrame:
        """One row per product: `item` (its number), id, buyers ever and of late, and its rank by the latter."""
        import pandas as pd

        order = np.lexsort((np.arange(len(self.ids)), -self.recent_buyers))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(1, len(order) + 1)
        return pd.DataFrame(
            {
                "item": np.arange(len(self.ids)),
                "product_id": self.ids,
                "buyers": self.buyers,
                "recent_buyers": self.recent_buyers,
                "popularity_rank": rank,
            }
        )


def catalogue(
    ids: Array, types: Array, counts: pd.DataFrame, customers: int, cut_off: date, params: RecommendationParams
) -> Catalogue:
    """The products of `counts` (a row per product by number: `buyers`, `recent_buyers`), of all `ids` and `types`.

    Raises HuaxiangError when there are too few of them, or too few customers.
    """
    count = len(counts)
    if count < params.fewest_products or customers < params.fewest_customers:
        raise HuaxiangError(
            f"recommendations: needs {params.fewest_customers} customers and {params.fewest_products} products bought "
            f"up to {cut_off}, and there are {customers:,} and {count:,}: take a later --as-of or land more drops"
        )
    return Catalogue(
        # Made anew: a part of an array of texts keeps the width of the longest, which may be one of later.
        ids=np.array(ids[:count].tolist()),
        types=np.array(types[:count].tolist()),
        buyers=counts["buyers"].to_numpy(dtype=np.int64),
        recent_buyers=counts["recent_buyers"].to_numpy(dtype=np.int64),
    )
