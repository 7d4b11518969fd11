"""What the family reads: the features of the cut-offs, who ordered, bought of which category or redeemed on which day.

All of it is small once it is counted by customer, category and day, so DuckDB counts it in memory and the fits happen
on the driver.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.errors import MissingPartition
from huaxiang.settings import Run, Settings
from huaxiang.targets import Target
from spark_jobs.scores.examples import Facts
from spark_jobs.scores.history import CategoryDays
from spark_jobs.scores.params import ScoreParams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray

CUSTOMER_DAYS, PURCHASES, RESPONSES = "customer_days.parquet", "purchases.parquet", "responses.parquet"
SNAPSHOTS = "snapshots.parquet"


def features_path(settings: Settings, run: Run) -> Path:
    """The features of the run's day. Raises MissingPartition where there are none."""
    path = settings.home.build(run.id) / "features" / "customer_features.parquet"
    return _there(path, run, "features")


def input_path(settings: Settings, run: Run, name: str) -> Path:
    """One of the inputs of the models step. Raises MissingPartition where it is not there."""
    return _there(settings.home.inputs(run.id) / name, run, "train" if name == SNAPSHOTS else "features")


def read_features(path: Path, days: Sequence[date], customers: int | None = None) -> pd.DataFrame:
    """`customer_id`, `as_of` (days since 1970) and all numeric columns as doubles, ordered by day and customer.

    `customers` is the most that are wanted; they are drawn by a hash of their ids, the same ones on every day.
    """
    rows = _query(
        """
        select * from read_parquet($path)
        where list_contains($days, as_of) and customer_id in (
            select customer_id from read_parquet($path)
            group by customer_id
            order by md5(customer_id), customer_id
            limit $customers
        )
        order by as_of, customer_id
        """,
        {"path": str(path), "days": list(days), "customers": customers or 2**62},
    )
    rows["as_of"] = _numbered(rows["as_of"])
    numbers = {name: rows[name].astype(float) for name in numeric_columns(path)}
    return rows[["customer_id", "as_of"]].assign(**numbers)


def numeric_columns(path: Path) -> tuple[str, ...]:
    """The columns of a Parquet file that hold figures, decimals included, in its order."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return tuple(field.name for field in pq.read_schema(path) if any(test(field.type) for test in tests))


def read_facts(
    settings: Settings, run: Run, target: Target, categories: Sequence[str], order_days: pd.DataFrame
) -> Facts | str:
    """What the target's event is counted from; `categories` are the largest, or those of the model that is to score.

    Where this home has nothing of the kind, why the target is left out.
    """
    kind, names = target.event.kind, target.event.names
    if kind in ("category", "product"):
        path = input_path(settings, run, PURCHASES)
        if target.is_by_category and not categories:
            return "no purchase names a category: a product catalogue is needed"
        days = read_category_days(path, categories) if target.is_by_category else read_days_of(path, kind, names)
        return Facts(order_days, days) if len(days.day) else f"nobody ever bought {' or '.join(names)}"
    if kind == "redemption":
        days = read_redemption_days(input_path(settings, run, RESPONSES))
        return Facts(order_days, days) if len(days.day) else "this home has no redemptions of coupons"
    return Facts(order_days)


def read_order_days(path: Path) -> pd.DataFrame:
    """One row per customer and day with an order or a return: `customer_id`, `day` (days since 1970), `is_order`,
    `net_amount`, returns taken off."""
    rows = _query(
        """
        select customer_id, ordered_on as day, order_count > 0 as is_order, net_amount::double as net_amount
        from read_parquet($path)
        order by all
        """,
        {"path": str(path)},
    )
    return rows.assign(day=_numbered(rows["day"]))


def largest_categories(path: Path, up_to: date, count: int, params: ScoreParams) -> tuple[str, ...]:
    """The categories with the most orders up to a day, most first, of equal ones by name."""
    rows = _query(
        """
        select category from read_parquet($path)
        where ordered_on <= $up_to and category is not null and not list_contains($left_out, category)
        group by category
        order by count(distinct order_id) desc, category
        limit $limit
        """,
        {"path": str(path), "up_to": up_to, "left_out": list(params.left_out_categories), "limit": count},
    )
    return tuple(rows["category"])


def read_category_days(path: Path, categories: Sequence[str]) -> CategoryDays:
    """Orders per customer, category and day, of these categories only."""
    rows = _query(
        """
        select customer_id, category, ordered_on as day, count(distinct order_id) as orders from read_parquet($path)
        where list_contains($categories, category)
        group by customer_id, category, ordered_on
        order by all
        """,
        {"path": str(path), "categories": list(categories)},
    )
    return _days(rows, categories)


def read_days_of(path: Path, kind: str, names: Sequence[str]) -> CategoryDays:
    """Orders per customer and day with any of these categories or products (`kind`), as one category without name."""
    column = {"category": "category", "product": "product_id"}[kind]
    rows = _query(
        f"""
        select customer_id, '' as category, ordered_on as day, count(distinct order_id) as orders
        from read_parquet($path)
        where list_contains($names, {column})
        group by customer_id, ordered_on
        order by all
        """,
        {"path": str(path), "names": list(names)},
    )
    return _days(rows, ("",))


def read_redemption_days(path: Path) -> CategoryDays:
    """Redeemed coupons per customer and day, as one category without name."""
    rows = _query(
        """
        select customer_id, '' as category, responded_on as day, count(*) as orders from read_parquet($path)
        where customer_id is not null and responded_on is not null
        group by customer_id, responded_on
        order by all
        """,
        {"path": str(path)},
    )
    return _days(rows, ("",))


def _days(rows: pd.DataFrame, categories: Sequence[str]) -> CategoryDays:
    import numpy as np
    import pandas as pd

    customers = sorted(set(rows["customer_id"]))
    return CategoryDays(
        customers=customers,
        categories=tuple(categories),
        customer=pd.Categorical(rows["customer_id"], customers).codes.astype(np.int64),
        category=pd.Categorical(rows["category"], list(categories)).codes.astype(np.int64),
        day=_numbered(rows["day"]),
        orders=rows["orders"].to_numpy(dtype=np.int64),
    )


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _numbered(days: Any) -> Array:
    import numpy as np

    return days.to_numpy().astype("datetime64[D]").astype(np.int64)


def _query(sql: str, values: dict[str, Any]) -> pd.DataFrame:
    import duckdb

    with duckdb.connect() as connection:
        rows: pd.DataFrame = connection.execute(sql, values).df()
    return rows


def _there(path: Path, run: Run, step: str) -> Path:
    if not path.exists():
        raise MissingPartition(
            f"scores: {path.name} of {run.id} is not there: run 'huaxiang {step} --as-of {run.as_of}' first"
        )
    return path
