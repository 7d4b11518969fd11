"""Lists made in this process: DuckDB counts, numpy ranks. For homes small enough that Spark would mostly wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spark_jobs.recommendations import lists, outputs, reasons
from spark_jobs.recommendations.catalogue import Catalogue, catalogue
from spark_jobs.recommendations.lists import Task
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import History

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def write_items(
    purchases: Path,
    customers: Path,
    as_of: date,
    tasks: Callable[[Catalogue], Sequence[Task]],
    path: Path,
    params: RecommendationParams,
) -> int:
    """Write the lists of the day's `customers`, with reasons; returns the number of rows.

    Both tables are Parquet. `tasks` makes the lists' recipes for the products of the day.
    """
    with _purchases_of(purchases, as_of, path.with_name(".duckdb.tmp"), params) as connection:
        products = _catalogue(connection, as_of, params)
        names, histories = _histories(connection, customers, as_of)
        listed = lists.listed(names, histories, tasks(products), products.types, as_of, params.top)
        connection.register("listed", listed)
        connection.register("products", products.named())
        rows = connection.sql(reasons.statement("listed", "products", "purchases", params))
        ordered = rows.order(", ".join(outputs.KEY)).to_arrow_reader(outputs.BATCH)
        return outputs.write_items(ordered.schema, ordered, path, len(names))


@contextmanager
def _purchases_of(path: Path, as_of: date, scratch: Path, params: RecommendationParams) -> Iterator[DuckDBPyConnection]:
    """`purchases` up to `as_of`; `numbered`, the products worth recommending as `inputs.encoded` numbers them; and
    `bought`, a row per customer and such product: in how many orders (`times`), and the last day."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 2,
        "memory_limit": "1GB",
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": "false",
    }
    with duckdb.connect(config=config) as connection:
        rows = connection.read_parquet(str(path)).filter(f"ordered_on <= date '{as_of}'")
        rows.create_view("purchases")
        found = connection.execute("select avg((category is not null)::int) from purchases").fetchone()
        share = found[0] if found else None
        excluded = ", ".join(f"'{name}'" for name in params.excluded_categories)
        connection.execute(f"""
create temp table kept as
select customer_id, product_id, product_type, ordered_on from purchases
where coalesce(category, '') not in ({excluded})
    {"and category is not null" if share is not None and share >= params.category_share else ""}
""")
        connection.execute("""
create temp table numbered as
select product_id, product_type, (row_number() over (order by first_on, product_id) - 1)::int as item
from (
    select product_id, min(ordered_on) as first_on, max(product_type) as product_type from kept group by product_id
)
""")
        connection.execute("""
create temp table bought as
select customer_id, item, count(*) as times, max(ordered_on) as last_on
from kept inner join numbered on kept.product_id = numbered.product_id
group by customer_id, item
""")
        yield connection


def _catalogue(connection: DuckDBPyConnection, as_of: date, params: RecommendationParams) -> Catalogue:
    since = as_of - timedelta(days=params.popularity_days)
    counts = connection.execute(
        f"select count(*) as buyers, count(*) filter (last_on > date '{since}') as recent_buyers "
        "from bought group by item order by item"
    ).df()
    products = connection.execute(
        "select product_id, coalesce(product_type, '') as product_type from numbered order by item"
    ).df()
    ids, types = (products[name].to_numpy(dtype=str) for name in ("product_id", "product_type"))
    [customers] = connection.execute("select count(distinct customer_id) from bought").fetchone() or (0,)
    return catalogue(ids, types, counts, customers, as_of, params)


def _histories(connection: DuckDBPyConnection, customers: Path, as_of: date) -> tuple[list[str], list[History]]:
    """The customers of the day by id, those who bought nothing too, and what each bought."""
    connection.execute(
        "create temp table customers as select customer_id, row_number() over (order by customer_id) - 1 as customer "
        f"from read_parquet(?) where as_of = date '{as_of}'",
        [str(customers)],
    )
    names = [name for (name,) in connection.execute("select customer_id from customers order by customer").fetchall()]
    rows = connection.execute(f"""
select customer, item, times, date '{as_of}' - last_on as age
from bought inner join customers on bought.customer_id = customers.customer_id
order by customer, item
""").df()
    items, times, ages = (rows[name].to_numpy(kind) for name, kind in (("item", int), ("times", float), ("age", float)))
    ends = np.searchsorted(rows["customer"].to_numpy(), np.arange(len(names) + 1))
    histories = [History(items[a:b], times[a:b], ages[a:b]) for a, b in pairwise(ends)]
    return names, histories
