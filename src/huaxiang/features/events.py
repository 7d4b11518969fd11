"""The event tables that features can be declared over: the dbt views `event_<name>`, known by their yml alone.

One more event table is one more view, whose yml says `meta: {event: <name>}`, and its days in `event_days`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huaxiang.yaml_files import read_mapping

# What every view has, for the compiler and not for a declaration.
OWN = ("customer_id", "happened_on", "event_key")


@dataclass(frozen=True)
class EventColumn:
    """A column that a declaration may name; `type` as SQL spells it on DuckDB."""

    name: str
    type: str
    description: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class EventTable:
    """One row per event of a customer. `needs` are the canonical tables without which there are no events."""

    name: str
    description: str
    needs: tuple[str, ...]
    columns: Mapping[str, EventColumn]


def load_events(project: Path) -> dict[str, EventTable]:
    """The event tables by name. Raises BadConfiguration when a view's yml cannot be read."""
    found = {}
    for path in sorted((project / "dbt_project" / "models" / "features").glob("event_*.yml")):
        model = read_mapping(path, what="the description of a dbt model")["models"][0]
        meta = _meta(model)
        if "event" in meta:
            found[meta["event"]] = EventTable(
                name=meta["event"],
                description=" ".join(model["description"].split()),
                needs=tuple(meta.get("needs", ())),
                columns={
                    column["name"]: EventColumn(
                        column["name"],
                        column["data_type"],
                        column["description"],
                        tuple(_meta(column).get("needs", ())),
                    )
                    for column in model["columns"]
                    if column["name"] not in OWN
                },
            )
    return found


def _meta(described: Mapping[str, Any]) -> Mapping[str, Any]:
    meta: Mapping[str, Any] = described.get("config", {}).get("meta", {})
    return meta
