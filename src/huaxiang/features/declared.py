"""Read and check `features/<name>.yml`: every error names file, line, key, reason and mend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.declarations import Declaration, read_declaration
from huaxiang.expressions import BadExpression, columns_of, first_line
from huaxiang.features.aggregations import AGGREGATIONS, Aggregation, family
from huaxiang.features.events import EventTable, load_events
from huaxiang.profile_columns import hand_written
from huaxiang.settings import Settings

if TYPE_CHECKING:
    import duckdb

ALL = "all"
ENTITIES = ("customer",)
_REQUIRED = ("name", "description", "owner", "declared_on", "event", "aggregation", "windows")
_OPTIONAL = ("entity", "where", "column", "fill")
_WIDEST = 3_660  # ten years


@dataclass(frozen=True)
class Feature:
    """One declaration. `where` is an SQL condition over one event ('' is every event); null counts as no.

    `windows`: days that end with as_of, as_of included; None is the whole past. `columns`: a column's name per window.
    `type`: SQL type of every column of the result, `column_type` that of the column read.
    `fill`: what stands for no such event, 0 or null. `needs`: what it is left out without.
    """

    name: str
    description: str
    owner: str
    declared_on: date
    event: str
    aggregation: str
    column: str
    column_type: str
    where: str
    windows: tuple[int | None, ...]
    fill: int | None
    type: str
    needs: tuple[str, ...]

    @cached_property
    def columns(self) -> dict[int | None, str]:
        return {days: self.name if days is None else f"{self.name}_{days}d" for days in self.windows}

    @property
    def merges(self) -> bool:
        return AGGREGATIONS[self.aggregation].merges


def load_features(settings: Settings) -> tuple[Feature, ...]:
    """Read and check every declaration, in order of name. Raises BadConfiguration for the first that cannot be used.

    A step asks several times; what the files said is kept as long as none of them changes.
    """
    files = tuple(sorted((settings.project / "features").glob("*.yml")))
    described = (settings.project / "dbt_project" / "models").glob("*/*.yml")
    stamps = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in (*files, *sorted(described)))
    return _load(settings.project, files, stamps)


@lru_cache(maxsize=4)
def _load(project: Path, files: tuple[Path, ...], stamps: tuple[object, ...]) -> tuple[Feature, ...]:
    import duckdb

    if not files:
        return ()
    events = load_events(project)
    taken = {column.name: "customer_profiles" for column in hand_written(project)}
    taken |= {"customer_id": "customer_event_features", "as_of": "customer_event_features"}
    features = []
    with duckdb.connect(
        config={"enable_external_access": "false", "autoinstall_known_extensions": "false"}
    ) as connection:
        for event in events.values():
            typed = ", ".join(f"{column.name} {column.type}" for column in event.columns.values())
            connection.execute(f"create table event_{event.name} ({typed})")
        for path in files:
            declaration = read_declaration(path, what="a feature")
            feature = _read(declaration, events, connection)
            for window, column in enumerate(feature.columns.values()):
                if column in taken:
                    raise declaration.wrong(
                        f"gives the column '{column}', which {taken[column]} has already",
                        "choose another name",
                        "windows",
                        window,
                    )
                taken[column] = path.name
            features.append(feature)
    return tuple(features)


def _read(said: Declaration, events: Mapping[str, EventTable], connection: duckdb.DuckDBPyConnection) -> Feature:
    _check_keys(said)
    event = _choice(said, "event", events)
    aggregation = AGGREGATIONS[_choice(said, "aggregation", AGGREGATIONS)]
    if "entity" in said.said:
        _choice(said, "entity", ENTITIES)
    column = _column(said, aggregation, events[event])
    where, read = _where(said, aggregation, events[event], connection)
    column_type = events[event].columns[column].type if column else "bigint"
    type_ = aggregation.gives(column_type)
    needs = [
        *events[event].needs,
        *(need for name in (column, *read) if name for need in events[event].columns[name].needs),
    ]
    return Feature(
        name=said.said["name"],
        description=" ".join(said.said["description"].split()),
        owner=said.said["owner"].strip(),
        declared_on=said.said["declared_on"],
        event=event,
        aggregation=aggregation.name,
        column=column,
        column_type=column_type,
        where=where,
        windows=_windows(said),
        fill=_fill(said, aggregation, type_),
        type=type_,
        needs=tuple(dict.fromkeys(needs)),
    )


def _check_keys(said: Declaration) -> None:
    for key in said.said:
        if key not in (*_REQUIRED, *_OPTIONAL):
            raise said.wrong("is not a key of a feature", f"use {', '.join((*_REQUIRED, *_OPTIONAL))}", key)
    for key in _REQUIRED:
        if key not in said.said:
            raise said.wrong(f"'{key}' is missing", "add it; docs/how-to/add-a-feature.md shows how")
    for key in ("name", "description", "owner"):
        if not isinstance(said.said[key], str) or not said.said[key].strip():
            raise said.wrong("is not a text", "write one", key)
    name = said.said["name"]
    if name != said.path.stem:
        raise said.wrong(f"is '{name}', but the file is {said.path.name}", "give both one name", "name")
    if not (name.isascii() and name.replace("_", "a").isalnum() and name == name.lower() and name[0].isalpha()):
        raise said.wrong("is no name of a column", "use lower-case letters, digits and _, a letter first", "name")
    if type(said.said["declared_on"]) is not date:
        raise said.wrong("is not a day", "write it as 2026-11-28", "declared_on")


def _choice(said: Declaration, key: str, known: Iterable[str]) -> str:
    value = said.said[key]
    if not isinstance(value, str) or value not in known:
        raise said.wrong(f"'{value}' is unknown", f"use {', '.join(known)}", key)
    return value


def _column(said: Declaration, aggregation: Aggregation, event: EventTable) -> str:
    if "column" not in said.said:
        if aggregation.column == "must":
            raise said.wrong(f"'{aggregation.name}' needs a column", "name it in 'column'", "aggregation")
        return ""
    if aggregation.column == "none":
        raise said.wrong(f"is not read by '{aggregation.name}'", "leave it out", "column")
    name = _choice(said, "column", event.columns)
    if family(event.columns[name].type) not in aggregation.takes:
        kinds = ", ".join(aggregation.takes)
        raise said.wrong(
            f"'{name}' is {_said(event.columns[name].type)}, and a {aggregation.name} takes {_said(kinds)}",
            "take another column or aggregation",
            "column",
        )
    return name


def _where(
    said: Declaration, aggregation: Aggregation, event: EventTable, connection: duckdb.DuckDBPyConnection
) -> tuple[str, list[str]]:
    """The condition and the columns it reads, bound against an empty table of the event's columns."""
    import duckdb

    where = said.said.get("where", "")
    if not where and aggregation.name == "share":
        raise said.wrong("'share' needs 'where': the share of what?", "say which events are the part", "aggregation")
    if not where and "where" not in said.said:
        return "", []
    if not isinstance(where, str) or not where.strip():
        raise said.wrong("is not an SQL condition", "write one such as category = 'COFFEE'", "where")
    where = " ".join(where.split())
    try:
        read = columns_of(connection, where)
        for name in read:
            if name not in event.columns:
                raise BadExpression(f"reads '{name}', which is no column of {event.name}: {', '.join(event.columns)}")
        # beside a column, so that an aggregate, which is no condition on one event, is refused as well
        query = f"describe select {next(iter(event.columns))}, ({where}) from event_{event.name}"
        type_ = connection.execute(query).fetchall()[1][1]
    except (BadExpression, duckdb.Error) as error:
        raise said.wrong(first_line(error), "correct the SQL condition", "where") from error
    if type_ != "BOOLEAN":
        raise said.wrong(f"gives {_said(type_.lower())}, not yes or no", "write a condition", "where")
    return where, list(read)


