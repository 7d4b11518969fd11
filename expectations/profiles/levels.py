"""Do persons, segments and the population add up?"""

from __future__ import annotations

from expectations.checks import nothing_in
from expectations.duckdb_engine import Database
from expectations.profiles.portraits import BUILD_AGAIN, TABLE, Portraits

# Figures of the levels, and what they are in the portraits: the column summed over (None: the rows counted).
_LEVEL_FIGURES = {"customers": None, "orders": "order_count", "order_lines": "line_count", "net_spend": "net_spend"}


def levels_view(database: Database, there: tuple[str, ...]) -> None:
    """`level_sums`: the figures of each level and group beside the sums over the single portraits, and the segments'
    sum beside the population.

    Segments are compared one by one: what one has too much and another too little would hide in their sum.
    """
    figures = {name: column for name, column in _LEVEL_FIGURES.items() if column is None or column in there}
    sums = ", ".join(
        f"{'count(*)' if column is None else f'coalesce(sum({column}), 0)'}::decimal(38, 2) as {name}"
        for name, column in figures.items()
    )
    by_segment = f"""
        union all
        select 'segment', segment_id::varchar, {sums} from buyers where segment_id is not null group by all
    """
    told = ", ".join(f"{name}::decimal(38, 2) as {name}" for name in figures)
    names = ", ".join(figures)
    database.run(
        f"""
        create table level_sums as
        with

        persons as (
            select 'population' as level, 'all' as group_id, {sums} from buyers
            {by_segment if "segment_id" in there else ""}
        ),

        levels as (select level, group_id, {told} from portrait_levels),

        sums as (from (unpivot persons on {names} into name figure value amount)),

        told as (from (unpivot levels on {names} into name figure value amount)),

        compared as (
            select
                coalesce(told.figure, sums.figure) as figure,
                coalesce(told.level || ' ' || told.group_id, sums.level || ' ' || sums.group_id) as named,
                told.amount,
                sums.amount as other,
                'the persons' as others
            from told
            full join sums using (level, group_id, figure)

            union all

            select
                figure,
                'population',
                max(amount) filter (where level = 'population'),
                sum(amount) filter (where level = 'segment'),
                'the segments'
            from told
            group by figure
            having count(*) filter (where level = 'segment') > 0
        )

        select
            coalesce(abs(amount - other), greatest(amount, other, 0.01)) as difference,
            format(
                '{{}} of {{}}: {{:,.2f}}, {{}} together: {{:,.2f}}',
                figure, named, coalesce(amount, 0)::double, others, coalesce(other, 0)::double
            ) as said,
            null::bigint as failing_rows,
            'profiles/portrait_levels.parquet' as place
        from compared
        order by difference desc, figure, named, others
        """
    )


def levels(portraits: Portraits) -> list:
    if not (portraits.has("portrait_levels", "net_spend") and portraits.has(TABLE, "net_spend")):
        return []
    return [
        nothing_in(
            "difference",
            name="persons_segments_and_population_add_up",
            kind="reconciliation",
            view="level_sums",
            table="portrait_levels",
            expected="customers, orders, lines and spend: sum over persons = sum over segments = population",
            description=(
                "Three views of the same customers, worked out on three roads: where they differ, a customer is "
                "doubled, lost or in two segments."
            ),
            next_step=BUILD_AGAIN,
        )
    ]
