"""Are the portraits of the day, are they all there, and have customers come of late?"""

from __future__ import annotations

from expectations.checks import days, percent, quoted, words
from expectations.duckdb_engine import Database
from expectations.profiles.portraits import BUILD_AGAIN, FILE, TABLE, Portraits
from huaxiang.gate_limits import GateLimits
from huaxiang.release.store import latest_before
from huaxiang.settings import Run, Settings


def volume_view(database: Database, settings: Settings, run: Run) -> None:
    """`volume`: the number of customers beside that of the latest release of an earlier day."""
    earlier = latest_before(settings, run.as_of)
    before, named = "null::bigint", ""
    if earlier:
        before = f"(select count(*) from read_parquet({quoted(earlier / FILE)}))"
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
            {quoted(FILE)} as place
        from figures
        """
    )


def volume(limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    said = {"kind": "volume", "view": "volume", "table": TABLE}
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="customers",
            min_value=1,
            severity="critical",
            meta=words(
                name="there_are_portraits",
                expected="at least 1 customer",
                description="A release without customers would empty every audience.",
                next_step="run 'huaxiang features' and look at the customers it counts",
                **said,
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="lost_share",
            max_value=limits.lost_customers_critical_share,
            severity="critical",
            meta=words(
                name="customers_do_not_vanish",
                expected=(
                    f"at most {percent(limits.lost_customers_critical_share)} fewer customers than in the "
                    "latest earlier release"
                ),
                description="A customer who has ever bought keeps a portrait, so a fall means that history was lost.",
                next_step="compare the landed days of the two runs in the ledger; restore what is missing",
                **said,
            ),
        ),
    ]


def freshness_view(database: Database, run: Run, columns: tuple[str, ...]) -> None:
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
            {quoted(FILE)} as place
        from customer_profiles
        """
    )


def freshness(portraits: Portraits, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    of_the_day = gxe.ExpectColumnValuesToBeBetween(
        column="as_of",
        min_value=portraits.as_of,
        max_value=portraits.as_of,
        severity="critical",
        meta=words(
            name="portraits_are_of_the_day",
            kind="freshness",
            view=TABLE,
            table=TABLE,
            expected=f"as_of is {portraits.as_of} in every row",
            description="A portrait of another day, left over from an earlier run, would be released as today's.",
            next_step=BUILD_AGAIN,
            where=FILE,
        ),
    )
    has_orders = portraits.has(TABLE, "last_order_on")
    article, what, done = ("an", "order", "bought") if has_orders else ("a", "visit", "come")
    said = {
        "kind": "freshness",
        "view": "freshness",
        "table": TABLE,
        "description": f"When nobody has {done} for days, {what}s are missing: every customer would look lapsed.",
        "next_step": (
            "look at the landing gate and the newest days in the ledger; rare drops need 'gates: "
            "stale_critical_days' in huaxiang.yml"
        ),
    }
    newest = [
        gxe.ExpectColumnValuesToBeBetween(
            column="days_behind",
            max_value=allowed,
            severity=severity,
            meta=words(
                name=name,
                expected=f"{article} {what} of at most {days(allowed)} before {portraits.as_of}",
                **said,
            ),
        )
        for name, severity, allowed in (
            (f"{what}s_are_not_stale", "critical", limits.stale_critical_days),
            (f"{what}s_are_fresh", "warning", limits.stale_warning_days),
        )
    ]
    return [of_the_day, *newest]
