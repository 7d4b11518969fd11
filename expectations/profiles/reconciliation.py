"""Do the portraits agree with the landed rows, worked out a second time without staging?"""

from __future__ import annotations

from expectations.checks import equal, quoted
from expectations.duckdb_engine import Database
from expectations.profiles.portraits import FILE, TABLE, Portraits
from huaxiang.settings import Run, Settings


def balance_views(database: Database, settings: Settings, run: Run, lines: str) -> None:
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
                {quoted(FILE)} as place
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


def reconciliation(portraits: Portraits) -> list:
    if not portraits.has_money:
        return []
    landed_lines = equal(
        ("ledger", "landed"),
        name="landed_lines_are_all_there",
        view="ledger_balance",
        table="order_lines",
        expected="order lines in landed Parquet = accepted in the ledger",
        description="Rows lost after landing are missing in the portraits and in what they are compared to.",
        next_step="run 'huaxiang landing' again: its gate names the file; restore it from a copy",
    )
    return [landed_lines, *_portraits_against_landed(portraits)]


def _portraits_against_landed(portraits: Portraits) -> list:
    next_step = (
        "run 'huaxiang staging' again; if they still differ, compare the customers' days with landed rows, day by day"
    )
    return [
        equal(
            ("portraits", "landed"),
            name=name,
            view=f"{figure}_balance",
            table=TABLE,
            expected=expected,
            description=description,
            next_step=next_step,
        )
        for name, figure, expected, description in (
            (
                "portraits_hold_all_the_money",
                "spend",
                "sum of net_spend = net amount of the landed lines of local days up to as_of, to the cent",
                "Worked out a second time, from the landed files: nothing was lost, doubled or put on another day.",
            ),
            (
                "portraits_hold_every_line",
                "lines",
                "sum of line_count = landed lines of local days up to as_of",
                "Amounts can agree by chance while lines differ, such as lines of no value.",
            ),
            (
                "portraits_hold_every_customer",
                "customers",
                "customers = different customers in the landed lines of local days up to as_of",
                "Whoever has bought has a portrait of a buyer, and nobody else.",
            ),
        )
        if figure != "lines" or portraits.has(TABLE, "line_count")
    ]
