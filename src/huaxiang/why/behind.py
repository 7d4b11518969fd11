"""What stands behind each column of a portrait, as the column's own declaration says it.

A column of customer_profiles says it in its yml: `rows` (events, window, condition), `compares` where the customer is
measured against the others, `model` where a model has said it. A declared feature says it by what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from huaxiang.customer_events import DECLARED, EVENTS, CustomerEvent
from huaxiang.declarations import Declaration, read_declaration
from huaxiang.features import load_features
from huaxiang.settings import Settings
from huaxiang.tags import Tag, column_of

SOURCES: Mapping[str, CustomerEvent] = {**EVENTS, DECLARED.name: DECLARED}


@dataclass(frozen=True)
class Rows:
    """Rows of one kind: of the last `days` days that end with as_of (None: all), where the SQL condition holds.

    The condition may name columns of the event and, as `portrait.<column>`, of the customer's portrait.
    """

    of: str
    days: int | None = None
    where: str = ""


@dataclass(frozen=True)
class Behind:
    """What a column is computed from. All empty: its declaration does not say."""

    rows: tuple[Rows, ...] = ()
    compares: bool = False
    model: str = ""


def behind_columns(settings: Settings) -> dict[str, Behind]:
    """For every column that a tag can read. Raises BadConfiguration, with file and line, for one that is not usable."""
    path = settings.project / "dbt_project" / "models" / "profiles" / "customer_profiles.yml"
    declaration = read_declaration(path, "the description of customer_profiles")
    found = {}
    for number, column in enumerate(declaration.said["models"][0]["columns"]):
        meta = (column.get("config") or {}).get("meta") or {}
        place = ("models", 0, "columns", number, "config", "meta")
        rows = tuple(_rows(declaration, said, (*place, "rows", at)) for at, said in enumerate(meta.get("rows", ())))
        found[column["name"]] = Behind(rows, bool(meta.get("compares")), str(meta.get("model", "")))
    for feature in load_features(settings):
        for days, column in feature.columns.items():
            # of a share the events that do not fulfil the condition count as well
            where = "" if feature.aggregation == "share" else feature.where
            found[column] = Behind((Rows(feature.event, days, where),))
    return found


def columns_of(expression: str) -> list[str]:
    """The columns that a tag's SQL expression reads, in order of name."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(f"select {expression}", dialect="duckdb")
    return sorted({column.name for column in tree.find_all(exp.Column)})


def read_by(tag: Tag, tags: Mapping[str, Tag]) -> dict[str, list[str]]:
    """Columns that the tag, and the tags it reads, rest on: each with what it is read for (value, evidence ...)."""
    found: dict[str, list[str]] = {}
    read = {column_of(name): name for name in tag.reads}
    for key in ("value", "confidence", "evidence"):
        expression = getattr(tag, key)
        for column in columns_of(expression) if expression else ():
            if column in read:
                for inner in read_by(tags[read[column]], tags):
                    found.setdefault(inner, []).append(f"tag {read[column]}")
            else:
                found.setdefault(column, []).append(key)
    return {column: list(dict.fromkeys(keys)) for column, keys in found.items()}


def rows_of(columns: Iterable[str], behind: Mapping[str, Behind]) -> dict[Rows, list[str]]:
    """The kinds of rows behind the columns, each with the columns that it stands behind."""
    found: dict[Rows, list[str]] = {}
    for column in columns:
        for rows in behind.get(column, Behind()).rows:
            found.setdefault(rows, []).append(column)
    return found


def _rows(declaration: Declaration, said: Any, place: tuple[str | int, ...]) -> Rows:
    if not isinstance(said, dict) or said.get("of") not in SOURCES or not set(said) <= {"of", "days", "where"}:
        raise declaration.wrong(
            "names no rows", f"write {{of: ..., days: ..., where: ...}}, of {', '.join(SOURCES)}", *place
        )
    return Rows(said["of"], said.get("days"), said.get("where", ""))
