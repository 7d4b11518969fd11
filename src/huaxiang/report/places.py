"""Where customers shop: what an order comes to in each store and region, once chance is taken off."""

from __future__ import annotations

from dataclasses import dataclass

from huaxiang.report import words
from huaxiang.report.tables import BuildTables, Row

LEVELS = {"region": "regions", "store": "stores"}


@dataclass(frozen=True)
class Place:
    """A place with its figures, in words."""

    name: str
    customers: int
    orders: int
    spend: str
    basket: str
    interval: str


@dataclass(frozen=True)
class Places:
    """The places of a level: how many, the mean order of all, how many are surely above and below it, the largest."""

    level: str
    count: int
    mean: str
    above: int
    below: int
    largest: tuple[Place, ...]


def places(tables: BuildTables, shown: int) -> tuple[Places, ...]:
    """Each level with two places or more, regions first."""
    if not tables.has("places"):
        return ()
    rows = tables.rows("select * from places order by level, customer_count desc, place_id")
    found = []
    for level, said in LEVELS.items():
        of = [row for row in rows if row["level"] == level]
        if len(of) > 1:
            found.append(_level(said, of, tables.settings.currency, shown))
    return tuple(found)


def _level(level: str, rows: list[Row], currency: str, shown: int) -> Places:
    mean = sum(row["basket_mean"] * row["customer_count"] for row in rows) / sum(row["customer_count"] for row in rows)
    sure = [row for row in rows if row["basket_low"] is not None]
    return Places(
        level=level,
        count=len(rows),
        mean=words.money(mean, currency),
        above=sum(row["basket_low"] > mean for row in sure),
        below=sum(row["basket_high"] < mean for row in sure),
        largest=tuple(_place(row, currency) for row in rows[:shown]),
    )


def _place(row: Row, currency: str) -> Place:
    low, high = (words.money(row[name], currency) for name in ("basket_low", "basket_high"))
    return Place(
        name=words.visible(row["place_id"]),
        customers=row["customer_count"],
        orders=row["order_count"],
        spend=words.money(row["net_spend"], currency, 0),
        basket=words.money(row["basket_expected"], currency),
        interval="–" if row["basket_low"] is None else f"{low} to {high}",
    )
