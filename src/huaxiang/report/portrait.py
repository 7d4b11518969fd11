"""One customer's portrait in plain sentences. Pure: a row of `customer_profiles` in, words out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from huaxiang.report import words

Row = Mapping[str, Any]


def sentences(row: Row, interests: list[str], currency: str, spend_rank: float | None = None) -> list[str]:
    """What can be said from the columns that are there; what is not known is not said.

    `spend_rank` is the share of the other customers who spent less.
    """
    told: list[Callable[[], str]] = [
        lambda: _orders(row, currency, spend_rank),
        lambda: _basket(row, currency),
        lambda: _lately(row, currency),
        lambda: _habits(row),
        lambda: f"Buys most of {words.listed(interests)}." if interests else "",
        lambda: _visits(row),
        lambda: _campaigns(row),
        lambda: _ahead(row),
    ]
    return [words.visible(sentence) for tell in told if (sentence := tell())]


def _orders(row: Row, currency: str, spend_rank: float | None) -> str:
    orders, first, last = row.get("order_count"), row.get("first_order_on"), row.get("last_order_on")
    if not orders or first is None or last is None:
        return ""
    span = f"on {words.day(first)}" if first == last else f"between {words.day(first)} and {words.day(last)}"
    said = f"{words.plural(orders, 'order')} {span}"
    if row.get("net_spend") is not None:
        said += f", {words.money(row['net_spend'], currency)} in all"
        if spend_rank:
            said += f", more than {words.percent(spend_rank, 0)} of the other customers"
    return said + "."


def _basket(row: Row, currency: str) -> str:
    parts = []
    if row.get("basket_net_mean") is not None:
        parts.append(f"an average basket costs {words.money(row['basket_net_mean'], currency)}")
        if row.get("basket_lines_mean") is not None:
            parts[0] += f" and holds {words.number(row['basket_lines_mean'])} lines"
    if row.get("gap_days_mean") is not None:
        parts.append(f"{words.number(row['gap_days_mean'])} days lie between two orders on average")
    return f"{'; '.join(parts)}.".capitalize() if parts else ""


def _lately(row: Row, currency: str) -> str:
    recent = row.get("order_count_28d")
    if recent is None:
        return ""
    if recent == 0:
        silent = row.get("recency_days")
        return f"No order in the last 28 days; the last was {words.plural(silent, 'day')} ago." if silent else ""
    said = f"In the last 28 days {words.plural(recent, 'order')}"
    if row.get("net_spend_28d") is not None:
        said += f" and {words.money(row['net_spend_28d'], currency)}"
    trend = row.get("order_trend")
    if trend is None:
        return said + "."
    pace = (
        "about the usual pace"
        if 0.8 <= trend <= 1.25
        else "more often than usual"
        if trend > 1
        else "less often than usual"
    )
    return (
        f"{said}: {pace} of the last 91 days." if pace.startswith("about") else f"{said}: {pace} in the last 91 days."
    )


def _habits(row: Row) -> str:
    parts = []
    if row.get("preferred_weekday") is not None:
        parts.append(
            f"on {words.WEEKDAYS[int(row['preferred_weekday']) - 1]}s{_of_orders(row, 'preferred_weekday_share')}"
        )
    if row.get("preferred_hour") is not None:
        hour = int(row["preferred_hour"])
        parts.append(f"from {hour:02d}:00 to {hour + 1:02d}:00{_of_orders(row, 'preferred_hour_share')}")
    if row.get("preferred_store_id") is not None:
        parts.append(f"in store {row['preferred_store_id']}{_of_orders(row, 'preferred_store_share')}")
    return f"Orders most often {words.listed(parts)}." if parts else ""


def _of_orders(row: Row, column: str) -> str:
    return f" ({words.percent(row[column], 0)} of orders)" if row.get(column) is not None else ""


def _visits(row: Row) -> str:
    visits, first, last = row.get("session_count"), row.get("first_visit_on"), row.get("last_visit_on")
    if not visits or first is None or last is None:
        return ""
    span = f"on {words.day(first)}" if first == last else f"between {words.day(first)} and {words.day(last)}"
    said = f"{words.plural(visits, 'visit')} {span}"
    if row.get("page_view_count"):
        said += f", {words.plural(row['page_view_count'], 'page')} seen"
    return said + "."


def _campaigns(row: Row) -> str:
    received, answered = row.get("campaigns_received"), row.get("campaigns_answered")
    if received is None:
        return ""
    if received == 0:
        return "Has received no campaign."
    said = f"Has received {words.plural(received, 'campaign')}"
    return f"{said} and answered {answered or 'none'}." if answered is not None else said + "."


def _ahead(row: Row) -> str:
    away, category, chance = (
        row.get(column) for column in ("churn_probability_28d", "likely_category", "likely_category_probability")
    )
    parts = []
    if away is not None:
        parts.append(f"stays away with a probability of {words.percent(away, 0)}")
    if category and chance is not None:
        parts.append(f"is likeliest to buy from {category} ({words.percent(chance, 0)})")
    return f"In the next 28 days {words.listed(parts)}." if parts else ""
