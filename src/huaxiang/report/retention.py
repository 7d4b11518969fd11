"""Who stays: cohorts by month of first order and the survival curve, from the build's tables, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from huaxiang.report import words
from huaxiang.report.tables import BuildTables

_COHORTS = 12  # the latest are shown, so many months each; the table holds all
_HALF_A_YEAR = 6
_HALF_A_YEAR_DAYS = 182
_FEWEST = 30  # customers of a group whose curve is shown
ALL, LOWEST, HIGHEST = "all", "lowest third", "highest third"  # by the spend of the first order day
_NUMBERS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth"}


@dataclass(frozen=True)
class Cohort:
    """Customers by the month of their first order; `active` are those who ordered 0, 1, 2 ... months after it."""

    month: date
    customers: int
    active: tuple[int, ...]


@dataclass(frozen=True)
class Stay:
    """The share of customers who have not lapsed so many days after their first order, with its 95 % interval."""

    days: int
    share: float
    low: float
    high: float


def cohorts(tables: BuildTables) -> tuple[Cohort, ...]:
    """The latest cohorts of which a later month is over, the oldest first; empty where the home has none."""
    if not tables.has("retention_cohorts"):
        return ()
    rows = tables.rows(
        """
        select cohort_month as month, any_value(customers) as customers,
            list(active_customers order by months_since) as active
        from retention_cohorts
        group by cohort_month
        having count(*) > 1
        order by cohort_month
        """
    )
    return tuple(Cohort(row["month"], row["customers"], tuple(row["active"])) for row in rows[-_COHORTS:])


def survival(tables: BuildTables) -> dict[str, tuple[Stay, ...]]:
    """The curve of all, from the first order to the longest history, and those of groups; none before a lapse."""
    if not tables.has("survival_curve"):
        return {}
    rows = tables.rows(
        """
        select first_day_spend, days_since_first_order as days, staying_share as share,
            coalesce(staying_share_low, staying_share) as low, coalesce(staying_share_high, staying_share) as high
        from survival_curve
        window of_group as (partition by first_day_spend)
        qualify max(customers_at_risk) over of_group >= if(first_day_spend = $1, 1, $2)
            and (lapsed_customers > 0 or days_since_first_order = max(days_since_first_order) over of_group)
        order by days
        """,
        ALL,
        _FEWEST,
    )
    found: dict[str, tuple[Stay, ...]] = {}
    for row in rows:
        group = row.pop("first_day_spend")
        found[group] = (*found.get(group, (Stay(0, 1.0, 1.0, 1.0),)), Stay(**row))
    return found if any(stay.share < 1 for stay in found.get(ALL, ())) else {}


def shown_months(found: Sequence[Cohort]) -> int:
    """How many months after the first order are shown."""
    return min(_COHORTS, max((len(one.active) for one in found), default=1) - 1)


def pooled(found: Sequence[Cohort], months: int, seen_for: int = 0) -> float:
    """The share active so many months after the first order, of all cohorts seen for that long (or for `seen_for`)."""
    seen = [one for one in found if len(one.active) > max(months, seen_for)]
    return sum(one.active[months] for one in seen) / sum(one.customers for one in seen)


def said_of_cohorts(found: Sequence[Cohort]) -> str:
    """A sentence: how many came in the month after the first order and, of the same customers, half a year after it."""
    last = min(_HALF_A_YEAR, max(len(one.active) for one in found) - 1)
    seen = [one for one in found if len(one.active) > last]
    who = words.plural(sum(one.customers for one in seen), "customer")
    since, until = f"{seen[0].month:%B %Y}", f"{seen[-1].month:%B %Y}"
    when = f"in {since}" if since == until else f"between {since} and {until}"
    text = f"Of {who} who ordered first {when}, {words.percent(pooled(found, 1, last), 0)} ordered in the month after"
    return text + (f" and {words.percent(pooled(found, last), 0)} in the {_NUMBERS[last]} month." if last > 1 else ".")


def said_of_survival(curves: Mapping[str, Sequence[Stay]]) -> str:
    """Who has never lapsed half a year after the first order, and as long after it as has been seen, in words.

    The lowest and the highest third by the spend of the first day are told apart, where both are there.
    """
    curve, never = curves[ALL], "had never been away for more than 91 days"
    longest = curve[-1].days
    day = min(_HALF_A_YEAR_DAYS, *(of[-1].days for of in curves.values()))
    when = "Half a year" if day == _HALF_A_YEAR_DAYS else words.plural(day, "day")
    text = f"{when} after their first order, {_of(curve, day)} {never}"
    if {LOWEST, HIGHEST} <= curves.keys():
        low, high = (_of(curves[group], day) for group in (LOWEST, HIGHEST))
        text += f": {low} of the third that spent least on that first day, {high} of the third that spent most"
    if longest > day:
        text += f". After {longest} days, as long as this home has seen, it is {_of(curve, longest)}"
    return f"{text}."


def _of(curve: Sequence[Stay], days: int) -> str:
    """The share on a day, which is that of the last lapse before it, with its interval."""
    stay = [one for one in curve if one.days <= days][-1]
    return f"{words.percent(stay.share)} ({words.number(100 * stay.low)} to {words.number(100 * stay.high)})"
