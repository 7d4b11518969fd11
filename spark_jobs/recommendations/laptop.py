"""Purchases worked on in this process by DuckDB and numpy, for homes small enough that Spark would mostly wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from spark_jobs.recommendations import factors, lists, outputs, reasons
from spark_jobs.recommendations.catalogue import Catalogue, catalogue
from spark_jobs.recommendations.lists import Task
from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import History

if TYPE_CHECKING:
    import pandas as pd
    from duckdb import DuckDBPyConnection

Array = np.ndarray


@contextmanager
def opened(path: Path, as_of: date, scratch: Path, params: RecommendationParams) -> Iterator[Laptop]:
    """The purchases of a Parquet file up to `as_of`. DuckDB spills into `scratch`, a folder that may not exist yet."""
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": 2,
        "memory_limit": "1GB",
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": "false",
    }
    with duckdb.connect(config=config) as connection:
        connection.read_parquet(str(path)).filter(f"ordered_on <= date '{as_of}'").create_view("purchases")
        _encode(connection, params)
        yield Laptop(connection, params)


class Laptop:
    """`pairs.Purchases` on DuckDB."""

    def __init__(self, connection: DuckDBPyConnection, params: RecommendationParams) -> None:
        self._connection = connection
        self._params = params
        self._cut_off: date | None = None

    def catalogue(self, cut_off: date) -> Catalogue:
        self._bought_by(cut_off)
        # whoever bought it in the window bought it last in the window
        recent, late, week = (
            f"last_on > date '{cut_off - timedelta(days=days)}'"
            for days in (self._params.popularity_days, self._params.late_days, self._params.week_days)
        )
        counts = self._connection.execute(f"""
select count(*) as buyers, count(*) filter ({recent}) as recent_buyers, count(*) filter ({late}) as late_buyers,
    count(*) filter ({week}) as week_buyers, count(*) filter ({late.replace("last_on", "first_on")}) as new_buyers,
    count(*) filter (times > 1) as repeat_buyers, count(*) filter (earlier > 0) as earlier_buyers,
    count(*) filter (earlier > 0 and {late}) as returned_buyers,
    sum(times - 1)::bigint as gaps, sum(last_on - first_on)::bigint as gap_days
from bought group by item order by item
""").df()
        products = self._connection.execute("select product_id, product_type from products order by item").df()
        ids, types = (products[name].to_numpy(dtype=str) for name in ("product_id", "product_type"))
        [customers] = self._connection.execute("select count(distinct customer) from bought").fetchone() or (0,)
        return catalogue(ids, types, counts, customers, cut_off, self._params)

    def pairs(self, cut_off: date) -> Pairs:
        return self._pairs(cut_off, f"customer < {self._params.neighbour_customers}")

    def targets(self, cut_off: date) -> pd.DataFrame:
        self._bought_by(cut_off)
        until = cut_off + timedelta(days=self._params.window_days)
        return self._connection.execute(
            f"""
with after as (
    select distinct customer, item from rows
    where ordered_on > date '{cut_off}' and ordered_on <= date '{until}' and customer < $known
),
drawn as (
    select customer from (select distinct customer from after) order by md5(customer::varchar), customer limit $most
)
select after.customer, after.item, bought.item is null as is_new
from after
inner join drawn on after.customer = drawn.customer
left join bought on after.customer = bought.customer and after.item = bought.item
order by after.customer, after.item
""",
            {"known": self._params.neighbour_customers, "most": self._params.judged_customers},
        ).df()

    def als(self, cut_off: date, products: Catalogue, pairs: Pairs) -> tuple[Array, Array]:
        return factors.als(products, pairs, self._params)

    def write_items(
        self, customers: Path, suppressions: Path, as_of: date, tasks: Callable[[Catalogue], Sequence[Task]], path: Path
    ) -> int:
        """Write the lists of the day's `customers` without what they suppressed (both Parquet), with reasons; returns
        the number of rows.

        `tasks` makes the lists' recipes for the products of the day.
        """
        products = self.catalogue(as_of)
        names, histories = self._histories(customers, as_of)
        suppressed = products.suppressed(suppressions)
        listed = lists.listed(names, histories, tasks(products), products.types, suppressed, as_of, self._params.top)
        self._connection.register("listed", listed)
        self._connection.register("named", products.named())
        rows = self._connection.sql(reasons.statement("listed", "named", "purchases", self._params))
        ordered = rows.order(", ".join(outputs.KEY)).to_arrow_reader(outputs.BATCH)
        return outputs.write_items(ordered.schema, ordered, path, len(names))

    def _histories(self, customers: Path, as_of: date) -> tuple[list[str], list[History]]:
        """The customers of the day by id, those who bought nothing too, and what each bought."""
        self._connection.execute(
            "create or replace temp table of_day as select day.customer_id, coalesce(customer, -1) as customer "
            "from read_parquet(?) as day left join customers on day.customer_id = customers.customer_id "
            f"where as_of = date '{as_of}'",
            [str(customers)],
        )
        found = self._connection.execute("select customer_id, customer from of_day order by customer_id").fetchall()
        pairs = self._pairs(as_of, "customer in (select customer from of_day)")
        numbers = np.array([number for _, number in found], dtype=np.int64)
        return [name for name, _ in found], pairs.histories(numbers)

    def _pairs(self, cut_off: date, wanted: str) -> Pairs:
        orders = self._connection.execute(
            f"select customer, item, date '{cut_off}' - ordered_on as age "
            f"from rows where ordered_on <= date '{cut_off}' and {wanted}"
        )
        return Pairs.of_rows(orders.df())

    def _bought_by(self, cut_off: date) -> None:
        """`bought`: a row per customer and product bought by then, in how many orders (`times`), in how many of the
        `popularity_days` before the last `late_days` (`earlier`), and the first and the last day."""
        if self._cut_off == cut_off:
            return
        late = cut_off - timedelta(days=self._params.late_days)
        since = late - timedelta(days=self._params.popularity_days)
        self._connection.execute(f"""
create or replace temp table bought as
select customer, item, count(*) as times,
    count(*) filter (ordered_on > date '{since}' and ordered_on <= date '{late}') as earlier,
    min(ordered_on) as first_on, max(ordered_on) as last_on
from rows where ordered_on <= date '{cut_off}' group by customer, item
""")
        self._cut_off = cut_off


def _encode(connection: DuckDBPyConnection, params: RecommendationParams) -> None:
    """`products`, `customers` and `rows`, numbered as `inputs.encoded` does."""
    found = connection.execute("select avg((category is not null)::int) from purchases").fetchone()
    share = found[0] if found else None
    excluded = ", ".join(f"'{name}'" for name in params.excluded_categories)
    connection.execute(f"""
create temp table kept as
select customer_id, product_id, product_type, ordered_on from purchases
where coalesce(category, '') not in ({excluded})
    {"and category is not null" if share is not None and share >= params.category_share else ""}
""")
    for table, key, number, more in (
        ("products", "product_id", "item", ", coalesce(max(product_type), '') as product_type"),
        ("customers", "customer_id", "customer", ""),
    ):
        connection.execute(f"""
create temp table {table} as
select * exclude (first_on), (row_number() over (order by first_on, {key}) - 1)::int as {number}
from (select {key}, min(ordered_on) as first_on{more} from kept group by {key})
""")
    connection.execute("""
create temp table rows as
select customer, item, ordered_on
from kept
inner join products on kept.product_id = products.product_id
inner join customers on kept.customer_id = customers.customer_id
""")
    connection.execute("drop table kept")
