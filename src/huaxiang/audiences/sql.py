"""An audience as one SQL statement over the warehouse: the customers it holds.

Values reach it as literals of their type, names were checked against the tags, columns and events there are.
The statement reads the same on DuckDB and Spark.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from huaxiang.audiences.language import (
    All,
    Any,
    Audience,
    Bounds,
    Condition,
    Feature,
    Followed,
    Happened,
    HasTag,
    Member,
    Not,
    Pattern,
    Value,
)
from huaxiang.customer_events import EVENTS

_MEASURES = {"rows": "count(*)", "orders": "count(distinct order_id)", "days": "count(distinct happened_on)"}


def statement(
    audience: Audience, others: Mapping[str, Audience], as_of: date, portraits: str, among: str | None = None
) -> str:
    """The customers of the audience, one column `customer_id`, in no order.

    `others` holds the audiences that may be included, by name; `portraits` is a query of one row per customer with all
    columns that conditions may ask for; `among`, a query of customer_ids, looks at these customers alone.
    """
    compiler = _Compiler(others, as_of, among)
    where = compiler.condition(audience.who)
    steps = [("portraits", portraits), *([("sample", among)] if among else []), *compiler.steps]
    named = ",\n\n".join(f"{name} as (\n{query.strip(chr(10))}\n)" for name, query in steps)
    joins = "".join(f"\nleft join {name} on portraits.customer_id = {name}.customer_id" for name, _ in compiler.steps)
    sampled = "\ninner join sample on portraits.customer_id = sample.customer_id" if among else ""
    return f"with\n\n{named}\n\nselect portraits.customer_id\nfrom portraits{sampled}{joins}\nwhere {where}"


class _Compiler:
    """Each condition on tags or events is a step of the statement, at most one row per customer; equal ones are one."""

    def __init__(self, others: Mapping[str, Audience], as_of: date, among: str | None) -> None:
        self.others, self.as_of, self.among = others, as_of, among
        self.steps: list[tuple[str, str]] = []

    def condition(self, condition: Condition) -> str:
        match condition:
            case All(parts):
                return f"({' and '.join(map(self.condition, parts)) or 'true'})"
            case Any(parts):
                return f"({' or '.join(map(self.condition, parts)) or 'false'})"
            case Not(part):
                return f"(not {self.condition(part)})"
            case Member(name):
                return self.condition(self.others[name].who)
            case HasTag():
                return f"{self._step(_tagged(condition))}.customer_id is not null"
            case Feature():
                return _feature(condition)
            case Happened():
                measured = f"coalesce({self._step(self._measured(condition))}.measure, 0)"
                return "(" + " and ".join(_within(measured, condition.bounds)) + ")"
            case Followed():
                return f"{self._step(self._followed(condition))}.customer_id is not null"

    def _step(self, query: str) -> str:
        for name, known in self.steps:
            if known == query:
                return name
        self.steps.append((f"condition_{len(self.steps) + 1}", query))
        return self.steps[-1][0]

    def _measured(self, condition: Happened) -> str:
        measure = f"sum({condition.sum})" if condition.sum else _MEASURES[condition.count]
        return (
            f"    select customer_id, {measure} as measure\n{self._events(condition.pattern)}\n    group by customer_id"
        )

    def _days(self, pattern: Pattern) -> str:
        return f"select distinct customer_id, happened_on\n{self._events(pattern)}"

    def _followed(self, condition: Followed) -> str:
        within = ""
        ripe = f"first_days.happened_on <= {literal(self.as_of)}"
        if condition.within_days is not None:
            within = f" and then_days.happened_on <= date_add(first_days.happened_on, {condition.within_days})"
            ripe = f"first_days.happened_on <= {literal(self.as_of - timedelta(days=condition.within_days))}"
        joined = (
            f"    from ({self._days(condition.first)}) as first_days\n"
            f"    {'left' if condition.is_absent else 'inner'} join ({self._days(condition.then)}) as then_days\n"
            "        on first_days.customer_id = then_days.customer_id"
            f" and then_days.happened_on > first_days.happened_on{within}"
        )
        absent = f"\n    where then_days.customer_id is null and {ripe}" if condition.is_absent else ""
        return f"    select distinct first_days.customer_id\n{joined}{absent}"

    def _events(self, pattern: Pattern) -> str:
        event = EVENTS[pattern.event]
        conditions = [f"happened_on <= {literal(self.as_of)}"]
        if pattern.last_days is not None:
            conditions.append(f"happened_on > {literal(self.as_of - timedelta(days=pattern.last_days))}")
        if pattern.since is not None:
            conditions.append(f"happened_on >= {literal(pattern.since)}")
        if pattern.until is not None:
            conditions.append(f"happened_on <= {literal(pattern.until)}")
        for column, bounds in pattern.where:
            conditions += _within(column, bounds)
        if self.among:
            conditions.append("customer_id in (select customer_id from sample)")
        return f"    from ({event.rows}    ) as {event.name}\n    where " + "\n        and ".join(conditions)


def literal(value: Value) -> str:
    """A value as SQL that both engines read alike."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return f"cast('{value.isoformat()}' as date)"
    return "'" + value.replace("'", "''") + "'"


def _tagged(condition: HasTag) -> str:
    conditions = [f"tag = {literal(condition.tag)}", *_within("value", Bounds(values=condition.values))]
    if condition.confidence is not None:
        conditions.append(f"confidence >= cast({literal(condition.confidence)} as double)")
    return f"    select customer_id from profiles.customer_tags where {' and '.join(conditions)}"


def _feature(condition: Feature) -> str:
    column = f"portraits.{condition.column}"
    if condition.is_known is not None:
        return f"{column} is {'not ' if condition.is_known else ''}null"
    # A double is compared with a double: a decimal beside it is made one by either engine, not always the same way.
    tests = _within(column, condition.bounds, "double" if condition.type == "double" else "")
    return f"coalesce({' and '.join(tests)}, false)"


def _within(what: str, bounds: Bounds, cast: str = "") -> list[str]:
    """SQL conditions on the expression `what`, one per bound."""

    def said(value: Value) -> str:
        return f"cast({literal(value)} as {cast})" if cast else literal(value)

    found = [f"{what} in ({', '.join(map(said, bounds.values))})"] if bounds.values else []
    for sign, bound in (
        (">=", bounds.at_least), ("<=", bounds.at_most), (">", bounds.above), ("<", bounds.below)
    ):  # fmt: skip
        if bound is not None:
            found.append(f"{what} {sign} {said(bound)}")
    return found
