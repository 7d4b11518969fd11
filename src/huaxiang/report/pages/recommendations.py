"""The recommendations page: what is recommended, to whom and why, what may be started, what is bought together."""

from __future__ import annotations

from huaxiang.report.items import Items
from huaxiang.report.new_categories import FIRST, TABLE, most_started
from huaxiang.report.rules import rules
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables


def is_needed(tables: BuildTables) -> bool:
    """Whether the build has recommendations, new categories or rules."""
    return tables.has("customer_items") or tables.has(TABLE) or rules(tables) is not None


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `recommendations.html`; returns the figures the step logs."""
    items = Items(tables) if tables.has("customer_items") else None
    found = rules(tables)
    tasks = items.tasks() if items else ()
    site.write(
        "recommendations.html",
        script="recommendations.js" if found else "",
        tasks=tasks,
        examples=items.examples() if items else (),
        starts=most_started(tables),
        first=FIRST,
        rules=found,
        strongest=max((rule.lift for rule in found.shown), default=1.0) if found else 1.0,
    )
    return {"rules": len(found.shown) if found else 0}
