"""The views that the landing suite checks: the ledger, the landed and the refused rows, as known on the day K."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from expectations.checks import quoted
from expectations.duckdb_engine import Database
from huaxiang.errors import MissingPartition
from huaxiang.gate_limits import GateLimits
from huaxiang.landing.arrivals import Arrival, State, activity_table, arrivals
from huaxiang.settings import Run, Settings
from huaxiang.tables import Home

# Of the tables that say what customers do, the columns that are never empty, and those that point to another table and
# may be empty.
_KEYS = {
    "order_lines": (("order_line_id", "order_id", "customer_id", "ordered_at"), ("product_id", "store_id")),
    "events": (("event_id", "customer_id", "occurred_at", "event_type"), ("product_id",)),
    "identifiers": (("customer_id", "kind", "value"), ()),
}


@dataclass(frozen=True)
class Intake:
    """What has landed by the day K: which checks make sense depends on it.

    `activity` is the table that is watched day by day, `keys` its columns that are never empty, `links` those that this
    home fills, `is_covered` says whether its products can be looked up.
    """

    activity: str
    keys: tuple[str, ...]
    links: tuple[str, ...]
    is_covered: bool
    has_money: bool


def prepare(database: Database, settings: Settings, run: Run) -> Intake:
    """Create the views. Raises MissingPartition when nothing was ever landed."""
    home, known_at = settings.home, quoted(run.known_at)
    if not any(home.ledger.glob("*.parquet")):
        raise MissingPartition(f"ledger: nothing has been landed: run 'huaxiang landing --as-of {run.as_of}' first")
    ledger = f"read_parquet({quoted(home.ledger / '*.parquet')}, union_by_name = true)"
    database.run(f"create table ledger as select * from {ledger} where load_date <= {known_at}")
    tables = [name for (name,) in database.rows("select distinct table_name from ledger order by 1")]
    activity = activity_table(tables)
    for table in sorted({*tables, activity}):
        _landed(database, home.landing, table, known_at)
    _quarantined(database, home, known_at)
    _files(database, [table for table in tables if database.columns(f"landed_{table}")])
    _arrivals(database, arrivals(settings, run.known_at))
    _newest_day(database, activity, settings.gates, known_at)
    _refusals(database, settings.gates)
    _balances(database)
    has_products = "products" in tables
    _arrived(database, activity, has_products)
    keys, links = _KEYS[activity]
    said = ", ".join(f"count({link}) > 0" for link in links)
    filled = database.row(f"select {said} from landed_{activity}") if links else ()
    return Intake(
        activity=activity,
        keys=keys,
        links=tuple(link for link, is_filled in zip(links, filled, strict=True) if is_filled),
        is_covered=has_products,
        has_money="order_lines" in tables,
    )


def _landed(database: Database, landing: Path, table: str, known_at: str) -> None:
    """`landed_<table>`: accepted rows known at K. Landing leaves an empty file of each table, so one is there."""
    files = quoted(landing / "*" / table / "load_date=*" / "*.parquet")
    database.run(
        f"""
        create view landed_{table} as
        select * from read_parquet({files}, hive_partitioning = false) where load_date <= {known_at}
        """
    )


def _quarantined(database: Database, home: Home, known_at: str) -> None:
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


def _files(database: Database, tables: list[str]) -> None:
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


def _arrivals(database: Database, found: list[Arrival]) -> None:
    """`arrivals`: one row per source and table, what it brought on the day K."""
    database.run(
        "create table arrivals (table_name varchar, state varchar, is_amiss integer, said varchar,"
        " failing_rows bigint, place varchar)"
    )
    for one in found:
        said = f"{one.table_name} of {one.source_name} is {one.state} on {one.load_date}: {one.said}"
        values = f"{quoted(one.table_name)}, {quoted(one.state)}, {int(one.is_amiss)}, {quoted(said)}, null, null"
        database.run(f"insert into arrivals values ({values})")


def _newest_day(database: Database, activity: str, limits: GateLimits, known_at: str) -> None:
    """`volume` and `freshness`: one row each, of the newest day that a drop was taken for."""
    database.run(
        f"""
        create table newest_day as
        with

        days as (
            select load_date, sum(accepted)::bigint as accepted, sum(records_in)::bigint as records_in
            from (
                select load_date, accepted, records_in from files where table_name = '{activity}'
                union all
                -- Empty files are alike: the second is booked as a repetition, and is the drop of its day all the same.
                select load_date, 0, 0 from ledger
                where table_name = '{activity}' and outcome = 'duplicate_file' and records_in = 0
            )
            group by all
        ),

        newest as (select * from days order by load_date desc limit 1),

        before as (
            select days.accepted
            from days, newest
            where days.load_date < newest.load_date and days.accepted > 0
            order by days.load_date desc
            limit {limits.usual_days}
        )

        select
            (select load_date from newest) as load_date,
            coalesce((select accepted from newest), 0) as accepted,
            coalesce((select records_in from newest), 0) as records_in,
            (select median(accepted) from before) as usual,
            (select max(load_date) from days where accepted > 0) as last_accepted_on,
            'landing/*/{activity}/load_date=' || coalesce((select load_date::varchar from newest), '*') as place,
            {_words_of(activity, State.EMPTY_UNEXPECTED)} as emptiness,
            {_words_of(activity, State.MISSING)} as absence
        """
    )
    database.run(
        """
        create view volume as
        select
            accepted,
            coalesce(accepted / nullif(usual, 0), 1.0) as ratio,
            case
                when load_date is null then 'no drop has been taken'
                else format('{:,} of {:,} records accepted on {}', accepted, records_in, load_date::varchar)
            end
                || coalesce(format(', {:,} on a usual day', round(usual)::bigint), '')
                || emptiness as said,
            records_in - accepted as failing_rows,
            place
        from newest_day
        """
    )
    database.run(
        f"""
        create view freshness as
        select
            -- Nothing at all is as far behind as can be told.
            coalesce({known_at}::date - last_accepted_on, 99999) as days_behind,
            case
                when last_accepted_on is null then 'nothing has been accepted'
                else format('the newest accepted rows are from {{}}', last_accepted_on::varchar)
            end
                || absence as said,
            null::bigint as failing_rows,
            place
        from newest_day
        """
    )


def _words_of(table: str, state: State) -> str:
    """SQL for what is said of the table where it is in that state, '' where it is not."""
    said = f"select string_agg(said, ', ') from arrivals where table_name = {quoted(table)} and state = {quoted(state)}"
    return f"coalesce('; ' || ({said}), '')"


def _refusals(database: Database, limits: GateLimits) -> None:
    """`refusals`: one row per source and table of the newest landing call that took anything."""
    database.run(
        f"""
        create table refusals as
        with

        newest as (
            select
                source_name,
                table_name,
                sum(refused)::bigint as refused,
                sum(records_in)::bigint as records_in,
                count(*) filter (where refused > 0) as files,
                max_by(parquet, refused) as worst_file
            from files
            where call_number = (select max(call_number) from files)
            group by source_name, table_name
        )

        select
            refused / records_in as share,
            -- A few records say little about a share: a warning tells of them, only more of them stop a run.
            case when refused >= {limits.refused_critical_records} then refused / records_in else 0 end
                as share_of_many,
            format(
                '{{}} of {{}}: {{:,}} of {{:,}} records refused ({{:.2f}} %)',
                table_name, source_name, refused, records_in, 100 * refused / records_in
            ) as said,
            refused as failing_rows,
            'quarantine/' || worst_file
                || case when files > 1 then format(' and {{}} more files', files - 1) else '' end as place
        from newest
        where records_in > 0
        """
    )


@dataclass(frozen=True)
class _Balance:
    """Two columns of `files` that must be equal, their words and the folder to look in."""

    view: str
    said: str
    found: str
    said_word: str
    found_word: str
    folder: str
    is_money: bool = False


_BALANCES = (
    _Balance("records_balance", "records_in", "records_out", "records in", "accepted or refused", "landing"),
    _Balance("rows_balance", "accepted", "landed_rows", "accepted in the ledger", "rows landed", "landing"),
    _Balance("refused_balance", "refused", "refused_rows", "refused in the ledger", "rows in quarantine", "quarantine"),
    _Balance("money_balance", "net", "landed_net", "net amount in the ledger", "landed", "landing", is_money=True),
)


def _balances(database: Database) -> None:
    """One view per balance, one row per file. Money that differs says how many rows differ, if any."""
    for balance in _BALANCES:
        figure, kind = ("{:,.2f}", "double") if balance.is_money else ("{:,}", "bigint")
        text = f"{{}}: {balance.said_word} {figure}, {balance.found_word} {figure}"
        rows = "accepted - landed_rows" if balance.is_money else f"{balance.said} - {balance.found}"
        database.run(
            f"""
            create view {balance.view} as
            select
                {balance.said},
                {balance.found},
                format('{text}', file_name, {balance.said}::{kind}, {balance.found}::{kind}) as said,
                abs({rows})::bigint as failing_rows,
                '{balance.folder}/' || parquet as place
            from files
            """
        )


def _arrived(database: Database, activity: str, has_products: bool) -> None:
    """`arrived`: the activity rows of the newest landing call.

    `known_product` is empty where the product list lacks the row's product; a row that names none is not its concern.
    """
    known, products = "null::varchar", ""
    if has_products:
        known = "case when arrived.product_id is null then 'none named' else products.product_id end"
        products = "left join (select distinct product_id from landed_products) as products using (product_id)"
    database.run(
        f"""
        create view arrived as
        select arrived.*, {known} as known_product
        from landed_{activity} as arrived
        {products}
        where file_id in (select file_id from files where call_number = (select max(call_number) from files))
        """
    )
