"""Is everything that came in accounted for? Records and money from the ledger, against the portraits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from huaxiang.landing.ledger import TableConservation
from huaxiang.landing.ledger import conservation as of_ledger
from huaxiang.report.facts import Totals
from huaxiang.report.tables import BuildTables


@dataclass(frozen=True)
class MoneyAccount:
    """Order lines and their net money: accepted, and in the portraits."""

    accepted_lines: int
    accepted: Decimal
    portrait_lines: int
    portraits: Decimal

    @property
    def lines_elsewhere(self) -> int:
        return self.accepted_lines - self.portrait_lines

    @property
    def elsewhere(self) -> Decimal:
        return self.accepted - self.portraits


@dataclass(frozen=True)
class Conservation:
    """All tables, the largest first, their sum, and the money where the home has order lines."""

    tables: tuple[TableConservation, ...]
    total: TableConservation
    money: MoneyAccount | None

    @property
    def missing(self) -> int:
        """Records that nobody can account for: anything but 0 is a fault."""
        return sum(abs(missing(row)) for row in self.tables)


def conservation(tables: BuildTables, totals: Totals) -> Conservation | None:
    """Read the ledger up to `known_at`; None for a home without one."""
    rows = of_ledger(tables.settings, tables.run.known_at)
    if not rows:
        return None
    rows = sorted(rows, key=lambda row: (-row.records_in, row.source_name, row.table_name))
    return Conservation(tuple(rows), summed(rows), money(rows, totals))


def missing(row: TableConservation) -> int:
    """Records of the table that came in and are neither accepted nor refused."""
    return row.records_in - row.accepted - row.quarantined


def summed(rows: list[TableConservation]) -> TableConservation:
    """The line under the table."""
    figures = ("files", "duplicate_files", "records_in", "accepted", "quarantined")
    sums = {figure: sum(getattr(row, figure) for row in rows) for figure in figures}
    return TableConservation(source_name="", table_name="all tables", net_amount=None, **sums)


def money(rows: list[TableConservation], totals: Totals) -> MoneyAccount | None:
    """None where there are no order lines, or the portraits hold no spend."""
    lines = [row for row in rows if row.table_name == "order_lines" and row.net_amount is not None]
    if not lines or totals.net_spend is None or totals.order_lines is None:
        return None
    accepted = sum((row.net_amount or Decimal(0) for row in lines), Decimal(0))
    return MoneyAccount(sum(row.accepted for row in lines), accepted, totals.order_lines, totals.net_spend)
