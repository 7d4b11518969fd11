"""The rules that are worth reading: of what is bought together, the strongest and the most frequent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from huaxiang.report.products import categories
from huaxiang.report.tables import BuildTables

STRONGEST, MOST_FREQUENT = 30, 30


@dataclass(frozen=True)
class Rule:
    """Of `antecedent_count` orders `both_count` have the consequent too; `by_chance` is how many would by chance.

    `leverage` is the share of all orders beyond chance.

    `of` and `then_of` name the categories of both, empty where they are not known.
    """

    antecedent: str
    consequent: str
    antecedent_count: int
    both_count: int
    by_chance: float
    support: float
    lift: float
    leverage: float
    of: str
    then_of: str


@dataclass(frozen=True)
class Rules:
    """The rules shown, the strongest first, and what they were found in. `largest_p_value` is of all rules."""

    shown: tuple[Rule, ...]
    total: int
    orders: int
    from_on: date
    to_on: date
    largest_p_value: float


def rules(tables: BuildTables) -> Rules | None:
    """None where there are none.

    The same product types make several rules (with bread milk, with milk bread): the surest direction stands for all.
    """
    if not tables.has("rules"):
        return None
    [sums] = tables.rows(
        "select count(*) as total, max(order_count) as orders, min(from_on) as from_on, max(to_on) as to_on, "
        "max(p_value) as largest_p_value from rules"
    )
    if not sums["total"]:
        return None
    rows = tables.rows(
        """
        with
        surest as (
            select *
            from rules
            qualify row_number() over (
                partition by list_sort(list_append(string_split(antecedent, ' + '), consequent))
                order by confidence desc, antecedent, consequent
            ) = 1
        ),
        placed as (
            select
                *,
                row_number() over (order by lift desc, both_count desc, antecedent, consequent) as by_lift,
                row_number() over (order by both_count desc, lift desc, antecedent, consequent) as by_support
            from surest
        )
        select
            antecedent,
            consequent,
            antecedent_count,
            both_count,
            antecedent_count::double * consequent_count / order_count as by_chance,
            support,
            lift,
            leverage
        from placed
        where by_lift <= $1 or by_support <= $2
        order by by_lift
        """,
        STRONGEST,
        MOST_FREQUENT,
    )
    known = categories(tables)

    def named(types: str) -> str:
        return ", ".join(dict.fromkeys(known[name] for name in types.split(" + ") if name in known))

    shown = (Rule(**row, of=named(row["antecedent"]), then_of=named(row["consequent"])) for row in rows)
    return Rules(tuple(shown), **sums)
