"""The population page: everybody in figures, and the proof that persons and segments add up to them."""

from __future__ import annotations

from itertools import groupby

from huaxiang.report import levels
from huaxiang.report.levels import Levels
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables

_INTERESTS = 10
_LABELS = {"customers": "Customers", "orders": "Orders", "order_lines": "Order lines", "net_spend": "Net spend"}


def is_needed(tables: BuildTables) -> bool:
    """Whether the build says what its portraits add up to."""
    return tables.has("portrait_levels")


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `population.html`; returns the figures the step logs. Raises BrokenConservation when levels differ."""
    made = levels.levels(tables)
    spreads = levels.spreads(tables)
    glance = [one for one in spreads if one.tag in levels.GLANCE]
    rest = sorted((one for one in spreads if one.tag not in levels.GLANCE), key=lambda one: one.group)
    site.write(
        "population.html",
        levels=made,
        sums=_sums(made, tables),
        sides=("Persons", "Segments", "Everybody") if made.segments else ("Persons", "Everybody"),
        labels=_LABELS,
        glance=glance,
        groups=[(group, list(of)) for group, of in groupby(rest, key=lambda one: one.group)],
        interests=levels.interests(tables, _INTERESTS),
        customers=made.population.customers or 1,
        has_segments=tables.has("segments"),
    )
    return {"tags": len(spreads)}


def _sums(made: Levels, tables: BuildTables) -> list[tuple[str, list[object]]]:
    """(figure, its sums over persons, over segments, and of everybody), for what the portraits hold."""
    there = [name for name in levels.FIGURES if name == "customers" or tables.has("customer_profiles", _column(name))]
    sides = [of for of in (made.persons, made.together, made.population) if of]
    return [(name, [getattr(of, name) for of in sides]) for name in there]


def _column(figure: str) -> str:
    return {"orders": "order_count", "order_lines": "line_count"}.get(figure, figure)
