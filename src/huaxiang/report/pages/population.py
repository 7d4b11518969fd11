"""The population page: everybody in figures, and the proof that persons and segments add up to them."""

from __future__ import annotations

from itertools import groupby

from huaxiang.report import levels, retention, retention_charts
from huaxiang.report.levels import Levels
from huaxiang.report.places import places
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables
from huaxiang.report.visitors import visitors

_INTERESTS = 10
_PLACES = 10
_LABELS = {"customers": "Customers", "orders": "Orders", "order_lines": "Order lines", "net_spend": "Net spend"}
_LABELS |= {"visitors": "Visitors", "visits": "Visits", "pages_seen": "Pages seen"}


def is_needed(tables: BuildTables) -> bool:
    """Whether the build says what its portraits add up to: orders, visits or both."""
    return tables.has("portrait_levels") or tables.has("customer_web_features")


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `population.html`; returns the figures the step logs. Raises BrokenConservation when levels differ."""
    made = levels.levels(tables) if tables.has("portrait_levels") else None
    came = visitors(tables)
    spreads = levels.spreads(tables)
    glance = [one for one in spreads if one.tag in levels.GLANCE]
    rest = sorted((one for one in spreads if one.tag not in levels.GLANCE), key=lambda one: one.group)
    cohorts, curves = retention.cohorts(tables), retention.survival(tables)
    site.write(
        "population.html",
        levels=made,
        sums=_sums(made, tables) if made else [],
        sides=("Persons", "Segments", "Everybody") if made and made.segments else ("Persons", "Everybody"),
        visits=came[0] if came else None,
        visit_sums=came[1] if came else {},
        labels=_LABELS,
        glance=glance,
        groups=[(group, list(of)) for group, of in groupby(rest, key=lambda one: one.group)],
        cohorts_said=retention.said_of_cohorts(cohorts) if cohorts else "",
        heat_map=retention_charts.heat_map(cohorts) if cohorts else "",
        survival_said=retention.said_of_survival(curves) if curves else "",
        survival=retention_charts.survival(curves) if curves else "",
        interests=levels.interests(tables, _INTERESTS),
        places=places(tables, _PLACES),
        customers=_portraits(tables) or 1,
        has_segments=tables.has("segments"),
    )
    return {"tags": len(spreads)}


def _sums(made: Levels, tables: BuildTables) -> list[tuple[str, list[object]]]:
    """(figure, its sums over persons, over segments, and of everybody), for what the portraits hold."""
    there = [name for name in levels.FIGURES if name == "customers" or tables.has("customer_profiles", _column(name))]
    sides = [of for of in (made.persons, made.together, made.population) if of]
    return [(name, [getattr(of, name) for of in sides]) for name in there]


def _portraits(tables: BuildTables) -> int:
    """Whoever has ordered or come to look."""
    [row] = tables.rows("select count(*) as portraits from customer_profiles")
    return int(row["portraits"])


def _column(figure: str) -> str:
    return {"orders": "order_count", "order_lines": "line_count"}.get(figure, figure)
