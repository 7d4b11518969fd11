"""How well the next purchase of a category is foretold: every day, on the purchases of the last 28 days.

What counts is the gap between two purchase days of a category. Each gap that ended in the window is foretold from the
customer's own gaps before it, and from the gaps of the category that ended before the window: nothing is looked at
that the forecast could not know. The arithmetic is that of the dbt model `customer_category_next_purchases`, and its
numbers are read from its macros. The baseline in the same rows is the category alone: the median of its gaps, and the
days by which nine in ten have ended. Gaps that have not ended yet are nobody's: who never comes back is not in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.dbt_numbers import numbers
from huaxiang.files import write_text
from huaxiang.judging.resampling import of_clusters

if TYPE_CHECKING:
    import duckdb

MODEL = "next_purchases"
FILE = f"judged.{MODEL}.json"
_WINDOW_DAYS, _HISTORY_DAYS = 28, 364
_MOST_CUSTOMERS = 1000  # drawn by a hash: the difference is then known to a tenth of a day, for a third of a second
_LEAST_CUSTOMERS = 30  # of fewer an interval says nothing

# By customer, ordered, so that sums are the same wherever they are made. Losses are tenths: whole numbers.
_BY_CUSTOMER = """
with known as (
    select customer_id, category, ordered_on from features.customer_category_days
    where purchase_count > 0 and ordered_on > date '{start}' and ordered_on < date '{end}'
),
drawn as (
    select customer_id from (select distinct customer_id from known) order by md5(customer_id) limit {most}
),
purchases as (
    select * from known semi join drawn using (customer_id)
)
select customer_id,
    count(*)::double as gaps,
    sum(abs(gap - expected))::double as error_days,
    sum(abs(gap - category_median))::double as baseline_error_days,
    sum(greatest(9 * (gap - latest), latest - gap)) / 10 as latest_loss_days,
    sum(greatest(9 * (gap - category_latest), category_latest - gap)) / 10 as baseline_latest_loss_days,
    sum((gap between earliest and latest)::int)::double as covered
from ({foretold})
group by customer_id order by customer_id
"""


@dataclass(frozen=True)
class Numbers:
    """Those of the dbt model: gaps of the category beside the customer's own, gaps asked for, spreads to a side."""

    weight: float
    least: float
    spreads: float


def of_project(project: Path) -> Numbers:
    """The numbers as the macros of a checkout have them."""
    return Numbers(*numbers(project, MODEL, "category_gap_weight", "least_gaps", "gap_spreads"))


def foretold(days: str, first: date, end: date, model: Numbers) -> str:
    """Query of the gaps that ended from `first` on and before `end`, one row each, with what was foretold of them.

    `days` is a relation with one row per customer_id, category and day of purchase (ordered_on). In whole days are gap,
    category_median, category_latest, expected, earliest and latest. Without parameters: binding one imports pandas.
    """
    return f"""
    with gaps as (
        select customer_id, category, ordered_on, ordered_on - lag(ordered_on) over own as gap
        from {days} where ordered_on < date '{end}'
        window own as (partition by customer_id, category order by ordered_on)
    ),
    logs as (
        select *,
            cast(round(ln(gap), 9) as decimal(12, 9)) as log,
            cast(round(power(ln(gap), 2), 9) as decimal(12, 9)) as log_square
        from gaps where gap is not null
    ),
    categories as (
        select category, median(gap) as category_median, quantile_disc(gap, 0.9) as category_latest,
            cast(sum(log) as double) / count(*) as log_mean,
            cast(sum(log_square) as double) / count(*) - (cast(sum(log) as double) / count(*)) ** 2 as log_variance
        from logs where ordered_on < date '{first}' group by category
    ),
    before as (
        select customer_id, category, count(*) as gap_count, sum(log) as log_sum, sum(log_square) as square_sum
        from logs where ordered_on < date '{first}' group by all
    ),
    within as (
        select logs.*,
            coalesce(before.gap_count, 0) + count(*) over earlier as gap_count,
            cast(coalesce(before.log_sum, 0) + coalesce(sum(log) over earlier, 0) as double) as log_sum,
            cast(coalesce(before.square_sum, 0) + coalesce(sum(log_square) over earlier, 0) as double) as square_sum
        from logs left join before using (customer_id, category)
        where ordered_on >= date '{first}'
        window earlier as (partition by customer_id, category order by ordered_on
            rows between unbounded preceding and 1 preceding)
    ),
    mixed as (
        select within.*, category_median, category_latest,
            (log_sum + {model.weight} * log_mean) / (gap_count + {model.weight}) as middle,
            sqrt(greatest(0, (square_sum - log_sum * log_sum / gap_count + {model.weight} * log_variance)
                / (gap_count + {model.weight}))) as spread
        from within inner join categories using (category)
        where gap_count >= {model.least}
    )
    select customer_id, category, ordered_on, gap, category_median, category_latest,
        greatest(1, round(exp(middle))) as expected,
        greatest(1, round(exp(middle - {model.spreads} * spread))) as earliest,
        greatest(1, round(exp(middle + {model.spreads} * spread))) as latest
    from mixed
    """


