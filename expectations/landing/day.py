"""Did the newest day bring what it should: every table, of the usual size, not too long ago?"""

from __future__ import annotations

from expectations.checks import days, percent, quoted, words
from expectations.duckdb_engine import Database
from expectations.landing.intake import Intake
from huaxiang.gate_limits import GateLimits
from huaxiang.landing.arrivals import Arrival, State


def arrivals_view(database: Database, found: list[Arrival]) -> None:
    """`arrivals`: one row per source and table, what it brought on the day K."""
    database.run(
        "create table arrivals (table_name varchar, state varchar, is_amiss integer, said varchar,"
        " failing_rows bigint, place varchar)"
    )
    for one in found:
        said = f"{one.table_name} of {one.source_name} is {one.state} on {one.load_date}: {one.said}"
        values = f"{quoted(one.table_name)}, {quoted(one.state)}, {int(one.is_amiss)}, {quoted(said)}, null, null"
        database.run(f"insert into arrivals values ({values})")


def arrivals(limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="is_amiss",
            max_value=0,
            severity="warning",
            meta=words(
                name="tables_come_as_usual",
                kind="freshness",
                view="arrivals",
                table="ledger",
                expected=(
                    "of every table that a source maps a file with usable records, unless it is known to come without "
                    f"(a table that brings a file on {percent(limits.daily_share)} of its days brings one every day)"
                ),
                description=(
                    "An empty file looks like a quiet day and may be a broken export; no file looks like a closed shop"
                    " and may be a lost delivery."
                ),
                next_step="ask the source for the file; a holiday needs nothing",
            ),
        )
    ]


def newest_day_views(database: Database, activity: str, limits: GateLimits, known_at: str) -> None:
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


def volume(intake: Intake, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    table = intake.activity
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="accepted",
            min_value=1,
            severity="critical",
            meta=words(
                name="newest_drop_has_rows",
                kind="volume",
                view="volume",
                table=table,
                expected="at least 1 accepted row in the newest day's drops",
                description=(
                    "A drop that came without a single usable row is a fault of the source or of its mapping,"
                    " not a quiet day."
                ),
                next_step=(
                    "look at the reasons in the quarantine, correct the mapping or ask the source to send the day again"
                ),
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="ratio",
            min_value=limits.quiet_ratio,
            max_value=limits.busy_ratio,
            severity="warning",
            meta=words(
                name="newest_drop_is_of_usual_size",
                kind="volume",
                view="volume",
                table=table,
                expected=(
                    f"{limits.quiet_ratio:g} to {limits.busy_ratio:g} times the median of the "
                    f"{limits.usual_days} load days before"
                ),
                description=(
                    "A day with far fewer or far more rows than usual is often half a delivery, or one delivered twice."
                ),
                next_step="ask the source whether the day is complete; a holiday needs nothing",
            ),
        ),
    ]


def freshness(intake: Intake, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    said = {
        "kind": "freshness",
        "view": "freshness",
        "table": intake.activity,
        "description": (
            "Without new rows every customer seems to have stopped buying: recency, churn and segments would be wrong."
        ),
        "next_step": (
            "ask the source for the missing days and run the day again; rare drops need 'gates: "
            "stale_critical_days' in huaxiang.yml"
        ),
    }
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="days_behind",
            max_value=allowed,
            severity=severity,
            meta=words(
                name=name,
                expected=f"accepted rows from at most {days(allowed)} before the day the run knows of",
                **said,
            ),
        )
        for name, severity, allowed in (
            ("drops_are_not_stale", "critical", limits.stale_critical_days),
            ("drops_are_fresh", "warning", limits.stale_warning_days),
        )
    ]
