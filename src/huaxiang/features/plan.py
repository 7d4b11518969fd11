"""All features together as one plan: which figures are kept per customer and day, and how columns come from them.

What several features need is kept once. The plan is plain data, given to dbt as the variable `features`; its SQL
fragments are such as both engines read alike, and the macros of `event_features.sql` put them together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from huaxiang.features.declared import Feature

# How a figure of a day and one of other days become one.
_MERGE = {"count": "sum", "days": "sum", "sum": "sum", "min": "min", "max": "max", "first": "first", "last": "last"}


def plan(features: Iterable[Feature]) -> dict[str, Any]:
    """What the dbt models are told.

    `bands`: ends of the age bands in days, ascending; None (the last) is the whole past.
    `measures`: figures per customer and day, each of one event table. `sets`: event tables and columns whose values are
    counted. `columns`: the columns of the result, in order of declaration, and the table of the query they stand in.
    """
    features = tuple(features)
    finite = sorted({days for one in features for days in one.windows if days is not None})
    bands: list[int | None] = [*finite, *([None] if any(None in one.windows for one in features) else [])]
    measures: dict[tuple[str, ...], dict[str, str]] = {}
    sets: dict[tuple[str, str], dict[str, Any]] = {}
    columns = []
    for one in features:
        for days, name in one.columns.items():
            column = {"name": name, "type": _portable(one.type), "fill": one.fill}
            if one.merges:
                column |= {"table": f"{one.event}_windows"} | _merged(
                    one, bands.index(days) + 1 if days != bands[-1] else None, measures
                )
            else:
                column |= _counted(one, days, sets)
            columns.append(column)
    return {
        "events": sorted({one.event for one in features if one.merges}),
        "bands": bands,
        "measures": list(measures.values()),
        "sets": list(sets.values()),
        "columns": columns,
    }


def _merged(one: Feature, band: int | None, measures: dict[tuple[str, ...], dict[str, str]]) -> dict[str, Any]:
    """How a column comes from measures of the bands 1 to `band`, of all when it is None."""

    def measure(kind: str, column: str, where: str, type_: str) -> dict[str, Any]:
        key = (one.event, kind, column, where)
        kept = measures.setdefault(
            key,
            {
                "name": f"m{len(measures) + 1}",
                "event": one.event,
                "sql": _daily(kind, column, where),
                "type": _portable(type_),
                "merge": _MERGE[kind],
            },
        )
        return {"measure": kept["name"], "merge": kept["merge"], "band": band}

    match one.aggregation:
        case "mean":
            part = measure("sum", one.column, one.where, one.column_type)
            return {"kind": "ratio", "part": part, "whole": measure("count", one.column, one.where, "bigint")}
        case "share" if one.column:
            part = measure("sum", one.column, one.where, one.column_type)
            return {"kind": "ratio", "part": part, "whole": measure("sum", one.column, "", one.column_type)}
        case "share":
            part = measure("count", "", one.where, "bigint")
            return {"kind": "ratio", "part": part, "whole": measure("count", "", "", "bigint")}
        case "recency_days":
            return {"kind": "age", "part": measure("max", "happened_on", one.where, "date")}
        case kind:
            return {"kind": "plain", "part": measure(kind, one.column, one.where, one.type)}


def _counted(one: Feature, days: int | None, sets: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any]:
    """How a column comes from the values of a set."""
    kept = sets.setdefault(
        (one.event, one.column),
        {"name": f"s{len(sets) + 1}", "event": one.event, "column": one.column, "days": 0, "last": [], "counts": []},
    )
    kept["days"] = None if days is None or kept["days"] is None else max(days, kept["days"])
    if one.aggregation == "count_distinct":
        if one.where not in kept["last"]:
            kept["last"].append(one.where)
        # a value is among those of a window when its last day is: one pass does for all windows
        return {"kind": "distinct", "table": kept["name"], "last": kept["last"].index(one.where) + 1, "days": days}
    counts = {"where": one.where, "days": days}
    if counts not in kept["counts"]:
        kept["counts"].append(counts)
    return {"kind": one.aggregation, "table": kept["name"], "count": kept["counts"].index(counts) + 1}


def _daily(kind: str, column: str, where: str) -> str:
    """A measure's figure of one day, null where no event of the day has it."""
    value = column or "1"
    picked = f"case when ({where}) then {value} end" if where else value
    match kind:
        case "count":
            return f"nullif(count({picked}), 0)"
        case "days":
            return f"max({picked})"
        case "first" | "last":
            has_value = " and ".join(part for part in (f"({where})" if where else "", f"{column} is not null") if part)
            by = "min_by" if kind == "first" else "max_by"
            return f"{by}({column}, case when {has_value} then event_key end)"
        case _:
            return f"{kind}({picked})"


def _portable(type_: str) -> str:
    """A type as both engines cast to it."""
    return "string" if type_ == "varchar" else type_
