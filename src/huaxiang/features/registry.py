"""What the registry page tells of declared features besides their values: `features/registry.json` of the build."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from huaxiang.features.declared import Feature
from huaxiang.features.plan import plan
from huaxiang.settings import Run

if TYPE_CHECKING:
    import duckdb

NAME = "features/registry.json"
_MODELS = ("customer_event_days", "customer_event_features")


def registry(
    features: Iterable[Feature], run: Run, seconds: Mapping[str, float], connection: duckdb.DuckDBPyConnection
) -> str:
    """The facts as JSON.

    `seconds`: of each dbt model as this run measured it. `events`: of each event table by as_of the freshest day and
    the rows. `features`: of each the daily figures it is put together from, or 0 when the events themselves are read.
    """
    features = tuple(features)
    facts: dict[str, Any] = {
        "seconds": {name: round(seconds[name], 2) for name in _MODELS if name in seconds},
        "daily_figures": len(plan(features)["measures"]),
        "events": {name: _event(connection, name, run) for name in sorted({one.event for one in features})},
        "features": {one.name: {"daily_figures": len(plan((one,))["measures"])} for one in features},
    }
    return json.dumps(facts, indent=2) + "\n"


def _event(connection: duckdb.DuckDBPyConnection, name: str, run: Run) -> dict[str, Any]:
    query = "select sum(event_count), max(happened_on) from features.event_days where event = ? and happened_on <= ?"
    rows, freshest = connection.execute(query, [name, run.as_of]).fetchall()[0]
    return {"rows": int(rows or 0), "freshest": str(freshest) if freshest else None}
