"""Whether the figures behind tags are habits: `python -m benchmarks.habits`, on the home of HUAXIANG_HOME.

Split half: each figure is computed from every other order day of a customer and from the rest; the correlation of the
halves over customers with ten order days or more, stepped up to the whole length (Spearman and Brown); of brands those
alone of whom something is said (`benchmarks.brands`). And the value level of a day beside what is spent in the 28 days
after it, which it foretells worse or better than plainer rankings.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from typing import TYPE_CHECKING

from huaxiang.settings import load_settings

if TYPE_CHECKING:
    import duckdb

    from huaxiang.tracking.promotion import Interval

_RESAMPLES, _SEED = 1000, 20171130


def _of(table: str, figure: str) -> str:
    return (
        f"select customer_id, half, {figure} as x from features.{table}"
        " inner join halves using (customer_id, ordered_on) group by all"
    )


_FIGURES = {
    "discount_share": _of("customer_days", "sum(discount_amount) / nullif(sum(bought_amount), 0)"),
    "private_label_share": _of("customer_days", "sum(private_label_amount) / nullif(sum(labelled_amount), 0)"),
    "price_level": """
        with prices as (
            select category, sum(priced_amount) / sum(priced_quantity) as price from features.customer_category_days
            group by category
            having sum(bulk_line_count) * 100 <= sum(line_count) and sum(priced_quantity) > 0 and sum(priced_amount) > 0
        )
        select customer_id, half, sum(priced_amount) / nullif(sum(priced_quantity * price), 0) as x
        from features.customer_category_days
        inner join halves using (customer_id, ordered_on) inner join prices using (category)
        where priced_quantity > 0 group by all""",
    "display_share": _of("customer_promotion_days", "sum(displayed_count) / sum(product_count)"),
    "mailer_share": _of("customer_promotion_days", "sum(mailed_count) / sum(product_count)"),
}

_RANKED = """
with spent as (
    select customer_id, sum(net_amount) filter (where ordered_on <= $day) as before,
        coalesce(sum(net_amount) filter (where ordered_on <= $day and ordered_on > $day - 91), 0) as lately,
        coalesce(sum(net_amount) filter (where ordered_on > $day and ordered_on <= $day + 28), 0) as after,
        $day - min(ordered_on) + 1 as days
    from features.customer_days group by customer_id having min(ordered_on) <= $day
),
ranked as (
    select *, rank() over (order by before) / count(*) over () as place from spent
)
"""

_LEVELS = f"""
{_RANKED}
select case when place > 0.8 then 'high' when place > 0.5 then 'middle' else 'low' end as level,
    count(*) as customers, avg(after) as mean, sum(after) / (select sum(after) from ranked) as share
from ranked group by 1 order by 3 desc
"""

# Each ranks the customers on a day; the first is what the others are held against.
_RANKINGS = {
    "spend so far": "before::double",
    "value tier, fifths of it": "ceil(5 * place)",
    "value level, three parts of it": "(place > 0.5)::int + (place > 0.8)::int",
    "spend so far per day": "before::double / days",
    "spend of the last 91 days": "lately::double",
}


def main() -> None:
    """Print the reliability of each figure, and what each value level spends afterwards."""
    import duckdb

    parser = argparse.ArgumentParser(prog="python -m benchmarks.habits", description=__doc__)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2017, 11, 30))
    day = parser.parse_args().as_of - timedelta(days=28)
    with duckdb.connect(str(load_settings().home.duckdb_file), read_only=True) as connection:
        print("\n".join([*reliabilities(connection), *levels(connection, day), *rankings(connection, day)]))


def halve(connection: duckdb.DuckDBPyConnection, first: date | None = None, end: date | None = None) -> None:
    """Table `halves`: every order day from `first` on and before `end` in one of two halves, of customers with ten."""
    connection.execute(
        """
        create or replace temp table halves as
        select customer_id, ordered_on, row_number() over own % 2 as half,
            count(*) over (partition by customer_id) as days
        from features.customer_days
        where order_count > 0 and coalesce(ordered_on >= $first, true) and coalesce(ordered_on < $end, true)
        window own as (partition by customer_id order by ordered_on)
        qualify days >= 10
        """,
        {"first": first, "end": end},
    )


def reliabilities(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """A line per figure."""
    from benchmarks import brands

    halve(connection)
    figures = {**_FIGURES, "brand_repeat_share": brands.figure()}
    return [f"{name}: {reliability(connection, query)}" for name, query in figures.items()]


def reliability(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """The reliability of the whole with its 95 % interval, the correlation of the halves, and of how many customers."""
    import numpy as np

    from huaxiang.judging.resampling import draws, of_draws

    found = connection.execute(
        f"with figures as ({query}) select one.x::double as one, other.x::double as other"
        " from figures as one inner join figures as other using (customer_id)"
        " where one.half = 0 and other.half = 1 and one.x is not null and other.x is not null order by customer_id"
    ).fetchnumpy()
    one, other = (np.asarray(found[name]) - np.mean(found[name]) for name in ("one", "other"))
    drawn = draws(len(one), _RESAMPLES, _SEED)
    products = np.stack([one, other, one * one, other * other, one * other]) @ drawn / len(one)
    mean, mean_other, square, square_other, both = products
    halves = (both - mean * mean_other) / np.sqrt((square - mean**2) * (square_other - mean_other**2))
    whole = of_draws(2 * halves / (1 + halves)).interval()
    return (
        f"reliability {whole.value:.2f} [{whole.low:.2f}, {whole.high:.2f}] (halves {halves[0]:.2f}), "
        f"{len(one):,} customers"
    )


def levels(connection: duckdb.DuckDBPyConnection, day: date) -> list[str]:
    """A line per value level on `day`: what its customers spend in the 28 days after."""
    return [
        f"{level} on {day}: {customers:,} customers spend {mean:.2f} each in 28 days, {100 * share:.0f} % of all"
        for level, customers, mean, share in connection.execute(_LEVELS, {"day": day}).fetchall()
    ]


def rankings(connection: duckdb.DuckDBPyConnection, day: date) -> list[str]:
    """A line per ranking on `day`: the normalised Gini coefficient of what is spent in the 28 days after."""
    from benchmarks.gini import replicates

    chosen = ", ".join(f'{scores} as "{name}"' for name, scores in _RANKINGS.items())
    rows = connection.execute(
        f"{_RANKED} select {chosen}, after::double as after from ranked order by customer_id", {"day": day}
    ).fetchnumpy()
    found = replicates({name: rows[name] for name in _RANKINGS}, rows["after"])
    first, *_ = found
    return [f"Gini of {first}: {_said(found[first].interval())}"] + [
        f"Gini of {name}: {_said(one.interval())}, more than of {first}: {_said(one.minus(found[first]).interval())}"
        for name, one in found.items()
        if name != first
    ]


def _said(found: Interval) -> str:
    return f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


if __name__ == "__main__":
    main()
