"""Find the rows behind a tag of a customer: drop, record, line, and what in it counted."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from sys import stderr
from typing import TYPE_CHECKING, Any

from huaxiang.audiences.sql import literal
from huaxiang.customer_events import EVENTS, CustomerEvent
from huaxiang.errors import BadConfiguration, MissingPartition
from huaxiang.landing.ledger import LedgerRow, read_ledger
from huaxiang.release import store
from huaxiang.settings import Run, Settings
from huaxiang.tags import Tag, load_tags
from huaxiang.timetravel import portraits
from huaxiang.timetravel.private_home import link_landed, private_home
from huaxiang.warehouse import state
from huaxiang.why.asking import Day, says_the_same
from huaxiang.why.behind import SOURCES, Behind, Rows, behind_columns, read_by, rows_of

if TYPE_CHECKING:
    import duckdb

# What is told of a row besides its day, by kind of event; order_lines is what bought and returned lines share.
_TOLD = {
    "order_lines": ("order_id", "product_id", "category", "quantity", "net_amount"),
    "orders": ("order_id", "store_id"),
    "sends": ("campaign_id", "campaign_type"),
    "responses": ("campaign_id", "coupon_id"),
    "events": ("event_type", "product_id", "session_id", "page"),
    "customers": ("field", "said_value"),
}


@dataclass(frozen=True)
class Counted:
    """One landed record that counted, and for which columns. `line` is None where the drop is no text."""

    table: str
    source: str
    file_id: str
    file_name: str
    record: int
    line: int | None
    day: date | None
    told: Mapping[str, Any]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column that the tag reads: its value, what it is read for, and what stands behind it."""

    name: str
    value: Any
    read_for: tuple[str, ...]
    behind: Behind


@dataclass(frozen=True)
class Why:
    """The answer. `value` is None where the tag does not apply; `release_id` where the day is not released.

    `is_same_rule`: the rule of the tag's file, asked again, says the same of the day's portrait.
    """

    customer_id: str
    tag: Tag
    run: Run
    release_id: str | None
    folder: Path
    value: str | None
    confidence: float | None
    evidence: str | None
    is_same_rule: bool
    portrait: Mapping[str, Any]
    columns: tuple[Column, ...]
    rows: tuple[Counted, ...]


def day_of(settings: Settings, as_of: Run | None, release_id: str | None) -> Day:
    """The release asked for, the release or build of the day, or the current release when nothing is asked for.

    Raises MissingPartition where there is none.
    """
    if as_of is not None:
        found = store.of_run(settings, as_of)
        if found is None:
            build = settings.home.build(as_of.id)
            if not (build / "profiles" / "customer_tags.parquet").exists():
                raise MissingPartition(
                    f"{as_of.id}: neither released nor built; run 'huaxiang run --as-of {as_of.as_of}'"
                )
            return Day(as_of, build, None)
    else:
        found = store.find(settings, release_id) if release_id else store.current(settings)
    if found is None:
        raise MissingPartition("no release yet: 'huaxiang run --as-of D' makes the first")
    return Day(Run(found.as_of, found.known_at), found.path, found.id)


def why(settings: Settings, day: Day, customer: str, name: str) -> Why:
    """Everything behind the tag `name` of the customer on that day.

    Raises MissingPartition for a customer or tag that is not there.
    """
    tags = {tag.name: tag for tag in load_tags(settings)}
    if name not in tags:
        close = get_close_matches(name, tags, n=1)
        mend = f"did you mean '{close[0]}'?" if close else "docs/reference/tags.md lists them"
        raise MissingPartition(f"there is no tag '{name}'; {mend}")
    (portrait,) = portraits.read(settings, day.run, day.folder, [customer])
    told = next((row for row in portrait.rows.get("customer_tags", ()) if row["tag"] == name), {})
    behind = behind_columns(settings)
    read = read_by(tags[name], tags)
    (declared,) = portrait.rows.get("customer_event_features") or [{}]
    known = declared | portrait.profile
    columns = tuple(
        Column(column, known.get(column), tuple(keys), behind.get(column, Behind())) for column, keys in read.items()
    )
    wanted = rows_of(read, behind)
    rows: tuple[Counted, ...] = ()
    if wanted:
        with staged(settings, day.run) as connection:
            rows = _counted(connection, settings, day, customer, wanted)
    return Why(
        customer_id=customer,
        tag=tags[name],
        run=day.run,
        release_id=day.release_id,
        folder=day.folder,
        value=told.get("value"),
        confidence=told.get("confidence"),
        evidence=told.get("evidence"),
        is_same_rule=says_the_same(tags[name], day, customer, told.get("value")),
        portrait=portrait.profile,
        columns=columns,
        rows=rows,
    )


