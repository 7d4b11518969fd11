"""What can be said of the events in a window: the aggregations, what each takes and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

NUMBERS = ("bigint", "decimal")
_ORDERED = ("bigint", "decimal", "date", "timestamp")
_ANY = ("bigint", "decimal", "date", "timestamp", "varchar", "boolean")


@dataclass(frozen=True)
class Aggregation:
    """`column`: 'must', 'may' or 'none'. `takes`: families of types. `gives`: type of the result from the column's.

    `merges`: it is put together from one figure a day; otherwise the events of the window are read. `fills`: what
    a customer without such an event gets unless the declaration says otherwise.
    """

    name: str
    meaning: str
    column: str
    takes: tuple[str, ...]
    gives: Callable[[str], str]
    merges: bool
    fills: int | None


def _bigint(_: str) -> str:
    return "bigint"


def _double(_: str) -> str:
    return "double"


def _same(type_: str) -> str:
    return type_


AGGREGATIONS = {
    one.name: one
    for one in (
        Aggregation("count", "events; with a column, those that say something there", "may", _ANY, _bigint, True, 0),
        Aggregation("days", "local days with such an event", "none", (), _bigint, True, 0),
        Aggregation("sum", "sum of the column", "must", NUMBERS, _same, True, 0),
        Aggregation("mean", "mean of the column", "must", NUMBERS, _double, True, None),
        Aggregation("min", "least value of the column", "must", _ORDERED, _same, True, None),
        Aggregation("max", "largest value of the column", "must", _ORDERED, _same, True, None),
        Aggregation(
            "share",
            "part of all events (with a column: of their sum) for which 'where' holds",
            "may",
            NUMBERS,
            _double,
            True,
            None,
        ),
        Aggregation("recency_days", "days since the last such event", "none", (), _bigint, True, None),
        Aggregation("first", "value of the column at the first event that has one", "must", _ANY, _same, True, None),
        Aggregation("last", "value of the column at the last event that has one", "must", _ANY, _same, True, None),
        Aggregation("count_distinct", "different values of the column", "must", _ANY, _bigint, False, 0),
        Aggregation("mode", "most frequent value; of several the least", "must", _ANY, _same, False, None),
        Aggregation("entropy", "how evenly values are spread, in nats", "must", _ANY, _double, False, None),
    )
}  # fmt: skip


def family(type_: str) -> str:
    """The family of an SQL type: `decimal(18,2)` is a decimal."""
    return type_.partition("(")[0]
