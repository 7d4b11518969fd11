"""The world of `audience_language` from a warehouse: portraits, tags and events of some customers as plain rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date

import duckdb

from huaxiang.audiences.build import portraits
from huaxiang.audiences.language import Audience
from huaxiang.audiences.read import Askable
from huaxiang.customer_events import EVENTS
from tests.audience_language import World


def read_world(
    connection: duckdb.DuckDBPyConnection,
    as_of: date,
    askable: Askable,
    audiences: Collection[Audience],
    customers: Collection[str],
) -> World:
    def rows(query: str) -> list[dict]:
        result = connection.execute(f"select * from ({query}) where customer_id = any(?)", [list(customers)])
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    events: dict[str, dict] = {}
    for name, event in EVENTS.items():
        events[name] = defaultdict(list)
        for row in rows(event.rows):
            events[name][row["customer_id"]].append(row)
    return World(
        as_of=as_of,
        portraits={row["customer_id"]: row for row in rows(portraits(as_of))},
        types={name: column.type for name, column in askable.columns.items()},
        tags={
            (row["customer_id"], row["tag"]): (row["value"], row["confidence"])
            for row in rows("select * from profiles.customer_tags")
        },
        events={name: found for name, found in events.items() if found},
        audiences={one.name: one.who for one in audiences},
    )
