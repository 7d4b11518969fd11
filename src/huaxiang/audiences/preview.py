"""Look at audiences before anything is published: size, share, overlap, cost, and what a sample would have said."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from huaxiang.audiences import build
from huaxiang.audiences.language import (
    All,
    Any,
    Audience,
    Condition,
    Followed,
    Happened,
    Member,
    Not,
    Pattern,
    leaves,
)
from huaxiang.audiences.sql import literal
from huaxiang.customer_events import EVENTS
from huaxiang.errors import HuaxiangError
from huaxiang.settings import Run, Settings
from huaxiang.warehouse import state

if TYPE_CHECKING:
    import duckdb

STEP = 10  # one customer of so many is drawn
_SURE = 1.96  # standard errors on each side of a 95 % interval


@dataclass(frozen=True)
class Estimate:
    """What the sample says of the size: customers, and a 95 % interval."""

    size: float
    lowest: float
    highest: float
    seconds: float


@dataclass(frozen=True)
class Preview:
    """One audience on a day. `unseen` are values it asks for that no event of the home has.

    `samples` holds the estimates of all ten samples where they were asked for: how far to trust one of them.
    """

    audience: Audience
    size: int
    share: float
    seconds: float
    estimate: Estimate
    unseen: tuple[str, ...] = ()
    samples: tuple[Estimate, ...] = ()


@dataclass(frozen=True)
class Overlap:
    """Two audiences: how many customers are in both, and of those in either which share is in both (Jaccard)."""

    one: str
    other: str
    both: int
    jaccard: float


@dataclass(frozen=True)
class Previews:
    """The audiences asked for, each beside all others of the home."""

    customers: int
    shown: tuple[Preview, ...]
    overlaps: tuple[Overlap, ...]
    left_out: Mapping[str, tuple[str, ...]]


def preview(
    settings: Settings, run: Run, audiences: Sequence[Audience], names: Sequence[str], all_samples: bool = False
) -> Previews:
    """The named audiences (none named: all) as of the run's day, from the warehouse, which is only read.

    Raises MissingPartition when the warehouse holds another run, HuaxiangError for a name that is none.
    """
    from huaxiang.warehouse.export import sourced

    for name in names:
        if name not in {one.name for one in audiences}:
            raise HuaxiangError(f"there is no audience '{name}': 'huaxiang audiences list' shows those there are")
    state.check(settings, run, after="profiles")
    known = sourced(settings, run, more_needs=[need for one in audiences for need in one.needs])
    asked = [one for one in audiences if known.met(one.needs)]
    left_out = {
        one.name: tuple(need for need in one.needs if not known.met([need])) for one in audiences if one not in asked
    }
    with state.reading(settings) as connection:
        customers = connection.execute(f"select count(*) from ({build.portraits(run.as_of)})").fetchall()[0][0]
        held: dict[str, frozenset[str]] = {}
        shown = []
        for one in asked:
            start = time.perf_counter()
            held[one.name] = _ids(connection, build.members(one, audiences, run.as_of))
            seconds = time.perf_counter() - start
            if names and one.name not in names:
                continue
            shown.append(
                Preview(
                    one,
                    len(held[one.name]),
                    len(held[one.name]) / customers if customers else 0.0,
                    seconds,
                    estimate(connection, one, audiences, run.as_of),
                    tuple(_unseen(connection, one)),
                    tuple(
                        estimate(connection, one, audiences, run.as_of, start)
                        for start in (range(STEP) if all_samples else ())
                    ),
                )
            )
    return Previews(customers, tuple(shown), tuple(overlaps(held, names)), left_out)


def overlaps(held: Mapping[str, frozenset[str]], names: Sequence[str] = ()) -> list[Overlap]:
    """Every pair of audiences, or those with one of `names`, that have a customer in common; the closest first."""
    ordered = sorted(held)
    found = []
    for place, one in enumerate(ordered):
        for other in ordered[place + 1 :]:
            if names and one not in names and other not in names:
                continue
            both = len(held[one] & held[other])
            if both:
                found.append(Overlap(one, other, both, both / len(held[one] | held[other])))
    return sorted(found, key=lambda pair: (-pair.jaccard, pair.one, pair.other))


def estimate(
    connection: duckdb.DuckDBPyConnection,
    audience: Audience,
    audiences: Sequence[Audience],
    as_of: date,
    start: int = 0,
) -> Estimate:
    """The size as a tenth of the customers tells it, with a 95 % interval; events of no other customer are read.

    Tags and portraits are a table of one row per customer: what they decide is counted, not estimated. Of the customers
    whom only events decide, as many are drawn as a tenth of all: in the order of how often and how long ago they
    ordered every so manieth, beginning with the one at `start`, so that each kind of customer is in the sample as often
    as in the home (systematic sampling; its variance is that of successive differences: Wolter, Introduction to
    Variance Estimation, 2007, chapter 8).
    """
    began = time.perf_counter()
    others = {one.name: one for one in audiences}
    decided = [replace(audience, who=without_events(audience.who, others, holds)) for holds in (False, True)]
    certain, possible = (_ids(connection, build.members(one, audiences, as_of)) for one in decided)
    ordered = connection.execute(
        "select customer_id from profiles.customer_profiles where as_of = ? and customer_id = any(?)"
        " order by frequency_quintile, recency_days, net_spend, customer_id",
        [as_of, sorted(possible - certain)],
    ).fetchall()
    customers = connection.execute(f"select count(*) from ({build.portraits(as_of)}) as all_portraits").fetchall()[0][0]
    step = max(1, round(STEP * len(ordered) / customers)) if customers else 1
    drawn = [row[0] for row in ordered[start % step :: step]]
    listed = ", ".join(f"({literal(customer)})" for customer in drawn)
    sample = f"    select customer_id from (values {listed}) as drawn (customer_id)"
    inside = _ids(connection, build.members(audience, audiences, as_of, sample)) if drawn else frozenset()
    return sized(len(certain), len(ordered), [one in inside for one in drawn], time.perf_counter() - began)


def without_events(condition: Condition, others: Mapping[str, Audience], holds: bool) -> Condition:
    """The condition when those on events turn out so as to make it as true (`holds`) or as false as it can be."""
    match condition:
        case All(parts):
            return All(tuple(without_events(part, others, holds) for part in parts))
        case Any(parts):
            return Any(tuple(without_events(part, others, holds) for part in parts))
        case Not(part):
            return Not(without_events(part, others, not holds))
        case Member(name):
            return without_events(others[name].who, others, holds)
        case Happened() | Followed():
            return All(()) if holds else Any(())
        case _:
            return condition


def sized(certain: int, undecided: int, hits: Sequence[bool], seconds: float = 0.0) -> Estimate:
    """The estimate: the customers who are in it for certain, and of the undecided what the sample says.

    `hits` are the sample's answers in the order drawn; a sample of all the undecided has no error.
    """
    count = len(hits)
    if count == undecided:
        return Estimate(certain + sum(hits), certain + sum(hits), certain + sum(hits), seconds)
    share = sum(hits) / count
    steps = sum((one - other) ** 2 for one, other in pairwise(hits))
    variance = (1 - count / undecided) * steps / (2 * count * (count - 1)) if count > 1 else 0
    # nobody, or everybody: the rule of three bounds what the sample may have missed
    margin = (_SURE * math.sqrt(variance) if variance else min(1.0, 3 / count)) * undecided
    size, found = share * undecided, sum(hits)
    return Estimate(
        certain + size,
        certain + max(size - margin, found),
        certain + min(size + margin, undecided - count + found),
        seconds,
    )


def _ids(connection: duckdb.DuckDBPyConnection, query: str) -> frozenset[str]:
    return frozenset(row[0] for row in connection.execute(query).fetchall())


def _unseen(connection: duckdb.DuckDBPyConnection, audience: Audience) -> list[str]:
    """Values that the audience asks for and that no event has, such as a category that is spelled otherwise."""
    found = []
    for leaf in leaves(audience.who):
        patterns: tuple[Pattern, ...] = ()
        if isinstance(leaf, Happened):
            patterns = (leaf.pattern,)
        elif isinstance(leaf, Followed):
            patterns = (leaf.first, leaf.then)
        for pattern in patterns:
            for column, bounds in pattern.where:
                if not bounds.values or not isinstance(bounds.values[0], str):
                    continue
                seen = {
                    row[0]
                    for row in connection.execute(
                        f"select distinct {column} from ({EVENTS[pattern.event].rows}) as seen"
                        f" where {column} in ({', '.join('?' * len(bounds.values))})",
                        list(bounds.values),
                    ).fetchall()
                }
                found += [f"{column} {value}" for value in bounds.values if value not in seen]
    return list(dict.fromkeys(found))
