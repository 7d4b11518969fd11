"""Customers' purchases on the driver, in whole numbers: what the recipes are fitted and judged on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

import numpy as np

from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.ranking import History, summed_up

if TYPE_CHECKING:
    import pandas as pd
    import scipy.sparse

Array = np.ndarray
_HISTORY = ("item", "times", "age", "lately", "first_age", "fading")  # the fields of `ranking.History`


@dataclass(frozen=True)
class Pairs:
    """One place per customer and product bought by a cut-off, by rising `customer`, then `item`."""

    customer: Array
    item: Array
    times: Array
    age: Array
    lately: Array
    first_age: Array
    fading: Array

    @staticmethod
    def of(customer: Array, item: Array, age: Array) -> Pairs:
        """Of one place per customer, product and order, in any order, with how many days ago it was."""
        width = int(item.max(initial=0)) + 1
        keys, *columns = summed_up(customer.astype(np.int64) * width + item, age)
        return Pairs(keys // width, keys % width, *columns)

    @staticmethod
    def of_rows(orders: pd.DataFrame) -> Pairs:
        """`of` a frame with these columns."""
        return Pairs.of(*(orders[name].to_numpy(dtype=np.int64) for name in ("customer", "item", "age")))

    def histories(self, customers: Array) -> list[History]:
        """The history of each of these customers, empty where there is none."""
        columns = [getattr(self, name) for name in _HISTORY]
        starts, ends = (np.searchsorted(self.customer, customers, side=side) for side in ("left", "right"))
        return [History(*(column[start:end] for column in columns)) for start, end in zip(starts, ends, strict=True)]

    def matrix(self, items: Array, values: Array) -> scipy.sparse.csr_matrix:
        """Customers x `items` (rising), one of `values` at each place where a pair is."""
        import scipy.sparse

        columns = np.searchsorted(items, self.item).clip(max=len(items) - 1)
        kept = items[columns] == self.item
        shape = (int(self.customer.max(initial=-1)) + 1, len(items))
        return scipy.sparse.csr_matrix((values[kept], (self.customer[kept], columns[kept])), shape)


class Purchases(Protocol):
    """The purchases worth recommending, wherever they are worked on: `laptop.Laptop` or `cluster.Cluster`."""

    def catalogue(self, cut_off: date) -> Catalogue:
        """The products bought by then. Raises HuaxiangError when there are too few of them, or too few customers."""

    def pairs(self, cut_off: date) -> Pairs:
        """What was bought by then, of at most `neighbour_customers` customers."""

    def targets(self, cut_off: date) -> pd.DataFrame:
        """One row per customer and product bought in the window after it, with `is_new`: never bought before it. At
        most `judged_customers` customers, drawn by a hash of their numbers."""

    def als(self, cut_off: date, products: Catalogue, pairs: Pairs) -> tuple[Array, Array]:
        """Numbers of the products ALS knows, rising, and their factors, a row each."""
