"""The page of moves: who changed segment since the release before, what moved them, and how long ids last."""

from __future__ import annotations

from collections import Counter

from huaxiang.report import flows, moves
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables

_SHOWN = 40  # reasons; the table holds all


def is_needed(tables: BuildTables) -> bool:
    """Whether there is a release to compare with."""
    return tables.has("segment_moves") and tables.has("segments")


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `moves.html`; returns the figures the step logs. Raises BrokenConservation when moves do not add up."""
    card = tables.json("segments/model.json")
    since = card["since"]
    moved = moves.moves(tables)
    found = moves.reasons(moved, tables.settings.currency)
    flowing = moves.flows(moved)
    site.write(
        "moves.html",
        since=since,
        before=next(one.since for one in moves.continuity(tables, card)),
        moved=len(moved),
        how=Counter(row["how"] for row in moved),
        balances=moves.balances(tables, moved, since),
        drawing=flows.picture(flowing, f"{len(moved)} customers by the segment they came from and went to"),
        flows=flowing,
        reasons=found[:_SHOWN],
        more=len(found) - _SHOWN,
        continuity=moves.continuity(tables, card),
    )
    return {"moved": len(moved)}
