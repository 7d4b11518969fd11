"""What the family reads: what customers declared, the figures of the day, and which categories they bought.

All of it is small once it is counted by customer and category, so DuckDB counts it and the fits happen on the driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.errors import MissingPartition
from huaxiang.settings import Run, Settings
from spark_jobs.attributes import allowed
from spark_jobs.attributes.params import AttributeParams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray

DECLARED, PURCHASES = "declared.parquet", "purchases.parquet"
_NO_AMOUNT = ("recency_quintile", "frequency_quintile", "monetary_quintile", "preferred_weekday", "preferred_hour")


@dataclass(frozen=True)
class Bought:
    """Orders per customer and category, as three columns: positions in `customers` and `categories`, and a count."""

    customers: tuple[str, ...]
    categories: tuple[str, ...]
    customer: Array
    category: Array
    orders: Array

    def table(self, customers: Array, categories: tuple[str, ...]) -> Array:
        """One row per asked customer, one column per asked category; 0 where nothing was bought."""
        import numpy as np
        import pandas as pd

        rows = pd.Index(customers).get_indexer(list(self.customers))
        columns = pd.Index(list(categories)).get_indexer(list(self.categories))
        found = np.zeros((len(customers), len(categories)))
        if len(self.orders):
            row, column = rows[self.customer], columns[self.category]
            asked = (row >= 0) & (column >= 0)
            found[row[asked], column[asked]] = self.orders[asked]
        return found


def read_figures(settings: Settings, run: Run) -> pd.DataFrame:
    """`customer_id` and the numeric features of `as_of` as doubles, by customer. Raises MissingPartition."""
    path = settings.home.build(run.id) / "features" / "customer_features.parquet"
    rows = _query("select * from read_parquet($path) order by customer_id", path=_there(path, run))
    if rows.empty:
        raise MissingPartition(f"attributes: the features of {run.as_of} have no customer: is there data up to then?")
    names = [name for name in numeric_columns(path) if name not in _NO_AMOUNT]
    return rows[["customer_id"]].assign(**{name: rows[name].astype(float) for name in names})


def read_declared(settings: Settings, run: Run, columns: Sequence[str], customers: Array) -> pd.DataFrame:
    """What each of `customers` declared of `columns`, without those nobody declared; None where nothing was said."""
    path = _there(settings.home.inputs(run.id) / DECLARED, run)
    rows = _query("select * from read_parquet($path)", path=path).set_index("customer_id").reindex(customers)
    said = [name for name in columns if name in rows.columns and rows[name].notna().any()]
    return rows[said].astype(object).where(rows[said].notna(), None)


def read_bought(settings: Settings, run: Run, params: AttributeParams) -> Bought:
    """Orders per customer and category of the last `window_days`, without the categories that are not looked at."""
    import numpy as np
    import pandas as pd

    path = _there(settings.home.inputs(run.id) / PURCHASES, run)
    rows = _query(
        """
        select customer_id, category, count(distinct order_id) as orders from read_parquet($path)
        where category is not null and ordered_on > $after and ordered_on <= $up_to
        group by customer_id, category
        order by customer_id, category
        """,
        path=path,
        after=run.as_of - timedelta(days=params.window_days),
        up_to=run.as_of,
    )
    names = {name: allowed.excluded(name) is None for name in rows["category"].unique()}
    rows = rows[rows["category"].map(names).astype(bool)]
    customers, categories = sorted(set(rows["customer_id"])), sorted(set(rows["category"]))
    return Bought(
        customers=tuple(customers),
        categories=tuple(categories),
        customer=pd.Categorical(rows["customer_id"], customers).codes.astype(np.int64),
        category=pd.Categorical(rows["category"], categories).codes.astype(np.int64),
        orders=rows["orders"].to_numpy(dtype=float),
    )


def common_categories(bought: Bought, customers: int, params: AttributeParams) -> tuple[str, ...]:
    """The categories that at least `category_share` of the customers bought, at most `most_categories`, by name."""
    import numpy as np

    buyers = np.bincount(bought.category, minlength=len(bought.categories))
    order = sorted(range(len(buyers)), key=lambda place: (-buyers[place], bought.categories[place]))
    found = [place for place in order if buyers[place] >= params.category_share * customers]
    return tuple(sorted(bought.categories[place] for place in found[: params.most_categories]))


def drawn(customers: Array, most: int) -> Array:
    """Positions of at most `most` customers, drawn by a hash of their ids, in their order."""
    import hashlib

    import numpy as np

    if len(customers) <= most:
        return np.arange(len(customers))
    hashes = [hashlib.md5(str(one).encode(), usedforsecurity=False).hexdigest() for one in customers]
    return np.sort(np.argsort(np.array(hashes), kind="stable")[:most])


def numeric_columns(path: Path) -> tuple[str, ...]:
    """The columns of a Parquet file that hold figures, decimals included, in its order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return tuple(field.name for field in pq.read_schema(path) if any(test(field.type) for test in tests))


def _there(path: Path, run: Run) -> Path:
    if not path.exists():
        raise MissingPartition(
            f"attributes: {path.name} of {run.id} is not there: run 'huaxiang features --as-of {run.as_of}' first"
        )
    return path


def _query(sql: str, **values: Path | date | Any) -> pd.DataFrame:
    import duckdb

    with duckdb.connect() as connection:
        said = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
        return connection.execute(sql, said).df()
