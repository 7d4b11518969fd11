"""What the family reads: each customer's RFM figures and orders per category and window, at the end of some days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spark_jobs.attributes import allowed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import scipy.sparse

    Array = np.ndarray


@dataclass(frozen=True)
class Known:
    """What is known of customers at the end of days: one row per customer and day, ordered by day and customer.

    `day` counts from 1970. `counts` holds orders, a column per entry of `columns` (category and window in days).
    """

    customers: Array
    day: Array
    figures: pd.DataFrame
    columns: Sequence[tuple[str, int]]
    counts: scipy.sparse.csr_matrix

    def where(self, rows: Array) -> Known:
        """The rows of a mask."""
        return replace(
            self,
            customers=self.customers[rows],
            day=self.day[rows],
            figures=self.figures[rows],
            counts=self.counts[rows.nonzero()[0]],
        )

    def values(self, model: Mapping[str, Any]) -> Array:
        """The inputs of a model, a column each: its figures (NaN where there is none), then its counts (else 0)."""
        import numpy as np
        import scipy.sparse

        places = {column: place for place, column in enumerate(self.columns)}
        nothing = scipy.sparse.csr_matrix((self.counts.shape[0], 1))
        asked = [places.get((one["category"], one["window_days"]), len(places)) for one in model["columns"]]
        counts = scipy.sparse.hstack([self.counts, nothing], format="csc")[:, asked].toarray()
        figures = self.figures.reindex(columns=[one["name"] for one in model["figures"]]).to_numpy(float)
        found: Array = np.hstack([figures, counts])
        return found


def read_known(purchases: Path, features: pd.DataFrame, windows: Sequence[int]) -> Known:
    """`features` has a row per customer and `as_of` (days since 1970), ordered by day; later purchases do not count.

    Without the categories that say too much of a person (spark_jobs/attributes/allowed.py).
    """
    import scipy.sparse

    categories, counted = _counted(purchases, features[["as_of", "customer_id"]], windows)
    size = (len(features), len(categories))
    places = (counted["row"].to_numpy(), counted["category"].to_numpy())
    parts = [scipy.sparse.csr_matrix((counted[f"orders_{days}d"].to_numpy(), places), size) for days in windows]
    counts = scipy.sparse.hstack(parts, format="csr")
    counts.eliminate_zeros()
    return Known(
        customers=features["customer_id"].to_numpy(dtype=object),
        day=features["as_of"].to_numpy(),
        figures=features.drop(columns=["customer_id", "as_of"]).reset_index(drop=True),
        columns=[(name, days) for days in windows for name in categories],
        counts=counts,
    )


def _counted(purchases: Path, asked: pd.DataFrame, windows: Sequence[int]) -> tuple[list[str], pd.DataFrame]:
    """The categories that are looked at, and orders of each asked `row` with each of them (its place in the list), per
    window. An order is of one day, so days can be summed."""
    import duckdb
    import numpy as np

    sums = ", ".join(f"coalesce(sum(orders) filter (age < {days}), 0)::double as orders_{days}d" for days in windows)
    with duckdb.connect() as connection:
        bought = connection.read_parquet(str(purchases))
        names = sorted(name for (name,) in bought.project("category").distinct().fetchall() if name is not None)
        categories = [name for name in names if allowed.excluded(name) is None]
        connection.register("asked", asked.assign(row=np.arange(len(asked))))
        found: pd.DataFrame = connection.execute(
            f"""
            with categories as (
                select unnest($categories::varchar[]) as name, unnest(range(len($categories::varchar[]))) as place
            ),
            days as (
                select customer_id, place, ordered_on - date '1970-01-01' as day, count(distinct order_id) as orders
                from read_parquet($path) as purchases inner join categories on purchases.category = categories.name
                where customer_id in (select customer_id from asked)
                group by all
            ),
            aged as (
                select asked.row, days.place, days.orders, asked.as_of - days.day as age
                from asked inner join days using (customer_id)
                where days.day <= asked.as_of and days.day > asked.as_of - {max(windows)}
            )
            select row, place as category, {sums} from aged group by row, place order by row, place
            """,
            {"path": str(purchases), "categories": categories},
        ).df()
    return categories, found


def day_of(number: int) -> date:
    """The day of a number of days since 1970."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(number))
