"""One customer in plain sentences, each with what it rests on and how that is known. Pure: rows in, words out.

What is not known is not said in a sentence; `unknown` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from huaxiang.report import glossary, words

Row = Mapping[str, Any]

COUNTED, DECLARED, RULE, MODEL = "counted", "declared", "rule", "model"
KNOWN = {
    COUNTED: "Counted from this customer's orders.",
    DECLARED: "Declared by the customer.",
    RULE: "Judged by a rule: a threshold on counted figures.",
    MODEL: "A model's estimate: likely, not certain.",
}
DECLARED_COLUMNS = (
    "age_band", "income_band", "household_size", "children", "marital_status", "home_ownership", "household_type",
)  # fmt: skip
# Tags that a sentence of their own tells, or that another sentence tells better.
_TOLD = {
    "lifecycle",
    "value_tier",
    "rfm",
    "segment",
    "top_interest",
    "churn_risk",
    "likely_purchase",
    "recommended_new",
}
# What the segments are mostly told by, as far as it is no figure of a window: those stand on the page anyway.
_SEGMENTED_BY = ("recency_days", "basket_net_mean", "coupon_share", "campaigns_answered")
_MOST, _FEWEST, _APART, _RARE = 6, 3, 3, 0.25


@dataclass(frozen=True)
class Person:
    """All that the sentences are made of. `tags` are name -> (value, source), `shares` (tag, value) -> the share of all
    customers who have it (only tags that may set somebody apart), `titles` tag -> its title.

    `spend_rank` is the share of the other customers who spent less; `segment_share` how many are in the same segment;
    `move` says how the customer came there since the release before; `away_mean` is everybody's churn probability.
    """

    row: Row
    interests: tuple[str, ...] = ()
    tags: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    shares: Mapping[tuple[str, str], float] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    spend_rank: float | None = None
    segment_share: float | None = None
    move: str = ""
    away_mean: float | None = None


@dataclass(frozen=True)
class Said:
    """A sentence, how it is known, and the columns and tags (`tag:lifecycle`) whose figures are its evidence."""

    text: str
    how: str
    evidence: tuple[str, ...]


def story(person: Person, currency: str) -> list[Said]:
    """Who this is, in three to six sentences where the home knows enough; fewer where it does not."""
    told = [
        _declared(person),
        _customer(person, currency),
        _segment(person),
        _likes(person),
        _apart(person),
        _outlook(person),
    ]
    found = [one for one in told if one][:_MOST]
    row = person.row
    more: list[tuple[Callable[[], str], tuple[str, ...]]] = [
        (lambda: _basket(row, currency), ("basket_net_mean", "basket_lines_mean", "gap_days_mean")),
        (lambda: _lately(row, currency), ("order_trend", "recency_days")),
        (lambda: _campaigns(row), ("campaigns_received", "campaigns_answered")),
    ]
    for tell, columns in more:
        if len(found) < _FEWEST and (text := tell()):
            found.append(Said(text, COUNTED, columns))
    return [replace(one, text=words.visible(one.text)) for one in found]


def unknown(person: Person) -> list[str]:
    """What others have and nobody knows of this customer, in words; only of columns the home has."""
    row = person.row
    missing = [glossary.term(name).label.lower() for name in DECLARED_COLUMNS if name in row and row[name] is None]
    declared = [name for name in DECLARED_COLUMNS if name in row]
    found = ["anything the customer would have to declare"] if missing and len(missing) == len(declared) else missing
    if row.get("order_count") == 1 or ("gap_days_mean" in row and row["gap_days_mean"] is None):
        found.append("a rhythm: there are too few orders")
    if "top_category" in row and row["top_category"] is None:
        found.append("interests")
    if "churn_probability_28d" in row and row["churn_probability_28d"] is None:
        found.append("what comes next")
    return found


def _declared(person: Person) -> Said | None:
    known = [name for name in DECLARED_COLUMNS if person.row.get(name) is not None]
    if not known:
        return None
    parts = [f"{glossary.term(name).label.lower()} {person.row[name]}" for name in known[:4]]
    return Said(f"Declares {words.listed(parts)}.", DECLARED, tuple(known))


def _customer(person: Person, currency: str) -> Said | None:
    said = _orders(person.row, currency, person.spend_rank)
    if not said:
        return None
    lifecycle, tier = (person.tags.get(name, ("", ""))[0] for name in ("lifecycle", "value_tier"))
    lead = f"{lifecycle.capitalize() or 'A'} customer" + (f", value tier “{tier}”" if tier else "")
    columns = ("order_count", "net_spend", "first_order_on", "last_order_on")
    if not lifecycle and not tier:
        return Said(said, COUNTED, columns)
    recent = person.row.get("order_count_28d")
    lately = "" if recent is None else f"; {recent or 'none'} of the orders in the last 28 days"
    return Said(f"{lead}: {said.rstrip('.')}{lately}.", RULE, ("tag:lifecycle", "tag:value_tier", *columns))


def _segment(person: Person) -> Said | None:
    name = person.row.get("segment_name")
    if not name or person.segment_share == 1:
        return None
    share = "" if person.segment_share is None else f", as {words.percent(person.segment_share, 0)} of all customers do"
    moved = f"; {person.move}" if person.move else ""
    return Said(f"Shops like the group “{name}”{share}{moved}.", MODEL, ("segment", *_SEGMENTED_BY))


def _likes(person: Person) -> Said | None:
    likes = f"Buys most of {words.listed(list(person.interests))}" if person.interests else ""
    habits = _habits(person.row).rstrip(".")
    said = "; ".join(part for part in (likes, habits[:1].lower() + habits[1:] if likes else habits) if part)
    columns = ("top_category", "preferred_weekday", "preferred_hour", "preferred_store_id", "category_count")
    return Said(f"{said}.", COUNTED, ("interests", *columns)) if said else None


def _apart(person: Person) -> Said | None:
    """The tags that the fewest customers share; of equally rare ones the first name."""
    rare = sorted(
        (share, tag)
        for tag, (value, source) in person.tags.items()
        if source != "fact" and tag not in _TOLD and (share := person.shares.get((tag, value), 1.0)) < _RARE
    )[:_APART]
    if not rare:
        return None
    parts = [f"{person.titles[tag]}: {person.tags[tag][0]} ({words.percent(share, 0)})" for share, tag in rare]
    how = MODEL if any(person.tags[tag][1] == "model" for _, tag in rare) else RULE
    return Said(f"Set apart by what few others share: {'; '.join(parts)}.", how, tuple(f"tag:{tag}" for _, tag in rare))


def _outlook(person: Person) -> Said | None:
    row = person.row
    said = _ahead(row, person.away_mean).rstrip(".")
    product = row.get("new_product_type") or row.get("any_product_type")
    if product:
        first = f"first to recommend is {product}" + (", new to the customer" if row.get("new_product_type") else "")
        said = f"{said}; {first}" if said else first[0].upper() + first[1:]
    return Said(f"{said}.", MODEL, ("ahead", "items")) if said else None


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


def _campaigns(row: Row) -> str:
    received, answered = row.get("campaigns_received"), row.get("campaigns_answered")
    if received is None:
        return ""
    if received == 0:
        return "Has received no campaign."
    said = f"Has received {words.plural(received, 'campaign')}"
    return f"{said} and answered {answered or 'none'}." if answered is not None else said + "."


def _ahead(row: Row, away_mean: float | None = None) -> str:
    away, category, chance = (
        row.get(column) for column in ("churn_probability_28d", "likely_category", "likely_category_probability")
    )
    parts = []
    if away is not None:
        mean = "" if away_mean is None else f" (average {words.percent(away_mean, 0)})"
        parts.append(f"stays away with a probability of {words.percent(away, 0)}{mean}")
    if category and chance is not None:
        parts.append(f"is likeliest to buy from {category} ({words.percent(chance, 0)})")
    return f"In the next 28 days {words.listed(parts)}." if parts else ""
