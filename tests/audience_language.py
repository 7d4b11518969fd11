"""Random audiences of the whole language, and the same language evaluated customer by customer in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any as Anything

from huaxiang.audiences.language import (
    All,
    Any,
    Bounds,
    Condition,
    Feature,
    Followed,
    Happened,
    HasTag,
    Member,
    Not,
    Pattern,
)
from huaxiang.customer_events import EVENTS

Row = Mapping[str, Anything]


@dataclass
class World:
    """All there is to know of the customers: the portraits, their tags and events, as plain rows."""

    as_of: date
    portraits: Mapping[str, Row]
    types: Mapping[str, str]
    tags: Mapping[tuple[str, str], tuple[str, float]]
    events: Mapping[str, Mapping[str, Sequence[Row]]]  # by kind, then by customer
    audiences: Mapping[str, Condition]


# In plain Python: what a person would work out with paper and pencil.


def holds(condition: Condition, customer: str, world: World) -> bool:
    match condition:
        case All(parts):
            return all(holds(part, customer, world) for part in parts)
        case Any(parts):
            return any(holds(part, customer, world) for part in parts)
        case Not(part):
            return not holds(part, customer, world)
        case Member(name):
            return holds(world.audiences[name], customer, world)
        case HasTag(tag, values, confidence):
            found = world.tags.get((customer, tag))
            if found is None or (values and found[0] not in values):
                return False
            return confidence is None or found[1] >= float(confidence)
        case Feature(column, _, bounds, is_known):
            value = world.portraits[customer][column]
            if is_known is not None:
                return (value is not None) == is_known
            return within(value, bounds)
        case Happened(pattern, bounds, count, summed):
            rows = matching(pattern, customer, world)
            if summed:
                return within(sum((row[summed] for row in rows if row[summed] is not None), Decimal(0)), bounds)
            if count == "rows":
                return within(len(rows), bounds)
            return within(len({row["order_id" if count == "orders" else "happened_on"] for row in rows}), bounds)
        case Followed(first, then, days, is_absent):
            befores = {row["happened_on"] for row in matching(first, customer, world)}
            afters = {row["happened_on"] for row in matching(then, customer, world)}
            for before in befores:
                last = world.as_of if days is None else before + timedelta(days=days)
                came = any(before < after <= last for after in afters)
                if is_absent and not came and last <= world.as_of:
                    return True
                if not is_absent and came:
                    return True
            return False


def matching(pattern: Pattern, customer: str, world: World) -> list[Row]:
    found = []
    for row in world.events[pattern.event].get(customer, ()):
        day = row["happened_on"]
        if day > world.as_of:
            continue
        if pattern.last_days is not None and (world.as_of - day).days >= pattern.last_days:
            continue
        if (pattern.since and day < pattern.since) or (pattern.until and day > pattern.until):
            continue
        if all(within(row[column], bounds) for column, bounds in pattern.where):
            found.append(row)
    return found


def within(value: Anything, bounds: Bounds) -> bool:
    if value is None:
        return False

    def fit(bound: Anything) -> Anything:
        return float(bound) if isinstance(value, float) else bound

    return (
        (not bounds.values or value in bounds.values)
        and (bounds.at_least is None or value >= fit(bounds.at_least))
        and (bounds.at_most is None or value <= fit(bounds.at_most))
        and (bounds.above is None or value > fit(bounds.above))
        and (bounds.below is None or value < fit(bounds.below))
    )


# Random expressions, whose values are those of real rows, so that most are true of some customers and not of others.


@dataclass
class Dice:
    """Draws conditions from a world; the same seed draws the same."""

    random: Random
    world: World

    def condition(self, depth: int = 3) -> Condition:
        pick = self.random.random()
        if depth > 0 and pick < 0.45:
            parts = tuple(self.condition(depth - 1) for _ in range(self.random.randint(1, 3)))
            return self.random.choice([All, Any])(parts)
        if depth > 0 and pick < 0.6:
            return Not(self.condition(depth - 1))
        leaf = self.random.choice([self.tag, self.feature, self.happened, self.happened, self.followed, self.followed])
        if self.world.audiences and self.random.random() < 0.05:
            return Member(self.random.choice(sorted(self.world.audiences)))
        return leaf()

    def tag(self) -> Condition:
        name = self.random.choice(sorted({tag for _, tag in self.world.tags}))
        seen = sorted({value for (_, tag), (value, _) in self.world.tags.items() if tag == name})
        values = tuple(self.random.sample(seen, self.random.randint(0, min(2, len(seen)))))
        confidence = Decimal(self.random.randint(0, 10)) / 10 if self.random.random() < 0.2 else None
        return HasTag(name, values, confidence)

    def feature(self) -> Condition:
        column = self.random.choice(sorted(self.world.types))
        type_ = self.world.types[column]
        values = [row[column] for row in self.world.portraits.values() if row[column] is not None]
        if not values or self.random.random() < 0.15:
            return Feature(column, type_, is_known=self.random.random() < 0.5)
        return Feature(column, type_, self.bounds(values, exact=type_ != "double"))

    def happened(self) -> Condition:
        pattern = self.pattern()
        columns = EVENTS[pattern.event].columns
        numbers = [name for name, column in columns.items() if column.type == "number"]
        if numbers and self.random.random() < 0.3:
            amount = Decimal(self.random.choice([0, 1, 5, 20, 60, 200]))
            return Happened(pattern, self.between(amount), sum=self.random.choice(numbers))
        if self.random.random() < 0.25:
            return Happened(pattern, Bounds(at_most=Decimal(0)))
        counts = ["rows", "days", *(["orders"] if "order_id" in columns else [])]
        return Happened(pattern, self.between(Decimal(self.random.choice([1, 2, 3, 8]))), self.random.choice(counts))

    def followed(self) -> Condition:
        days = self.random.choice([None, 1, 7, 14, 28])
        return Followed(self.pattern(), self.pattern(), days, is_absent=self.random.random() < 0.5)

    def pattern(self) -> Pattern:
        event = self.random.choice(sorted(self.world.events))
        where = []
        rows = [row for found in self.world.events[event].values() for row in found]
        for name, column in EVENTS[event].columns.items():
            if rows and self.random.random() < (0.6 if name in ("department", "category", "campaign_type") else 0.04):
                values = [
                    value for row in self.random.sample(rows, min(8, len(rows))) if (value := row[name]) is not None
                ]
                if values:
                    exact = column.type != "number"
                    where.append((name, self.bounds(values, exact) if not exact else self.some(values)))
        window = self.random.random()
        if window < 0.4:
            return Pattern(event, tuple(where), last_days=self.random.choice([1, 7, 28, 60]))
        if window < 0.6:
            start = self.world.as_of - timedelta(days=self.random.randint(5, 80))
            end = start + timedelta(days=self.random.randint(0, 40)) if self.random.random() < 0.6 else None
            return Pattern(event, tuple(where), since=start, until=end)
        return Pattern(event, tuple(where))

    def bounds(self, values: Sequence[Anything], exact: bool) -> Bounds:
        value = self.random.choice(values)
        if isinstance(value, str | bool):
            return self.some(values)
        if exact and self.random.random() < 0.2:
            return self.some([plain(one) for one in values])
        return self.between(plain(value))

    def some(self, values: Sequence[Anything]) -> Bounds:
        return Bounds(values=tuple(dict.fromkeys(self.random.choice(values) for _ in range(self.random.randint(1, 3)))))

    def between(self, bound: Anything) -> Bounds:
        return Bounds(**{self.random.choice(["at_least", "at_most", "above", "below"]): bound})


def plain(value: Anything) -> Anything:
    """A bound as a file would give it."""
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) else value


def spelled(condition: Condition) -> Anything:
    """The condition as YAML holds it."""
    match condition:
        case All(parts):
            return {"all": [spelled(part) for part in parts]}
        case Any(parts):
            return {"any": [spelled(part) for part in parts]}
        case Not(part):
            return {"not": spelled(part)}
        case Member(name):
            return {"audience": name}
        case HasTag(tag, values, confidence):
            said: dict[str, Anything] = {"tag": tag}
            said |= {"is": list(values)} if values else {}
            return said | ({"confidence_at_least": float(confidence)} if confidence is not None else {})
        case Feature(column, _, bounds, is_known):
            return {"feature": column} | ({"is_known": is_known} if is_known is not None else of(bounds))
        case Happened(pattern, bounds, count, summed):
            if bounds == Bounds(at_most=Decimal(0)) and not summed and count == "rows":
                return of_pattern(pattern) | {"none": True}
            return of_pattern(pattern) | of(bounds) | ({"sum": summed} if summed else {"count": count})
        case Followed(first, then, days, is_absent):
            said = {"first": of_pattern(first), "without" if is_absent else "then": of_pattern(then)}
            return said | ({"within_days": days} if days else {})


def of_pattern(pattern: Pattern) -> dict[str, Anything]:
    said: dict[str, Anything] = {"event": pattern.event}
    said |= {"where": {name: of(bounds) for name, bounds in pattern.where}} if pattern.where else {}
    for key, value in (("last_days", pattern.last_days), ("from", pattern.since), ("to", pattern.until)):
        said |= {key: value} if value is not None else {}
    return said


def of(bounds: Bounds) -> dict[str, Anything]:
    said: dict[str, Anything] = {"is": [number(one) for one in bounds.values]} if bounds.values else {}
    for key in ("at_least", "at_most", "above", "below"):
        if getattr(bounds, key) is not None:
            said[key] = number(getattr(bounds, key))
    return said


def number(value: Anything) -> Anything:
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral() else float(value)
