"""The quality page: every check with what it expected and saw, and every refused record with its reason."""

from __future__ import annotations

from huaxiang.report import facts
from huaxiang.report.ends import ends
from huaxiang.report.refused import LISTED, reason_in_words, refused
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables
from huaxiang.timetravel import errata

_TITLES = {"landing": "What came in", "profiles": "What goes out"}


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `quality.html`; returns the figures the step logs."""
    gates = facts.gates(tables)
    turned_away = refused(tables)
    site.write(
        "quality.html",
        gates=[(gate, _TITLES.get(gate.suite, gate.suite)) for gate in gates],
        refused=turned_away,
        reasons={group.reason: reason_in_words(group.reason) for group in turned_away.groups},
        many_sources=len({group.source for group in turned_away.groups}) > 1,
        limit=LISTED,
        errata=[(one, errata.days_in_words(one.erratum)) for one in errata.with_corrections(tables.settings)],
        ends=ends(tables),
    )
    return {"checks": sum(len(gate.checks) for gate in gates), "refused": turned_away.total}
