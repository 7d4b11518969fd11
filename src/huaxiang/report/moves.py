"""What the page of moves tells: who changed segment since the release before, why, and how long segment ids last."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from huaxiang.errors import BrokenConservation
from huaxiang.release.store import releases
from huaxiang.report import glossary, words
from huaxiang.report.flows import Flow
from huaxiang.report.tables import BuildTables, Row

_WITHOUT_FEATURE = {
    "model changed": "segments were found anew; the new ones put there what was elsewhere",
    "new customer": "first order since then",
    "left": "no longer among the customers",
}
NEW, LEFT = "new customers", "no longer there"


@dataclass(frozen=True)
class Balance:
    """One segment: then - gone + come = now. Gone are also those who left, come also new customers."""

    name: str
    then: int
    gone: int
    come: int
    now: int


@dataclass(frozen=True)
class Reason:
    """Customers who made the same move for the same reason; `figures` say each feature's median before and after."""

    source: str
    target: str
    customers: int
    why: str
    figures: str
    example: str


@dataclass(frozen=True)
class Continuity:
    """How many customers known on both days kept their segment id."""

    since: date
    as_of: date
    is_same_model: bool
    version: str
    customers: int
    stayed_share: float | None


def moves(tables: BuildTables) -> list[Row]:
    """One row per customer who moved, with all features of the explanation as lists, by customer."""
    return tables.rows(
        """
        select
            customer_id,
            any_value(from_segment) as from_segment,
            any_value(from_name) as from_name,
            any_value(to_segment) as to_segment,
            any_value(to_name) as to_name,
            any_value(how) as how,
            list(feature order by rank) filter (where feature is not null) as features,
            list(before order by rank) filter (where feature is not null) as before,
            list(after order by rank) filter (where feature is not null) as after
        from segment_moves
        group by customer_id
        order by customer_id
        """
    )


def balances(tables: BuildTables, moved: list[Row], since: dict[str, Any]) -> tuple[Balance, ...]:
    """Every segment of then and now, by id. Raises BrokenConservation when then, moves and now do not add up."""
    then = {int(segment): customers for segment, customers in since["customers"].items()}
    sizes = tables.rows("select segment_id, segment_name, customer_count from segments")
    now = {row["segment_id"]: row["customer_count"] for row in sizes}
    names = {row["from_segment"]: row["from_name"] for row in moved} | {
        row["segment_id"]: row["segment_name"] for row in sizes
    }
    found = tuple(
        Balance(
            name=names.get(segment) or f"segment {segment}",
            then=then.get(segment, 0),
            gone=sum(row["from_segment"] == segment for row in moved),
            come=sum(row["to_segment"] == segment for row in moved),
            now=now.get(segment, 0),
        )
        for segment in sorted({*then, *now})
    )
    for one in found:
        if one.then - one.gone + one.come != one.now:
            raise BrokenConservation(
                f"segments/segment_moves.parquet: {one.then:,} customers then, {one.gone:,} gone and {one.come:,} "
                f"come do not make the {one.now:,} of one segment now; run 'huaxiang models "
                f"--as-of {tables.run.as_of}' again"
            )
    return found


def flows(moved: list[Row]) -> tuple[Flow, ...]:
    """The moves by where they come from and go to, the largest first."""
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for row in moved:
        counted[_source(row), _target(row)] += 1
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Flow(source, target, customers) for (source, target), customers in ordered)


def reasons(moved: list[Row], currency: str) -> tuple[Reason, ...]:
    """The moves by way and reason, the most frequent first."""
    groups: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in moved:
        groups[_source(row), _target(row), why(row)].append(row)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(
        Reason(source, target, len(rows), said, _figures(rows, currency), rows[0]["customer_id"])
        for (source, target, said), rows in ordered
    )


def why(row: Row) -> str:
    """One move's reason in words: `Orders, 91 days fell`."""
    if not row["features"]:
        return _WITHOUT_FEATURE.get(str(row["how"]), str(row["how"]))
    parts = zip(row["features"], row["before"], row["after"], strict=True)
    return words.listed([f"{glossary.term(name).label} {_way(old, new)}" for name, old, new in parts])


def sentence(row: Row, currency: str) -> str:
    """One customer's move: `was in "small baskets": Orders, 91 days fell from 6 to 4`."""
    if row["from_segment"] is None:
        return "first order since then"
    parts = zip(row["features"] or (), row["before"] or (), row["after"] or (), strict=True)
    said = [
        f"{glossary.term(name).label} {_way(old, new)} from {_said(name, old, currency)} "
        f"to {_said(name, new, currency)}"
        for name, old, new in parts
    ]
    return f"was in “{row['from_name']}”: {words.listed(said) if said else why(row)}"


def continuity(tables: BuildTables, card: dict[str, Any]) -> tuple[Continuity, ...]:
    """This run and the kept releases of earlier days that had one before them, the latest first."""
    earlier = [release for release in reversed(releases(tables.settings)) if release.as_of < tables.run.as_of]
    said = [(tables.run.as_of, card)]
    for release in earlier:
        path = release.path / "segments" / "model.json"
        if path.exists():
            said.append((release.as_of, json.loads(path.read_text(encoding="utf-8"))))
    return tuple(
        Continuity(
            since=date.fromisoformat(one["since"]["as_of"]),
            as_of=day,
            is_same_model=one["since"]["is_same_model"],
            version=str(one.get("version", "")),
            customers=one["since"]["customers_in_both"],
            stayed_share=one["since"]["stayed_share"],
        )
        for day, one in said
        if one.get("since")
    )


def _source(row: Row) -> str:
    return NEW if row["from_segment"] is None else row["from_name"]


def _target(row: Row) -> str:
    return LEFT if row["to_segment"] is None else row["to_name"]


def _way(before: float | None, after: float | None) -> str:
    if before is None or after is None:
        return "came to be known" if before is None else "is no longer known"
    return "rose" if after > before else "fell"


def _said(name: str, value: float | None, currency: str) -> str:
    """A figure of the table, which holds doubles, as the customer's page says it: a whole number without decimals."""
    is_whole = value is not None and value == int(value)
    return glossary.say(name, int(value) if is_whole and value is not None else value, currency, mean=not is_whole)


def _figures(rows: list[Row], currency: str) -> str:
    """Each feature's median before and after, over the customers of one reason."""
    said = []
    for place, name in enumerate(rows[0]["features"] or ()):
        old, new = ([row[side][place] for row in rows if row[side][place] is not None] for side in ("before", "after"))
        if old and new:
            ends = (_said(name, median(values), currency) for values in (old, new))
            said.append(" → ".join(ends))
    return "; ".join(said)
