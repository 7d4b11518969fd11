"""The views that the profiles suite checks: the run's exported tables, and the landed rows they must agree with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from expectations.checks import quoted
from expectations.duckdb_engine import Database
from huaxiang.drift.daily import FILE, read
from huaxiang.errors import MissingPartition
from huaxiang.release.store import latest_before
from huaxiang.settings import Run, Settings
from huaxiang.tables import RELEASED, ReleasedTable


@dataclass(frozen=True)
class Portraits:
    """What the run has built: which checks make sense depends on it. `columns` are those of each table there is."""

    as_of: date
    tables: tuple[ReleasedTable, ...]
    columns: dict[str, tuple[str, ...]]
    has_money: bool
    has_drift: bool = False
    has_new_categories: bool = False

    def has(self, table: str, column: str) -> bool:
        return column in self.columns.get(table, ())


def prepare(database: Database, settings: Settings, run: Run) -> Portraits:
    """Create the views. Raises MissingPartition when the run has no profiles yet."""
    build = settings.home.build(run.id)
    tables = tuple(table for table in RELEASED if (build / table.path).exists())
    for table in tables:
        database.run(f"create view {table.name} as select * from read_parquet({quoted(build / table.path)})")
    columns = {table.name: database.columns(table.name) for table in tables}
    if "customer_profiles" in columns:
        _buyers(database, columns["customer_profiles"])
    if "customer_profiles" not in columns:
        raise MissingPartition(
            f"{run.id}: there are no profiles to check: run 'huaxiang profiles --as-of {run.as_of}' first"
        )
    _volume(database, settings, run)
    _freshness(database, run, columns["customer_profiles"])
    if "customer_tags" in columns:
        _tags(database)
    if "segments" in columns:
        _segments(database)
    if "portrait_levels" in columns and "net_spend" in columns["customer_profiles"]:
        _levels(database, columns["customer_profiles"])
    if "customer_attributes" in columns:
        _attributes(database)
    if "customer_vectors" in columns:
        _vectors(database)
    lines = "*/order_lines/load_date=*/*.parquet"
    has_money = "net_spend" in columns["customer_profiles"] and any(settings.home.landing.glob(lines))
    if has_money:
        _balances(database, settings, run, lines)
    purchases = settings.home.inputs(run.id) / "purchases.parquet"
    has_new_categories = "customer_new_categories" in columns and purchases.exists()
    if has_new_categories:
        _new_categories(database, purchases)
    return Portraits(
        as_of=run.as_of,
        tables=tables,
        columns=columns,
        has_money=has_money,
        has_drift=_drift(database, build),
        has_new_categories=has_new_categories,
    )


_PROFILES = "profiles/customer_profiles.parquet"


def _volume(database: Database, settings: Settings, run: Run) -> None:
    """`volume`: the number of customers beside that of the latest release of an earlier day."""
    earlier = latest_before(settings, run.as_of)
    before, named = "null::bigint", ""
    if earlier:
        before = f"(select count(*) from read_parquet({quoted(earlier / _PROFILES)}))"
        named = earlier.name
    database.run(
        f"""
        create table volume as
        with figures as (select count(*) as customers, {before} as earlier from customer_profiles)
        select
            customers,
            coalesce(greatest(earlier - customers, 0) / nullif(earlier, 0), 0.0) as lost_share,
            format('{{:,}} customers', customers)
                || coalesce(format(', {{:,}} in release {named}', earlier), ', no earlier release') as said,
            coalesce(greatest(earlier - customers, 0), 0)::bigint as failing_rows,
            {quoted(_PROFILES)} as place
        from figures
        """
    )


def _buyers(database: Database, columns: tuple[str, ...]) -> None:
    """`buyers`: the portraits of customers with an order; of who only came to look nothing of orders is told."""
    condition = "order_count is not null" if "order_count" in columns else "true"
    database.run(f"create view buyers as select * from customer_profiles where {condition}")


def _freshness(database: Database, run: Run, columns: tuple[str, ...]) -> None:
    """`freshness`: days from the newest order (where there are none, visit) of any customer to the end of the day."""
    newest, what = ("last_order_on", "order") if "last_order_on" in columns else ("last_visit_on", "visit")
    database.run(
        f"""
        create table freshness as
        select
            -- Nothing at all is as far behind as can be told.
            coalesce({quoted(run.as_of)}::date - max({newest}), 99999) as days_behind,
            coalesce('the newest {what} is of ' || max({newest})::varchar, 'there is no {what}') as said,
            null::bigint as failing_rows,
            {quoted(_PROFILES)} as place
        from customer_profiles
        """
    )


def _tags(database: Database) -> None:
    """`tags_per_customer`: one row per customer of the portraits."""
    database.run(
        """
        create view tags_per_customer as
        select customer_profiles.customer_id, count(customer_tags.tag) as tags
        from customer_profiles
        left join customer_tags using (customer_id)
        group by all
        """
    )


def _segments(database: Database) -> None:
    """`segment_sizes`: the share of each segment in all customers."""
    database.run(
        """
        create table segment_sizes as
        select
            customer_count / nullif(sum(customer_count) over (), 0) as customer_share,
            format(
                'segment {}: {:,} of {:,} customers ({:.2f} %)',
                segment_id, customer_count, (sum(customer_count) over ())::bigint,
                (100 * customer_count / nullif(sum(customer_count) over (), 0))::double
            ) as said,
            customer_count::bigint as failing_rows,
            'segments/customer_segments.parquet' as place
        from segments
        """
    )


def _drift(database: Database, build: Path) -> bool:
    """`drift`: how far each feature, score and dimension has moved since its models are in use; whether it is known."""
    found = read(build)
    rows = ", ".join(
        f"({one.psi}, {quoted(f'{one.kind} {one.name}: {one.psi:.3f} since {one.reference_on}')})" for one in found
    )
    if rows:
        database.run(
            f"""
            create table drift as
            select psi, said, null::bigint as failing_rows, {quoted(FILE)} as place
            from (values {rows}) as drifts(psi, said)
            """
        )
    return bool(rows)


# Figures of the levels, and what they are in the portraits: the column summed over (None: the rows counted).
_LEVEL_FIGURES = {"customers": None, "orders": "order_count", "order_lines": "line_count", "net_spend": "net_spend"}


def _levels(database: Database, there: tuple[str, ...]) -> None:
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


def _attributes(database: Database) -> None:
    """`attributes_apart`: the rows in which declared and inferred values are not kept apart."""
    database.run(
        """
        create table attributes_apart as
        with rows as (
            select
                case
                    when declared_value is not null then 'declared'
                    when inferred_value is not null then 'inferred'
                    else 'unknown'
                end = status
                and (declared_value is null or inferred_value is null)
                and (inferred_value is null) = (confidence is null)
                and coalesce(confidence between 0 and 1, true) as is_apart
            from customer_attributes
        )
        select
            count(*) filter (where not is_apart) as mixed_rows,
            format('{:,} of {:,} rows', count(*) filter (where not is_apart), count(*)) as said,
            (count(*) filter (where not is_apart))::bigint as failing_rows,
            'attributes/customer_attributes.parquet' as place
        from rows
        """
    )


def _vectors(database: Database) -> None:
    """`vectors_whole`: buyers who lack a vector, a dimension or a number, or whose model is not that of most."""
    database.run(
        """
        create table vectors_whole as
        with customers as (
            select
                customer_id,
                count(distinct dimension) filter (where isfinite(value)) = (
                    select count(distinct dimension) from customer_vectors
                )
                and count(distinct model_fingerprint) = 1
                and min(model_fingerprint) = (select mode(model_fingerprint) from customer_vectors) as is_whole
            from (select customer_id from buyers union select customer_id from customer_vectors)
            left join customer_vectors using (customer_id)
            group by customer_id
        )
        select
            count(*) filter (where is_whole is not true) as broken_customers,
            format('{:,} of {:,} customers', count(*) filter (where is_whole is not true), count(*)) as said,
            (count(*) filter (where is_whole is not true))::bigint as failing_rows,
            'vectors/customer_vectors.parquet' as place
        from customers
        """
    )


def _new_categories(database: Database, purchases: Path) -> None:
    """`new_categories`: rows of a category that the customer bought or that is listed twice, or of a false count."""
    database.run(
        f"""
        create table new_categories as
        with bought as (
            select distinct customer_id, category, true as is_bought from read_parquet({quoted(purchases)})
        ),
        rows as (
            select
                coalesce(bought.is_bought, false)
                or coalesce(both_count > because_count, false)
                or count(*) over (partition by customer_id, category) > 1 as is_false
            from customer_new_categories
            left join bought using (customer_id, category)
        )
        select
            count(*) filter (where is_false) as false_rows,
            format('{{:,}} of {{:,}} rows', count(*) filter (where is_false), count(*)) as said,
            (count(*) filter (where is_false))::bigint as failing_rows,
            'categories/customer_new_categories.parquet' as place
        from rows
        """
    )


def _balances(database: Database, settings: Settings, run: Run, lines: str) -> None:
    """`spend_balance`, `lines_balance`, `customers_balance`: the portraits against the landed rows, without staging.

    And `ledger_balance`: the landed rows against the ledger, since rows that vanish after landing vanish on both sides.

    Customers of several sources that are one person are one customer. A line that was delivered again counts as its
    file of the highest rank says; its day is the home's local day.
    """
    from huaxiang.landing.ledger import read_ledger
    from huaxiang.landing.versions import known_files

    known = f"read_parquet({quoted(settings.home.landing / lines)}, hive_partitioning = false)"
    in_force = [
        f"({quoted(one.source_name)}, {quoted(one.file_id)}, {one.file_rank})"
        for one in known_files(read_ledger(settings), run.known_at)
        if one.table_name == "order_lines" and one.file_rank is not None
    ]
    database.run("create table files_in_force (source_name varchar, file_id varchar, file_rank bigint)")
    if in_force:
        database.run(f"insert into files_in_force values {', '.join(in_force)}")
    keys = settings.home.person_keys
    database.run(
        "create table persons as select source_name as person_source, source_customer_id, customer_id from "
        + (
            f"read_parquet({quoted(keys)})"
            if keys.exists()
            else "(select '' as source_name, '' as source_customer_id, '' as customer_id) where false"
        )
    )
    database.run(
        f"""
        create table landed as
        with

        versions as (
            select
                source_name,
                max_by(
                    struct_pack(customer_id, ordered_at, net_amount),
                    (file_rank, record_number)
                ) as line
            from {known} as lines
            inner join files_in_force using (source_name, file_id)
            group by source_name, order_line_id
        )

        select
            count(*) as lines,
            count(distinct (
                persons.customer_id,
                if(persons.customer_id is null, source_name, null),
                if(persons.customer_id is null, line.customer_id, null)
            )) as customers,
            coalesce(sum(line.net_amount), 0)::decimal(38, 2) as spend
        from versions
        left join persons
            on source_name = persons.person_source and line.customer_id = persons.source_customer_id
        where
            cast(timezone({quoted(settings.time_zone)}, timezone('UTC', line.ordered_at)) as date)
            <= {quoted(run.as_of)}
        """
    )
    for figure, portraits, shown, kind in (
        ("spend", "coalesce(sum(net_spend), 0)::decimal(38, 2)", "{:,.2f}", "double"),
        ("lines", "coalesce(sum(line_count), 0)::bigint", "{:,}", "bigint"),
        ("customers", "count(distinct customer_id)", "{:,}", "bigint"),
    ):
        database.run(
            f"""
            create table {figure}_balance as
            with figures as (
                select {portraits} as portraits, (select {figure} from landed) as landed
                from buyers
            )
            select
                portraits,
                landed,
                format('{figure} {shown} in the portraits, {shown} landed', portraits::{kind}, landed::{kind}) as said,
                {"null" if figure == "spend" else "abs(portraits - landed)"}::bigint as failing_rows,
                {quoted(_PROFILES)} as place
            from figures
            """
        )
    database.run(
        f"""
        create table ledger_balance as
        with

        said as (
            select coalesce(sum(records), 0)::bigint as rows
            from read_parquet({quoted(settings.home.ledger / "*.parquet")}, union_by_name = true)
            where table_name = 'order_lines' and outcome = 'accepted' and load_date <= {quoted(run.known_at)}
        ),

        found as (select count(*) as rows from {known} where load_date <= {quoted(run.known_at)})

        select
            said.rows as ledger,
            found.rows as landed,
            format('{{:,}} order lines accepted in the ledger, {{:,}} landed', said.rows, found.rows) as said,
            abs(said.rows - found.rows) as failing_rows,
            'landing/*/order_lines' as place
        from said, found
        """
    )
