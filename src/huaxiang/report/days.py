"""Orders and net spend of each day up to `as_of`, from the daily aggregates that the features are made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from huaxiang.report.facts import Totals
from huaxiang.report.tables import BuildTables
from huaxiang.warehouse import state


@dataclass(frozen=True)
class Day:
    """One local day. Days without an order count too: their figures are 0."""

    day: date
    orders: int
    net_spend: Decimal


def days(tables: BuildTables, totals: Totals) -> list[Day]:
    """Every day from the first order to `as_of`.

    Empty for a home without order lines, and where the warehouse has moved on to another run: what the days add up to
    must be what the portraits add up to.
    """
    if not state.exists(tables.settings):
        return []
    with state.reading(tables.settings) as warehouse:
        if not warehouse.execute(
            "select 1 from information_schema.tables where table_name = 'customer_days'"
        ).fetchall():
            return []
        rows = warehouse.execute(
            """
            select ordered_on, sum(order_count)::bigint, sum(net_amount)
            from features.customer_days
            where ordered_on <= $1
            group by ordered_on
            order by ordered_on
            """,
            [tables.run.as_of],
        ).fetchall()
    known = [Day(*row) for row in rows]
    same = sum(day.orders for day in known) == totals.orders and sum(day.net_spend for day in known) == totals.net_spend
    return filled(known, tables.run.as_of) if same else []


def filled(known: list[Day], through: date) -> list[Day]:
    """The same days with the silent ones in between, and up to `through`, as zeros."""
    if not known:
        return []
    by_day = {day.day: day for day in known}
    first = known[0].day
    every = (first + timedelta(days=offset) for offset in range((through - first).days + 1))
    return [by_day.get(day, Day(day, 0, Decimal("0.00"))) for day in every]
