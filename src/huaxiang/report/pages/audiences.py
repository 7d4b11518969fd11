"""The audiences page: whom each audience holds, who asked for it, its conditions in words, and what it shares."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from huaxiang.audiences.build import LEFT_OUT
from huaxiang.audiences.language import Audience
from huaxiang.audiences.preview import Overlap, overlaps
from huaxiang.audiences.read import load_askable, load_audiences
from huaxiang.audiences.words import Said, said
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables

_CLOSEST = 12


@dataclass(frozen=True)
class Shown:
    """One audience as the page shows it."""

    audience: Audience
    size: int
    share: float
    spend_share: float | None
    who: Said


def is_needed(tables: BuildTables) -> bool:
    """Whether the build has audiences."""
    return tables.has("customer_audiences")


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `audiences.html`; returns the figures the step logs."""
    settings = tables.settings
    audiences = load_audiences(settings)
    held: dict[str, set[str]] = defaultdict(set)
    for row in tables.rows("select audience, customer_id from customer_audiences"):
        held[row["audience"]].add(row["customer_id"])
    spend = {}
    if tables.has("customer_profiles", "net_spend_91d"):
        spend = {
            row["customer_id"]: row["net_spend_91d"]
            for row in tables.rows("select customer_id, net_spend_91d from customer_profiles")
        }
    customers = tables.rows("select count(*) as customers from customer_profiles")[0]["customers"]
    missing = tables.json(f"audiences/{LEFT_OUT}") or []
    titles = {f"tag:{name}": tag.title for name, tag in load_askable(settings).tags.items()}
    titles |= {f"audience:{one.name}": one.title for one in audiences}
    total = sum(spend.values())
    left_out = {one["audience"] for one in missing}
    shown = [
        Shown(
            one,
            len(held[one.name]),
            len(held[one.name]) / customers,
            float(sum(spend[customer] for customer in held[one.name]) / total) if total else None,
            said(one.who, titles, settings.currency),
        )
        for one in audiences
        if one.name not in left_out
    ]
    shown.sort(key=lambda one: (-one.size, one.audience.name))
    pairs = overlaps({one.audience.name: frozenset(held[one.audience.name]) for one in shown})
    site.write(
        "audiences.html",
        shown=shown,
        customers=customers,
        largest=max((one.share for one in shown), default=0) or 1.0,
        in_any=len(set().union(*held.values())) / customers if held else 0.0,
        closest=pairs[:_CLOSEST],
        matrix=_matrix(shown, pairs),
        titles={one.name: one.title for one in audiences},
        missing=missing,
    )
    return {"audiences": len(shown)}


def _matrix(shown: list[Shown], pairs: list[Overlap]) -> list[tuple[Any, ...]]:
    """For each audience its title, and how many of its customers are in each of the others."""
    both = {frozenset((pair.one, pair.other)): pair.both for pair in pairs}
    return [
        (
            row.audience.title,
            *(
                row.size if row is column else both.get(frozenset((row.audience.name, column.audience.name)), 0)
                for column in shown
            ),
        )
        for row in shown
    ]
