"""The products of a day by number, and how many customers bought them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.errors import HuaxiangError
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import NEVER, positions

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
_COUNTS = (
    "buyers", "recent_buyers", "late_buyers", "week_buyers", "new_buyers", "repeat_buyers", "earlier_buyers",
    "returned_buyers", "gaps", "gap_days",
)  # fmt: skip
_DOUBT = 5  # buyers who did not buy again, added to all: of two buyers both may have come back by chance


@dataclass(frozen=True)
class Catalogue:
    """Every product bought by a day, by number: its id, its type ('' where not known), its buyers ever, in the last
    `popularity_days`, `late_days` and `week_days`, those who bought it first in the `late_days`, those who bought it in
    more than one order; those of the `popularity_days` before the `late_days`, and of these those who returned; and how
    many orders followed on another of the same customer, after how many days in all."""

    ids: Array
    types: Array
    buyers: Array
    recent_buyers: Array
    late_buyers: Array
    week_buyers: Array
    new_buyers: Array
    repeat_buyers: Array
    earlier_buyers: Array
    returned_buyers: Array
    gaps: Array
    gap_days: Array

    def of_day(self) -> dict[str, Array]:
        """What `ranking.Products` says of a day."""
        _, kinds = np.unique(self.types, return_inverse=True)
        usual = self.buyers.sum() / max(self.new_buyers.sum(), 1)  # buyers for one who began of late
        return {
            "ids": self.ids,
            "popularity": self.recent_buyers,
            "late_buyers": self.late_buyers,
            "week_buyers": self.week_buyers,
            "new_buyers": self.new_buyers,
            "starting": np.round((self.new_buyers + 1) / (self.buyers + usual), 6),
            "repeats": np.round(self.repeat_buyers / (self.buyers + _DOUBT), 6),
            "returning": np.round(self.returned_buyers / (self.earlier_buyers + _DOUBT), 6),
            "gaps": np.where(self.gaps > 0, np.round(self.gap_days / np.maximum(self.gaps, 1), 6).clip(min=1), NEVER),
            "kinds": np.where(self.types == "", -1, kinds),
        }

    def suppressed(self, path: Path) -> dict[str, Array]:
        """What customers do not want to be recommended: their ids -> positions here, of a Parquet file of pairs, which
        a home without any may lack."""
        import pandas as pd

        if not path.exists():
            return {}
        rows = pd.read_parquet(path)
        rows["item"] = positions(self.ids, rows["product_id"].to_numpy(dtype=str))
        known = rows[rows["item"] >= 0]
        return {str(customer): items.to_numpy() for customer, items in known.groupby("customer_id")["item"]}

    def below(self, path: Path, least: float) -> Array:
        """Positions of the products that leave less of their price than `least`, of a Parquet file of `product_id` and
        `margin_share`. A product whose margin is not known is not among them."""
        import pandas as pd

        rows = pd.read_parquet(path)
        found = positions(self.ids, rows.loc[rows["margin_share"] < least, "product_id"].to_numpy(dtype=str))
        return np.sort(found[found >= 0])

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
    """The products of `counts` (a row per product by number, the columns of _COUNTS), of all `ids` and `types`.

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
        **{name: counts[name].to_numpy(dtype=np.int64) for name in _COUNTS},
    )
