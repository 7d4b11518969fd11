"""The page of paths: how customers go through the web shop or app, and what follows what."""

from __future__ import annotations

from huaxiang.report import paths, process_map
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables


def is_needed(tables: BuildTables) -> bool:
    """Whether the build has visits or sequences."""
    return tables.has("customer_web_features") or tables.has("frequent_sequences")


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `paths.html`; returns the figures the step logs."""
    pages = paths.pages(tables)
    visits = paths.visits(tables)
    moves = paths.moves(tables)
    site.write(
        "paths.html",
        visits=visits,
        web_pages=pages,
        has_dwell=any(page["dwell_seconds_mean"] is not None for page in pages),
        moves=moves[: paths.SHOWN],
        process_map=process_map.picture(pages, moves),
        least_share=process_map.LEAST_SHARE,
        sequences=paths.sequences(tables),
        unit="visit" if visits else "customer",
    )
    return {"pages": len(pages)}