@contextmanager
def staged(settings: Settings, run: Run) -> Iterator[duckdb.DuckDBPyConnection]:
    """The staging tables of the run: the warehouse where it holds them, else staged once more in a private home."""
    if state.holds(settings, run, "staging"):
        with state.reading(settings) as connection:
            yield connection
        return
    from huaxiang import warehouse

    with redirect_stdout(stderr), private_home(replace(settings, models=()), f"why-{run.id}") as past:
        link_landed(settings, past, read_ledger(settings))
        warehouse.staging(past, run)
        with state.reading(past) as connection:
            yield connection


def _counted(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    day: Day,
    customer: str,
    wanted: Mapping[Rows, Sequence[str]],
) -> tuple[Counted, ...]:
    """The landed records behind the columns, the newest first; a record that counts for several is told once."""
    found: dict[tuple[str, str, str, int], tuple[dict[str, Any], set[str]]] = {}
    for rows, columns in wanted.items():
        for row in _records(connection, settings, rows, day, customer):
            key = (row["table"], row["source_name"], row["file_id"], row["record_number"])
            found.setdefault(key, (row, set()))[1].update(columns)
    names = {(row.source_name, row.table_name, row.file_id): row for row in read_ledger(settings)}
    drops = {key[:3]: names[key[1], key[0], key[2]] for key in found}
    lines = _lines(settings, list(dict.fromkeys(drops.values())))
    counted = [
        Counted(
            table=table,
            source=source,
            file_id=file_id,
            file_name=drops[table, source, file_id].file_name,
            record=record,
            line=lines.get(drops[table, source, file_id], {}).get(record),
            day=row["happened_on"],
            told={name: row[name] for name in _TOLD[table] if row.get(name) is not None},
            columns=tuple(sorted(columns)),
        )
        for (table, source, file_id, record), (row, columns) in found.items()
    ]
    return tuple(
        sorted(counted, key=lambda one: (one.table, -(one.day or date.min).toordinal(), one.file_name, one.record))
    )


def _records(
    connection: duckdb.DuckDBPyConnection, settings: Settings, rows: Rows, day: Day, customer: str
) -> list[dict[str, Any]]:
    """The rows of staging that came from a record, each with its table. An order is its record and its lines."""
    as_of = day.run.as_of
    conditions = [f"(happened_on <= {literal(as_of)} or happened_on is null)"]
    if rows.days is not None:
        conditions.append(f"happened_on > {literal(as_of - timedelta(days=rows.days))}")
    if rows.where:
        conditions.append("(" + re.sub(r"\bportrait\.(\w+)", r"(select portrait.\1 from portrait)", rows.where) + ")")
    event = SOURCES[rows.of]
    path = str(day.folder / "profiles" / "customer_profiles.parquet")
    matching = f"""
        with portrait as (select * from read_parquet({literal(path)}) where customer_id = $customer),
        own as (select * from ({event.rows}) as all_events where customer_id = $customer),
        timed as (select *, isodow(happened_on) as weekday, {_hour(event, settings)} as hour from own)
        select * from timed where {" and ".join(conditions)}"""
    found = [{"table": _table(rows.of), **row} for row in _query(connection, matching, customer)]
    if rows.of == "orders":
        orders = f"select order_id from ({matching}) as matching"
        lines = f"select * from ({EVENTS['order_lines'].rows}) as lines where order_id in ({orders})"
        found += [{"table": "order_lines", **row} for row in _query(connection, lines, customer)]
    return [row for row in found if row["file_id"] is not None]


def _query(connection: duckdb.DuckDBPyConnection, query: str, customer: str) -> list[dict[str, Any]]:
    result = connection.execute(query, {"customer": customer})
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _table(event: str) -> str:
    """The canonical table whose records these events are."""
    return {"purchases": "order_lines", "returns": "order_lines"}.get(event, event)


def _hour(event: CustomerEvent, settings: Settings) -> str:
    """The local hour of an event, as declared features ask for it; null where events have a day only."""
    if event.name == "orders":
        return "ordered_hour"
    if "happened_at" not in event.rows:
        return "null"
    return f"hour(timezone({literal(settings.time_zone)}, timezone('UTC', happened_at)))"


def _lines(settings: Settings, rows: Sequence[LedgerRow]) -> dict[LedgerRow, dict[int, int]]:
    """By text drop the line of each record, found on its raw bytes; a drop that is no text or no longer mapped is not
    among them."""
    from huaxiang.contracts import load_contracts
    from huaxiang.landing.text import read
    from huaxiang.sources import load_sources

    try:
        sources = load_sources(settings, load_contracts(settings))
    except BadConfiguration:
        return {}
    found = {}
    for row in rows:
        mapping = sources[row.source_name].tables.get(row.table_name) if row.source_name in sources else None
        raw = settings.home.raw / row.sha256
        if mapping and mapping.format != "parquet" and raw.exists():
            frames = read(mapping, raw.read_bytes())[1]
            found[row] = dict(zip(frames.numbers, frames.lines, strict=True))
    return found
