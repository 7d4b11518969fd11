"""The facts of the features page: what each declared feature says, of how many, how fresh it is, and who reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from huaxiang.features import Feature, load_features
from huaxiang.features.aggregations import family
from huaxiang.features.consumers import consumers
from huaxiang.features.registry import NAME
from huaxiang.report.tables import BuildTables

TABLE = "customer_event_features"


@dataclass(frozen=True)
class Column:
    """One window of a feature: of how many customers it says something, and how many it is null for; shares, 0 to 1."""

    name: str
    window: str
    covered: float
    null: float


@dataclass(frozen=True)
class Entry:
    """A feature as the page shows it. `events`: rows of its event table by the day, `freshest` the last of them."""

    feature: Feature
    columns: tuple[Column, ...]
    freshest: date | None
    events: int
    daily_figures: int
    consumers: tuple[str, ...]


def entries(tables: BuildTables) -> list[Entry]:
    """The features whose columns the build holds, in order of name."""
    features = [one for one in load_features(tables.settings) if tables.has(TABLE, *one.columns.values())]
    if not features:
        return []
    known = facts(tables)
    readers = consumers(tables.settings.project, features)
    shares = _shares(tables, features)
    found = []
    for one in features:
        event = known.get("events", {}).get(one.event, {})
        found.append(
            Entry(
                feature=one,
                columns=tuple(
                    Column(name, "whole past" if days is None else f"{days} days", *shares[name])
                    for days, name in one.columns.items()
                ),
                freshest=date.fromisoformat(event["freshest"]) if event.get("freshest") else None,
                events=event.get("rows", 0),
                daily_figures=known.get("features", {}).get(one.name, {}).get("daily_figures", 0),
                consumers=tuple(readers[one.name]),
            )
        )
    return found


def facts(tables: BuildTables) -> dict[str, Any]:
    """What the features step left in the build."""
    known: dict[str, Any] = tables.json(NAME) or {}
    return known


def _shares(tables: BuildTables, features: list[Feature]) -> dict[str, tuple[float, float]]:
    """Of each column the share of customers it says something of (neither null nor 0), and the share of nulls."""
    wanted = {name: one for one in features for name in one.columns.values()}
    parts = []
    for name, one in wanted.items():
        is_number = family(one.type) in ("bigint", "decimal", "double")
        says = f"{name} is not null" + (f" and {name} <> 0" if is_number and one.fill == 0 else "")
        parts += [
            f"count(*) filter (where {says}) as said_{name}",
            f"count(*) filter (where {name} is null) as null_{name}",
        ]
    row = tables.rows(f"select count(*) as customers, {', '.join(parts)} from {TABLE}")[0]
    customers = row["customers"] or 1
    return {name: (row[f"said_{name}"] / customers, row[f"null_{name}"] / customers) for name in wanted}
