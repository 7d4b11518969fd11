"""The attributes page: what customers declared, what is inferred of the others or was tried and lost, and factors."""

from __future__ import annotations

from huaxiang.report.attributes import attributes, factors
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables


def is_needed(tables: BuildTables) -> bool:
    """Whether the build has anything to show: a declared attribute or a factor."""
    return tables.has("customer_attributes") and bool(attributes(tables) or factors(tables))


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `attributes.html`; returns the figures the step logs."""
    found, parts = attributes(tables), factors(tables)
    card = tables.json("attributes/model.attributes.json") or {}
    site.write(
        "attributes.html",
        attributes=found,
        factors=parts,
        customers=max((one.declared + one.inferred + one.unknown for one in found), default=0),
        largest=max((one.customers for one in parts), default=0) or 1,
        split=card.get("split", ""),
    )
    return {"attributes": len(found), "factors": len(parts)}
