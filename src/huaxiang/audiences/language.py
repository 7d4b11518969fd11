"""The language of audiences: what a condition can be. Every condition is true or false of a customer, never unknown.

A feature that is empty and a tag that a customer does not have make their condition false, so its `not` is true.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path

Value = str | bool | Decimal | date


@dataclass(frozen=True)
class Bounds:
    """What a value must be; all that is given must hold. `values`: one of these."""

    values: tuple[Value, ...] = ()
    at_least: Decimal | date | None = None
    at_most: Decimal | date | None = None
    above: Decimal | date | None = None
    below: Decimal | date | None = None

    @property
    def is_empty(self) -> bool:
        return self == Bounds()


@dataclass(frozen=True)
class Pattern:
    """Events of one kind, of a time, whose columns are as `where` says.

    The window is the last `last_days` days that end with as_of, or the local days from `since` to `until`, both
    included. Nothing after as_of is ever seen.
    """

    event: str
    where: tuple[tuple[str, Bounds], ...] = ()
    last_days: int | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class All:
    """Every part holds; without any it is true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Any:
    """At least one part holds; without any it is false."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Condition


@dataclass(frozen=True)
class HasTag:
    """The customer has the tag: with one of `values` (none given: any), at least so sure."""

    tag: str
    values: tuple[str, ...] = ()
    confidence: Decimal | None = None


@dataclass(frozen=True)
class Feature:
    """A column of the portrait is within bounds; or it is known (or not), whatever it says."""

    column: str
    type: str
    bounds: Bounds = Bounds()
    is_known: bool | None = None


@dataclass(frozen=True)
class Happened:
    """How many such events, orders or days with them, or the sum of a column over them. Of no event both are 0."""

    pattern: Pattern
    bounds: Bounds
    count: str = "rows"
    sum: str | None = None


@dataclass(frozen=True)
class Followed:
    """After a day of `first` a day of `then` came, within so many days (None: by as_of); `is_absent`: it did not come.

    The days after count, the day itself does not. Whether something did not come within N days is only known N days
    later, so a `first` of fewer than N days ago is left aside.
    """

    first: Pattern
    then: Pattern
    within_days: int | None = None
    is_absent: bool = False


@dataclass(frozen=True)
class Member:
    """The customer is in another audience."""

    audience: str


Condition = All | Any | Not | HasTag | Feature | Happened | Followed | Member


@dataclass(frozen=True)
class Audience:
    """One file of `audiences/`. `needs` are the canonical tables, columns and model families it rests on."""

    name: str
    title: str
    description: str
    owner: str
    purpose: str
    who: Condition
    needs: tuple[str, ...] = ()
    path: Path = field(default=Path(), compare=False)


def leaves(condition: Condition) -> Iterator[Condition]:
    """The conditions that are not put together from others, from left to right."""
    if isinstance(condition, All | Any):
        for part in condition.parts:
            yield from leaves(part)
    elif isinstance(condition, Not):
        yield from leaves(condition.part)
    else:
        yield condition
