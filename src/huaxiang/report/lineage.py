"""What is made from what: dbt's manifest as a layered picture. Pure: a manifest in, boxes and lines out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

LAYERS = ("landed", "staging", "features", "models", "profiles")
# Spark reads what was exported and writes what models found: arrows that dbt does not see.
MODEL_INPUTS = {
    "customer_segments": ("customer_features",),
    "segments": ("customer_features",),
    "segment_facts": ("customer_features", "customer_interests"),
    "segment_moves": ("customer_features",),
    "customer_items": ("customer_features", "purchases"),
    "rules": ("purchases",),
    "customer_scores": ("customer_features", "purchases", "customer_days"),
    "customer_attributes": ("customer_features", "purchases", "stg_customers"),
    "customer_new_categories": ("customer_features", "purchases"),
    "customer_factors": ("purchases",),
    "factors": ("purchases",),
    "customer_vectors": ("customer_features", "purchases"),
    "vector_dimensions": ("customer_features", "purchases"),
}
# They say which rows to make, not what is in them.
_HELPERS = ("customer_keys", "snapshot_days")
BOX_WIDTH, BOX_HEIGHT, ROW, COLUMN, MARGIN, BULGE = 182, 26, 36, 222, 34, 30


@dataclass(frozen=True)
class Table:
    """A table of the flow. `id` is unique (a landed table and a staged one may share a name); `reads` holds ids."""

    id: str
    name: str
    layer: str
    description: str
    columns: tuple[tuple[str, str, str], ...]  # name, type, description
    reads: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """A table's place in the picture, with everything before and after it (ids)."""

    table: Table
    x: float
    y: float
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """Boxes by layer from left to right; `lines` are (from id, to id, SVG path); `heads` are (x, name of the layer)."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[tuple[str, str, str], ...]
    heads: tuple[tuple[float, str], ...]


def tables_of(manifest: Mapping[str, Any], landed: Collection[str], written: Mapping[str, str]) -> tuple[Table, ...]:
    """Every table on the way to what was released.

    `landed` names the tables that hold data in this home; `written` maps released tables that dbt does not make to
    their description.
    """
    found: dict[str, Table] = {}
    for key, source in manifest["sources"].items():
        layer = "models" if source["source_name"] == "models" else "landed"
        if layer == "models" or source["name"] in landed:
            found[key] = _table(f"{layer}.{source['name']}", source, layer, ())
    for name, description in written.items():
        if not any(table.layer == "models" and table.name == name for table in found.values()):
            found[f"models.{name}"] = Table(f"models.{name}", name, "models", description, (), ())
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    for key, node in models.items():
        layer = next((part for part in node["fqn"][1:-1] if part in LAYERS), "features")
        found[key] = _table(f"{layer}.{node['name']}", node, layer, tuple(node["depends_on"]["nodes"]))
    ids = {key: table.id for key, table in found.items()}
    by_name = {table.name: table.id for table in found.values() if table.layer not in ("landed", "models")}
    tables = []
    for table in found.values():
        reads = [ids[key] for key in table.reads if key in ids]
        if table.layer == "models":
            reads = [by_name[name] for name in MODEL_INPUTS.get(table.name, ()) if name in by_name]
        tables.append(replace(table, reads=tuple(sorted(set(reads)))))
    return _without_dead_ends(tables)


def picture(tables: Collection[Table]) -> Picture:
    """Lay the tables out: a column per layer, what is read above what reads it, crossing lines kept few."""
    by_id = {table.id: table for table in tables}
    order = _ordered(by_id)
    tallest = max((len(column) for column in order), default=0)
    places: dict[str, tuple[float, float]] = {}
    for number, column in enumerate(order):
        top = MARGIN + (tallest - len(column)) * ROW / 2
        places |= {key: (number * COLUMN, top + row * ROW) for row, key in enumerate(column)}
    sources = {key: set(table.reads) for key, table in by_id.items()}
    readers = {key: {other for other, reads in sources.items() if key in reads} for key in by_id}
    boxes = [
        Box(by_id[key], *places[key], before=_all_from(key, sources), after=_all_from(key, readers))
        for column in order
        for key in column
    ]
    lines = [(read, key, _curve(places[read], places[key])) for key in places for read in by_id[key].reads]
    return Picture(
        width=len(order) * COLUMN - (COLUMN - BOX_WIDTH),
        height=MARGIN + tallest * ROW,
        boxes=tuple(boxes),
        lines=tuple(lines),
        heads=tuple((places[column[0]][0], by_id[column[0]].layer) for column in order),
    )


def _table(key: str, node: Mapping[str, Any], layer: str, reads: tuple[str, ...]) -> Table:
    columns = tuple(
        (name, str(column.get("data_type") or ""), " ".join(str(column.get("description") or "").split()))
        for name, column in node["columns"].items()
    )
    return Table(key, node["name"], layer, " ".join(str(node.get("description") or "").split()), columns, reads)


def _without_dead_ends(tables: list[Table]) -> tuple[Table, ...]:
    """Leave out the tables that are empty in this home because nothing they are about has landed."""
    kept = {table.id: table for table in tables}
    while True:
        empty = [table.id for table in kept.values() if not _is_fed(table, kept)]
        if not empty:
            return tuple(
                replace(table, reads=tuple(read for read in table.reads if read in kept)) for table in kept.values()
            )
        for key in empty:
            del kept[key]


def _is_fed(table: Table, kept: Mapping[str, Table]) -> bool:
    if table.layer in ("landed", "models") or table.name in _HELPERS:
        return True
    return any(read in kept and kept[read].name not in _HELPERS for read in table.reads)


def _ordered(tables: Mapping[str, Table]) -> list[list[str]]:
    """The ids of each layer from top to bottom: by depth inside the layer, then near what they read and are read by."""
    order = [sorted(key for key in tables if tables[key].layer == layer) for layer in LAYERS]
    order = [column for column in order if column]
    depth = {key: _depth(key, tables) for key in tables}
    near: dict[str, list[str]] = {key: [] for key in tables}
    for key, table in tables.items():
        for read in table.reads:
            near[key].append(read)
            near[read].append(key)
    for sweep in range(8):
        for column in order if sweep % 2 == 0 else reversed(order):
            heights = {key: (place + 0.5) / len(members) for members in order for place, key in enumerate(members)}

            def height(key: str, heights: Mapping[str, float] = heights) -> tuple[int, float, str]:
                mean = sum(heights[other] for other in near[key]) / len(near[key]) if near[key] else heights[key]
                return depth[key], mean, key

            column.sort(key=height)
    return order


def _depth(key: str, tables: Mapping[str, Table]) -> int:
    """How many tables of its own layer stand before it, one after the other."""
    same = [read for read in tables[key].reads if tables[read].layer == tables[key].layer]
    return 1 + max((_depth(read, tables) for read in same), default=-1)


def _all_from(start: str, edges: Mapping[str, set[str]]) -> tuple[str, ...]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for key in edges[waiting.pop()] - seen:
            seen.add(key)
            waiting.append(key)
    return tuple(sorted(seen))


def _curve(start: tuple[float, float], end: tuple[float, float]) -> str:
    """From a box's right to another's left; inside a layer around the left, further out the longer the way."""
    (x1, y1), (x2, y2) = start, end
    y1, y2 = y1 + BOX_HEIGHT / 2, y2 + BOX_HEIGHT / 2
    if x1 == x2:
        out = x1 - min(BULGE, 10 + abs(y2 - y1) / 10)
        return f"M{x1:.0f},{y1:.0f}C{out:.0f},{y1:.0f} {out:.0f},{y2:.0f} {x2:.0f},{y2:.0f}"
    x1 += BOX_WIDTH
    bend = (x2 - x1) / 2
    return f"M{x1:.0f},{y1:.0f}C{x1 + bend:.0f},{y1:.0f} {x2 - bend:.0f},{y2:.0f} {x2:.0f},{y2:.0f}"
