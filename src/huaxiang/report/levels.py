"""One portrait at three levels: everybody, each segment, each person; the same figures from the same tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from huaxiang.errors import BrokenConservation
from huaxiang.report import words
from huaxiang.report.tables import BuildTables
from huaxiang.tags import load_tags

FIGURES = ("customers", "orders", "order_lines", "net_spend")
GLANCE = ("lifecycle", "value_tier", "churn_risk", "visit_frequency")  # tags shown first, where the home has them
_COLUMNS = {"orders": "order_count", "order_lines": "line_count", "net_spend": "net_spend"}
_MOST_VALUES = 8  # of a tag; the others are counted together
_KINDS = {"fact": "Facts", "rule": "Rules", "model": "Models", "manual": "By hand"}


@dataclass(frozen=True)
class Totals:
    """Sums over some customers. `group_id` is a segment's number, or 'all'."""

    group_id: str
    customers: int
    orders: int
    order_lines: int
    net_spend: Decimal


@dataclass(frozen=True)
class Levels:
    """What persons, segments and everybody add up to. No segments where the home has none."""

    persons: Totals
    segments: tuple[Totals, ...]
    population: Totals

    @property
    def together(self) -> Totals | None:
        """The segments' sum."""
        if not self.segments:
            return None
        return Totals("all", *(sum(getattr(one, name) for one in self.segments) for name in FIGURES))


@dataclass(frozen=True)
class Spread:
    """A tag's values and how many customers have each, the most frequent first: of everybody and of each segment.

    `others` are the values that are not listed and the customers who have one of them.
    """

    tag: str
    title: str
    description: str
    group: str
    customers: int
    values: tuple[tuple[str, int], ...]
    others: tuple[int, int]
    by_segment: dict[int, dict[str, int]]


@dataclass(frozen=True)
class Interest:
    """A category and how many customers have it among their top interests."""

    category: str
    customers: int
    by_segment: dict[int, int]


def levels(tables: BuildTables) -> Levels:
    """The totals of all levels. Raises BrokenConservation naming the first figure that does not add up."""
    told = tables.rows("select level, * exclude (level, as_of) from portrait_levels order by level, group_id")
    found = {level: [_totals(row) for row in told if row["level"] == level] for level in ("population", "segment")}
    [population] = found["population"]
    sums = ", ".join(
        f"coalesce(sum({column}), 0) as {name}" if tables.has("customer_profiles", column) else f"0 as {name}"
        for name, column in _COLUMNS.items()
    )
    [row] = tables.rows(f"select 'all' as group_id, count(*) as customers, {sums} from customer_profiles")
    made = Levels(_totals(row), tuple(sorted(found["segment"], key=lambda one: int(one.group_id))), population)
    for name in FIGURES:
        asked = [
            (level, getattr(of, name)) for level, of in (("persons", made.persons), ("segments", made.together)) if of
        ]
        for level, figure in asked:
            if figure != getattr(population, name):
                raise BrokenConservation(
                    f"profiles/portrait_levels.parquet: {words.plain(name)} of all {level} are {figure:,}, of "
                    f"everybody {getattr(population, name):,}; run 'huaxiang profiles --as-of {tables.run.as_of}' again"
                )
    return made


def spreads(tables: BuildTables) -> tuple[Spread, ...]:
    """Every tag of the home, those of `GLANCE` first, then by group and title."""
    if not tables.has("customer_tags"):
        return ()
    rows = tables.rows(
        f"""
        select tag, value, any_value(source) as source, {_segment(tables)} as segment_id, count(*) as customers
        from customer_tags
        left join customer_profiles using (customer_id)
        group by tag, value, {_segment(tables)}
        order by tag, value, segment_id
        """
    )
    said = {tag.name: tag for tag in load_tags(tables.settings)}
    by_tag: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_tag[row["tag"]].append(row)
    found = [_spread(tag, of, said.get(tag)) for tag, of in by_tag.items()]
    places = {name: place for place, name in enumerate(GLANCE)}
    return tuple(sorted(found, key=lambda one: (places.get(one.tag, len(places)), one.group, one.title)))


def interests(tables: BuildTables, shown: int) -> tuple[Interest, ...]:
    """The categories most customers have among their top interests."""
    if not tables.has("customer_interests"):
        return ()
    rows = tables.rows(
        f"""
        select category, {_segment(tables)} as segment_id, count(distinct customer_id) as customers
        from customer_interests
        left join customer_profiles using (customer_id)
        group by category, {_segment(tables)}
        order by category, segment_id
        """
    )
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for row in rows:
        found[row["category"]][row["segment_id"]] = row["customers"]
    made = [Interest(words.visible(category), sum(of.values()), of) for category, of in found.items()]
    return tuple(sorted(made, key=lambda one: (-one.customers, one.category))[:shown])


def _totals(row: dict[str, Any]) -> Totals:
    customers, orders, lines = (int(row[name]) for name in ("customers", "orders", "order_lines"))
    return Totals(row["group_id"], customers, orders, lines, Decimal(row["net_spend"]))


def _segment(tables: BuildTables) -> str:
    return "customer_profiles.segment_id" if tables.has("customer_profiles", "segment_id") else "null::bigint"


def _spread(tag: str, rows: list[dict[str, Any]], said: Any) -> Spread:
    counted: dict[str, int] = defaultdict(int)
    by_segment: dict[int, dict[str, int]] = defaultdict(dict)
    for row in rows:
        counted[row["value"]] += row["customers"]
        by_segment[row["segment_id"]][row["value"]] = row["customers"]
    # A tag that declares its values has an order of its own, such as from the top fifth to the lowest.
    declared = {value: place for place, value in enumerate(getattr(said, "values", None) or ())}
    values = sorted(counted.items(), key=lambda item: (declared.get(item[0], len(declared)), -item[1], item[0]))
    listed, rest = values[:_MOST_VALUES], values[_MOST_VALUES:]
    return Spread(
        tag=tag,
        title=words.visible(said.title if said else words.plain(tag).capitalize()),
        description=words.visible(said.description if said else ""),
        group=group_of(said, rows[0]["source"]),
        customers=sum(counted.values()),
        values=tuple(listed),
        others=(len(rest), sum(customers for _, customers in rest)),
        by_segment=dict(by_segment),
    )


def group_of(tag: Any, kind: str) -> str:
    """Under which head a tag stands: the first part of its place in the tree, else what kind it is."""
    tree = getattr(tag, "tree", "") or ""
    return str(tree).partition("/")[0].capitalize() or _KINDS.get(kind, words.visible(kind))
