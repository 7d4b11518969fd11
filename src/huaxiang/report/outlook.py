"""What each customer will likely do in the next 28 days: the scores of a build, beside the average customer's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from huaxiang.report import words
from huaxiang.report.tables import BuildTables

LIKELIEST = 3  # categories
CHURN, CATEGORY = "churn_28d", "category_28d"


@dataclass(frozen=True)
class Outlook:
    """Averages over all customers, and each customer's scores as [number of the category, probability, reasons].

    Number 0 is staying away; the likeliest categories follow it, from the most to the least likely.
    """

    names: tuple[str, ...]
    means: tuple[float | None, ...]
    of: dict[str, list[list[Any]]]


def outlook(tables: BuildTables) -> Outlook | None:
    """None where nothing was scored."""
    if not tables.has("customer_scores"):
        return None
    means = tables.rows(
        "select target, category, avg(probability) as mean from customer_scores group by all order by target, category"
    )
    away = next((row["mean"] for row in means if row["target"] == CHURN), None)
    categories = {row["category"]: row["mean"] for row in means if row["target"] == CATEGORY}
    numbers = {category: number for number, category in enumerate(categories, start=1)}
    of: dict[str, list[list[Any]]] = defaultdict(list)
    for row in tables.rows(
        """
        select customer_id, target, category, probability, reasons
        from customer_scores
        where target in ($1, $2)
        qualify row_number() over (partition by customer_id, target order by probability desc, category) <= $3
        order by customer_id, target = $1 desc, probability desc, category
        """,
        CHURN,
        CATEGORY,
        LIKELIEST,
    ):
        number = 0 if row["target"] == CHURN else numbers[row["category"]]
        of[row["customer_id"]].append([number, round(row["probability"], 4), words.visible(row["reasons"] or "")])
    if not of:
        return None
    return Outlook(
        names=("No order at all", *(words.visible(category) for category in categories)),
        means=tuple(None if mean is None else round(mean, 4) for mean in (away, *categories.values())),
        of=dict(of),
    )
