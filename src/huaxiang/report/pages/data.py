"""The data page: every released table and every table behind it, with grain, columns and lineage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from huaxiang.contracts import read_contract
from huaxiang.families import FAMILIES
from huaxiang.landing.ledger import landed_tables
from huaxiang.report import glossary, lineage
from huaxiang.report.recognised import recognised
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables, read_json
from huaxiang.tables import RELEASED, ReleasedTable

_TITLES = {
    "landed": "Landed: what the sources delivered",
    "staging": "Staging: one version of each record, with its local day",
    "features": "Features: what is known of each customer",
    "models": "Models: what was found in the features",
    "profiles": "Profiles: the portraits",
}


@dataclass(frozen=True)
class ReleasedEntry:
    """A released table as it lies in the release. `columns` are (name, type, description)."""

    name: str
    title: str
    grain: str
    key: tuple[str, ...]
    path: str
    rows: int
    columns: tuple[tuple[str, str, str], ...]


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `data.html`; returns the figures the step logs."""
    manifest = read_json(tables.settings.home.dbt_target / "manifest.json")
    flow = _flow(manifest, tables) if manifest else ()
    released = [_released(table, tables, flow) for table in sorted(RELEASED, key=_by_use) if tables.has(table.name)]
    names = {table.id: table.name for table in flow}
    readers = {table.id: [other.name for other in flow if table.id in other.reads] for table in flow}
    site.write(
        "data.html",
        script="data.js" if flow else "",
        released=released,
        picture=lineage.picture(flow) if flow else None,
        box=(lineage.BOX_WIDTH, lineage.BOX_HEIGHT),
        layers=[
            (layer, _TITLES[layer], sorted(members, key=lambda table: table.name))
            for layer in lineage.LAYERS
            if (members := [table for table in flow if table.layer == layer])
        ],
        reads={table.id: [names[read] for read in table.reads] for table in flow},
        readers=readers,
        recognised=recognised(tables),
    )
    return {"tables": len(released)}


def _by_use(table: ReleasedTable) -> int:
    """The portraits first, then what they are made from."""
    return ("profiles", "audiences", "features", *FAMILIES).index(table.folder)


def _flow(manifest: dict[str, Any], tables: BuildTables) -> tuple[lineage.Table, ...]:
    """The tables of the manifest, landed ones as their contract says, less what this home has no source for."""
    missing = tables.json("profiles/left_out.json") or {}
    hidden_columns = {entry["column"] for entry in missing.get("columns", ())}
    hidden_tables = {entry["table"] for entry in missing.get("tables", ())}
    landed = landed_tables(tables.settings, tables.run.known_at)
    written = {
        table.name: f"{table.title[0].upper()}{table.title[1:]}." for table in RELEASED if table.folder in FAMILIES
    }
    written = {name: title for name, title in written.items() if tables.has(name)}
    flow = [
        replace(table, columns=tuple(column for column in _columns(table, tables) if column[0] not in hidden_columns))
        for table in lineage.tables_of(manifest, landed, written)
        if table.name not in hidden_tables and (table.layer != "models" or tables.has(table.name))
    ]
    shown = {table.id for table in flow}
    return tuple(replace(table, reads=tuple(read for read in table.reads if read in shown)) for table in flow)


def _columns(table: lineage.Table, tables: BuildTables) -> tuple[tuple[str, str, str], ...]:
    """Name, type and description of each column, from whoever says it: a contract, dbt, or the written file itself."""
    if table.layer == "landed":
        contract = read_contract(tables.settings.contracts_dir / f"{table.name}.yml")
        return tuple((column.name, column.type, column.description) for column in contract.columns)
    if table.layer != "models":
        return table.columns
    said = {name: description for name, _, description in table.columns}
    return tuple(
        (
            name,
            type_.lower(),
            said.get(name) or (_mean_of(name) if table.name == "segments" else ""),
        )
        for name, type_ in tables.columns[table.name].items()
    )


def _mean_of(name: str) -> str:
    return f"Mean of the segment's customers: {glossary.term(name).label.lower()}."


def _released(table: ReleasedTable, tables: BuildTables, flow: tuple[lineage.Table, ...]) -> ReleasedEntry:
    [counted] = tables.rows(f"select count(*) as counted from {table.name}")
    described = next((entry for entry in flow if entry.name == table.name and entry.layer != "landed"), None)
    said = {name: description for name, _, description in described.columns} if described else dict(table.columns)
    columns = [(name, type_.lower(), said.get(name, "")) for name, type_ in tables.columns[table.name].items()]
    grain = described.description if described else f"One row per {' and '.join(table.key)}."
    return ReleasedEntry(table.name, table.title, grain, table.key, table.path, counted["counted"], tuple(columns))
