"""The features page: the registry of declared features, from the build's own tables."""

from __future__ import annotations

from huaxiang.report.declared_features import TABLE, entries, facts
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables


def is_needed(tables: BuildTables) -> bool:
    """Whether the build has declared features."""
    return len(tables.columns.get(TABLE, ())) > 2


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `features.html`; returns the figures the step logs."""
    found = entries(tables)
    columns = sum(len(entry.columns) for entry in found)
    known = facts(tables)
    site.write(
        "features.html",
        entries=found,
        columns=columns,
        read=sum(bool(entry.consumers) for entry in found),
        seconds=known.get("seconds", {}),
        daily_figures=known.get("daily_figures", 0),
        as_of_day=tables.run.as_of,
    )
    return {"features": len(found)}
