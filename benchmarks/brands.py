"""How many branded purchases a favourite brand needs: `python -m benchmarks.brands`, on the home of HUAXIANG_HOME.

The share of branded purchases that go to each category's favourite brand is computed from every other order day of a
customer and from the rest, as in `benchmarks.habits`, of those customers alone of whom the tag would say something.
The least that is asked for was chosen on the days up to June, and is reported on those after.
"""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING

from benchmarks import habits
from huaxiang.dbt_numbers import numbers
from huaxiang.settings import PROJECT, load_settings

if TYPE_CHECKING:
    import duckdb

_LEASTS = (1, 100, 150, 200, 250, 300, 350, 400)


def main() -> None:
    """Print reliability and coverage by the branded purchases asked for, on the earlier, the later and all days."""
    import duckdb

    parser = argparse.ArgumentParser(prog="python -m benchmarks.brands", description=__doc__)
    parser.add_argument("--split", type=date.fromisoformat, default=date(2017, 7, 1), help="first of the later days")
    split = parser.parse_args().split
    with duckdb.connect(str(load_settings().home.duckdb_file), read_only=True) as connection:
        for first, end in ((None, split), (split, None), (None, None)):
            print("\n".join(lines(connection, first, end)))


def lines(connection: duckdb.DuckDBPyConnection, first: date | None, end: date | None) -> list[str]:
    """A line per support, of the order days from `first` on and before `end`."""
    habits.halve(connection, first, end)
    return [
        f"{first or 'from the start'} to {end or 'the end'}, {least} branded purchases: "
        + habits.reliability(connection, figure(least))
        for least in _LEASTS
    ]


def figure(least_purchases: float | None = None) -> str:
    """Query of the figure by customer and half, of customers with the support that the dbt model asks for, or with so
    many branded purchases in its place."""
    of_category, categories, purchases = numbers(
        PROJECT, "brands", "least_purchases_of_category", "least_branded_categories", "least_branded_purchases"
    )
    least = purchases if least_purchases is None else least_purchases
    return f"""
        with brands as (
            select bought.customer_id, half, bought.category, manufacturer_id, count(*) as bought
            from features.purchases as bought
            inner join staging.stg_products as products using (product_id)
            inner join halves using (customer_id, ordered_on)
            where manufacturer_id is not null and not coalesce(is_private_label, false) and bought.category is not null
            group by all
        ),
        choices as (
            select category from brands group by category having count(distinct manufacturer_id) > 1
        ),
        published as (
            select customer_id from (
                select customer_id, category, sum(bought) as bought from brands semi join choices using (category)
                group by all having sum(bought) >= {of_category}
            ) group by customer_id
            having count(*) >= {categories} and sum(bought) >= {least}
        ),
        categories as (
            select customer_id, half, category, sum(bought) as bought, max(bought) as favourite
            from brands semi join choices using (category) semi join published using (customer_id)
            group by all having sum(bought) >= {of_category}
        )
        select customer_id, half, sum(favourite) / sum(bought) as x from categories group by all"""


if __name__ == "__main__":
    main()
