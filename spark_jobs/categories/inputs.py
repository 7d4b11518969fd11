"""What the family reads: which customer bought which category from when on, and what customers suppressed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.errors import MissingPartition
from huaxiang.settings import Run, Settings
from spark_jobs.attributes import allowed
from spark_jobs.recommendations.params import NOT_GOODS

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray

PURCHASES, SUPPRESSIONS = "purchases.parquet", "suppressions.parquet"


@dataclass(frozen=True)
class Bought:
    """One place per customer and category bought: positions in `customers` and `categories`, which rise by name, and
    the first and the last day, as days since 1970."""

    customers: tuple[str, ...]
    categories: tuple[str, ...]
    customer: Array
    category: Array
    first_on: Array
    last_on: Array

    @property
    def everybody(self) -> Array:
        """All customers, as `table` asks for them."""
        import numpy as np

        return np.array(self.customers, dtype=object)

    def table(self, customers: Array, categories: tuple[str, ...], is_it: Array | None = None) -> Array:
        """A row per asked customer, a column per asked category: whether it was bought, of the places that `is_it`
        marks; nothing was by a customer, or of a category, that is not known."""
        import numpy as np
        import pandas as pd

        row = pd.Index(customers).get_indexer(list(self.customers))[self.customer]
        column = pd.Index(list(categories)).get_indexer(list(self.categories))[self.category]
        kept = (row >= 0) & (column >= 0)
        if is_it is not None:
            kept &= is_it
        found = np.zeros((len(customers), len(categories)), dtype=bool)
        found[row[kept], column[kept]] = True
        return found


def is_recommended(category: str) -> bool:
    """Whether a category may be recommended, or be a reason: goods that say nothing too personal of who buys them."""
    return category not in NOT_GOODS and allowed.excluded(category) is None


@dataclass(frozen=True)
class Days:
    """On which days some customers bought which category: three columns, ordered by customer, category and day."""

    customer: Array
    category: Array
    day: Array

    def by(self, up_to: date) -> Bought:
        """What was bought up to and with that day."""
        import numpy as np

        kept = self.day <= (up_to - date(1970, 1, 1)).days
        customer, category, day = self.customer[kept], self.category[kept], self.day[kept]
        is_first = np.ones(len(day), dtype=bool)
        is_first[1:] = (customer[1:] != customer[:-1]) | (category[1:] != category[:-1])
        first = np.flatnonzero(is_first)
        last = np.append(first[1:], len(day)) - 1
        return _bought(customer[first], category[first], day[first], day[last[: len(first)]])


def read_days(path: Path, up_to: date, most: int) -> Days:
    """The days up to and with that one of at most `most` customers, drawn by a hash of their ids."""
    rows = _query(
        """
        with customers as (
            select customer_id from (select distinct customer_id from read_parquet($path) where ordered_on <= $up_to)
            order by md5(customer_id), customer_id limit $most
        )
        select distinct customer_id, category, ordered_on - date '1970-01-01' as day
        from read_parquet($path)
        semi join customers using (customer_id)
        where category is not null and ordered_on <= $up_to
        order by all
        """,
        path=path,
        up_to=up_to,
        most=most,
    )
    rows = _recommended(rows)
    return Days(rows["customer_id"].to_numpy(), rows["category"].to_numpy(), rows["day"].to_numpy(dtype="int64"))


def read_bought(path: Path, up_to: date) -> Bought:
    """What everybody bought up to and with that day, of the categories that may be recommended."""
    rows = _query(
        """
        select
            customer_id, category, min(ordered_on) - date '1970-01-01' as first_on,
            max(ordered_on) - date '1970-01-01' as last_on
        from read_parquet($path)
        where category is not null and ordered_on <= $up_to
        group by customer_id, category
        order by customer_id, category
        """,
        path=path,
        up_to=up_to,
    )
    return _bought(
        *(_recommended(rows)[name].to_numpy() for name in ("customer_id", "category", "first_on", "last_on"))
    )


def _recommended(rows: pd.DataFrame) -> pd.DataFrame:
    names = {name: is_recommended(name) for name in rows["category"].unique()}
    return rows[rows["category"].map(names).astype(bool)]


def _bought(customer: Array, category: Array, first_on: Array, last_on: Array) -> Bought:
    """Of one place per customer and category, both by name."""
    import pandas as pd

    who, customers = pd.factorize(customer, sort=True)
    what, categories = pd.factorize(category, sort=True)
    return Bought(tuple(customers), tuple(categories), who, what, first_on.astype("int64"), last_on.astype("int64"))


def read_customers(settings: Settings, run: Run) -> Array:
    """Everybody who has features of the day, by id. Raises MissingPartition where nobody has."""
    path = _there(settings.home.build(run.id) / "features" / "customer_features.parquet", run)
    rows = _query(
        "select customer_id from read_parquet($path) where as_of = $as_of order by 1", path=path, as_of=run.as_of
    )
    if rows.empty:
        raise MissingPartition(f"categories: the features of {run.as_of} have no customer: is there data up to then?")
    found: Array = rows["customer_id"].to_numpy()
    return found


def read_suppressed(settings: Settings, run: Run, customers: Array, categories: tuple[str, ...]) -> Array:
    """Which customer suppressed a product of which category: who does not want one is not told to start the others."""
    import numpy as np
    import pandas as pd

    found = np.zeros((len(customers), len(categories)), dtype=bool)
    path = settings.home.inputs(run.id) / SUPPRESSIONS
    if not path.exists():
        return found
    rows = _query(
        """
        select distinct suppressed.customer_id, bought.category
        from read_parquet($path) as suppressed
        inner join read_parquet($purchases) as bought using (product_id)
        """,
        path=path,
        purchases=purchases(settings, run),
    )
    row = pd.Index(customers).get_indexer(rows["customer_id"])
    column = pd.Index(list(categories)).get_indexer(rows["category"])
    kept = (row >= 0) & (column >= 0)
    found[row[kept], column[kept]] = True
    return found


def purchases(settings: Settings, run: Run) -> Path:
    """The run's purchases. Raises MissingPartition."""
    return _there(settings.home.inputs(run.id) / PURCHASES, run)


def _there(path: Path, run: Run) -> Path:
    if not path.exists():
        raise MissingPartition(
            f"categories: {path.name} of {run.id} is not there: run 'huaxiang features --as-of {run.as_of}' first"
        )
    return path


def _query(sql: str, **values: Path | date | Any) -> pd.DataFrame:
    import duckdb

    with duckdb.connect(config={"threads": 2}) as connection:
        said = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
        return connection.execute(sql, said).df()
