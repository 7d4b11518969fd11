"""What customers may start next: the categories told most often, and each customer's own first ones."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from huaxiang.report.tables import BuildTables

TABLE = "customer_new_categories"
FIRST, MOST = 3, 12  # categories told of a customer; rows of the table


@dataclass(frozen=True)
class Start:
    """A category that a customer may start, and why."""

    category: str
    reason: str


@dataclass(frozen=True)
class PopularStart:
    """A category with the customers who have it among their first ones, and the reason given most often."""

    category: str
    customers: int
    share: float
    reason: str


def starts(tables: BuildTables) -> dict[str, list[Start]]:
    """Each customer's first new categories; empty without the table."""
    found: dict[str, list[Start]] = defaultdict(list)
    if tables.has(TABLE):
        for row in tables.rows(
            f"select customer_id, category, reason from {TABLE} where rank <= $1 order by customer_id, rank", FIRST
        ):
            found[row["customer_id"]].append(Start(row["category"], row["reason"] or ""))
    return dict(found)


def most_started(tables: BuildTables) -> tuple[PopularStart, ...]:
    """The categories that the most customers have among their first ones; of equally many the first by name."""
    if not tables.has(TABLE):
        return ()
    rows = tables.rows(
        f"""
        with listed as (
            select *, count(*) filter (where rank = 1) over () as everybody from {TABLE} where rank <= $1
        ),
        reasons as (
            select category, reason, count(*) as customers from listed group by category, reason
        ),
        commonest as (
            select category, reason from reasons
            qualify row_number() over (partition by category order by customers desc, reason) = 1
        )
        select category, count(distinct customer_id) as customers, max(everybody) as everybody,
            max(commonest.reason) as reason
        from listed inner join commonest using (category)
        group by category
        order by customers desc, category
        limit $2
        """,
        FIRST,
        MOST,
    )
    return tuple(
        PopularStart(row["category"], row["customers"], row["customers"] / row["everybody"], row["reason"] or "")
        for row in rows
    )
