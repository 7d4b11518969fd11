"""The views that all checks of the suite rest on: accepted rows, refused records, and each file by both."""

from __future__ import annotations

from pathlib import Path

from expectations.checks import quoted
from expectations.duckdb_engine import Database
from huaxiang.tables import Home


def landed_view(database: Database, landing: Path, table: str, known_at: str) -> None:
    """`landed_<table>`: accepted rows known at K. Landing leaves an empty file of each table, so one is there."""
    files = quoted(landing / "*" / table / "load_date=*" / "*.parquet")
    database.run(
        f"""
        create view landed_{table} as
        select * from read_parquet({files}, hive_partitioning = false) where load_date <= {known_at}
        """
    )


def quarantined_view(database: Database, home: Home, known_at: str) -> None:
    """`quarantined`: how many records of each file are still refused. Only counts: no raw text is read."""
    from huaxiang.landing.quarantine import open_records_sql

    nothing = "select ''::varchar as source_name, '' as table_name, '' as file_id, null::date as load_date where false"
    source = open_records_sql(home) or nothing
    database.run(
        f"""
        create table quarantined as
        select source_name, table_name, file_id, count(*) as rows
        from ({source})
        where load_date <= {known_at}
        group by all
        """
    )


def files_view(database: Database, tables: list[str]) -> None:
    """`files`: one row per file and table, what the ledger says of it beside what lies in Parquet."""
    counts = [
        f"""
        select
            source_name,
            {quoted(table)} as table_name,
            file_id,
            any_value(load_date) as load_date,
            count(*) as rows,
            {"sum(net_amount)" if table == "order_lines" else "null::decimal(38, 2)"} as net
        from landed_{table}
        group by all
        """
        for table in tables
    ]
    nothing = "select * from quarantined, (select null::date as load_date, null::decimal(38, 2) as net) where false"
    database.run(f"create table landed as {' union all by name '.join(counts or [nothing])}")
    database.run(
        """
        create table files as
        with

        said as (
            select
                source_name,
                table_name,
                file_id,
                any_value(file_name) as file_name,
                max(load_date) as load_date,
                min(call_number) as call_number,
                max(records_in) as records_in,
                sum(records) as records_out,
                coalesce(sum(records) filter (where outcome = 'accepted'), 0) as accepted,
                coalesce(sum(records) filter (where outcome = 'quarantined'), 0) as refused,
                coalesce(sum(net_amount) filter (where outcome = 'accepted'), 0) as net
            from ledger
            where outcome != 'duplicate_file'
            group by all
        ),

        found as (
            select
                source_name,
                table_name,
                file_id,
                landed.load_date,
                coalesce(landed.rows, 0) as landed_rows,
                coalesce(landed.net, 0) as landed_net,
                coalesce(quarantined.rows, 0) as refused_rows
            from landed
            full outer join quarantined using (source_name, table_name, file_id)
        ),

        files as (
            select
                source_name,
                table_name,
                file_id,
                coalesce(said.file_name, file_id || ' (not in the ledger)') as file_name,
                coalesce(said.load_date, found.load_date) as load_date,
                said.call_number,
                coalesce(said.records_in, 0)::bigint as records_in,
                coalesce(said.records_out, 0)::bigint as records_out,
                coalesce(said.accepted, 0)::bigint as accepted,
                coalesce(said.refused, 0)::bigint as refused,
                coalesce(said.net, 0)::decimal(38, 2) as net,
                coalesce(found.landed_rows, 0)::bigint as landed_rows,
                coalesce(found.landed_net, 0)::decimal(38, 2) as landed_net,
                coalesce(found.refused_rows, 0)::bigint as refused_rows
            from said
            full outer join found using (source_name, table_name, file_id)
        )

        select
            *,
            format(
                '{}/{}/load_date={}/{}.parquet', source_name, table_name, coalesce(load_date::varchar, '*'), file_id
            ) as parquet
        from files
        """
    )
