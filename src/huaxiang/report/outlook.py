"""What each customer will likely do next: the scores of a build, beside the average customer's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from huaxiang.report import words
from huaxiang.report.tables import BuildTables, read_json

LIKELIEST = 3  # of the scores that a target has per category
CHURN, CATEGORY = "churn_28d", "category_28d"


@dataclass(frozen=True)
class Outlook:
    """Averages over all customers, and each customer's scores as [number of the name, probability, reasons].

    Number 0 is staying away. It comes first, then the likeliest categories, then the other targets.
    """

    names: tuple[str, ...]
    means: tuple[float | None, ...]
    of: dict[str, list[list[Any]]]


def outlook(tables: BuildTables) -> Outlook | None:
    """None where nothing was scored."""
    if not tables.has("customer_scores"):
        return None
    means = tables.rows(
        """
        select target, category, avg(probability) as mean from customer_scores
        group by target, category
        order by target = $1 desc, target = $2 desc, target, category
        """,
        CHURN,
        CATEGORY,
    )
    known = {(row["target"], row["category"]): row["mean"] for row in means}
    known = {(CHURN, ""): None} | known
    numbers = {key: number for number, key in enumerate(known)}
    of: dict[str, list[list[Any]]] = defaultdict(list)
    for row in tables.rows(
        """
        select customer_id, target, category, probability, reasons
        from customer_scores
        qualify row_number() over (partition by customer_id, target order by probability desc, category) <= $3
        order by customer_id, target = $1 desc, target = $2 desc, target, probability desc, category
        """,
        CHURN,
        CATEGORY,
        LIKELIEST,
    ):
        number = numbers[row["target"], row["category"]]
        of[row["customer_id"]].append([number, round(row["probability"], 4), words.visible(row["reasons"] or "")])
    if not of:
        return None
    return Outlook(
        names=tuple(_name(tables, target, category) for target, category in known),
        means=tuple(None if mean is None else round(mean, 4) for mean in known.values()),
        of=dict(of),
    )


def _name(tables: BuildTables, target: str, category: str) -> str:
    if target == CHURN:
        return "No order at all"
    if target == CATEGORY:
        return f"Buys {words.visible(category)}"
    card = tables.build / "scores" / f"model.{target}.json"
    title = str(read_json(card).get("title") or target) if card.exists() else target
    return words.visible(f"{title}: {category}" if category else title)