def _windows(said: Declaration) -> tuple[int | None, ...]:
    windows = said.said["windows"]
    if windows == ALL:
        return (None,)
    if not isinstance(windows, list) or not windows:
        raise said.wrong("is no list of days", "write it as [7, 28, 91, 364], or all", "windows")
    for number, days in enumerate(windows):
        if days != ALL and (type(days) is not int or not 1 <= days <= _WIDEST):
            raise said.wrong(f"'{days}' is no window", f"write days from 1 to {_WIDEST}, or all", "windows", number)
        if days in windows[:number]:
            raise said.wrong(f"'{days}' stands there twice", "leave one out", "windows", number)
    return tuple(None if days == ALL else days for days in windows)


def _fill(said: Declaration, aggregation: Aggregation, type_: str) -> int | None:
    fill: Any = said.said.get("fill", aggregation.fills)
    if fill is not None and (type(fill) is not int or fill != 0):
        raise said.wrong(f"'{fill}' is neither 0 nor null", "write 0 or null", "fill")
    if fill == 0 and family(type_) not in ("bigint", "decimal", "double"):
        raise said.wrong(f"0 is no {_said(type_)}", "write null", "fill")
    return 0 if fill == 0 and fill is not None else None


def _said(type_: str) -> str:
    """SQL says varchar, people say text."""
    return type_.replace("varchar", "text")