def write(connection: duckdb.DuckDBPyConnection, as_of: date, project: Path, folder: Path) -> None:
    """Write the card of the day to the folder, by the numbers of a checkout; none where nothing can be judged."""
    said = card(connection, as_of, of_project(project))
    if said:
        write_text(folder / FILE, json.dumps(said, indent=2) + "\n")
    else:
        (folder / FILE).unlink(missing_ok=True)


def card(connection: duckdb.DuckDBPyConnection, as_of: date, model: Numbers) -> dict[str, Any] | None:
    """What the report, the tags and MLflow say of the forecasts that stood for purchases of the 28 days up to `as_of`.

    Reads features.customer_category_days. A gain is the paired difference from the baseline in days, above 0 where
    better, its interval of 95 % by customers. None where fewer than 30 customers have a gap that can be judged.
    """
    first, end = as_of - timedelta(days=_WINDOW_DAYS - 1), as_of + timedelta(days=1)
    found = connection.execute(
        _BY_CUSTOMER.format(
            start=as_of - timedelta(days=_HISTORY_DAYS),
            end=end,
            most=_MOST_CUSTOMERS,
            foretold=foretold("purchases", first, end, model),
        )
    )
    names = [column[0] for column in found.description]
    rows = found.fetchall()
    if len(rows) < _LEAST_CUSTOMERS:
        return None
    of_customers = dict(zip(names, zip(*rows, strict=True), strict=True))
    covered = of_clusters(of_customers["covered"], of_customers["gaps"])
    metrics = {**_metrics(of_customers), "coverage": covered.value}
    held, low, high = (f"{100 * bound:.1f}" for bound in (covered.value, covered.low, covered.high))
    return {
        "model": MODEL,
        "judged_as_of": str(as_of),
        "judged_by": "error_days",
        "baseline": {
            "name": "the category alone",
            "words": "the median of everybody's gaps in the category, and the days by which nine in ten of them end",
        },
        "split": (
            f"{int(metrics['gaps']):,} purchases of the {_WINDOW_DAYS} days up to {as_of}, each foretold from the "
            "customer's purchases before it and from the category's before these days."
        ),
        "metrics": metrics,
        "notes": [
            f"the interval of 80 % held {held} % of these purchases ({low} to {high})",
            "a category that is not bought again has no day to be judged by",
        ],
    }


def _metrics(of_customers: Mapping[str, Sequence[float]]) -> dict[str, float]:
    gaps = of_customers["gaps"]
    found = {"customers": float(len(gaps)), "gaps": sum(gaps)}
    for name in ("error_days", "latest_loss_days"):
        ours, baseline = of_customers[name], of_customers[f"baseline_{name}"]
        gained = [theirs - own for own, theirs in zip(ours, baseline, strict=True)]
        found |= of_clusters(ours, gaps).figures(name)
        found |= of_clusters(baseline, gaps).figures(f"baseline_{name}")
        found |= of_clusters(gained, gaps).figures(f"{name}_gain")
    return found
