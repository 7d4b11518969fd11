"""The suite `landing`: what must be true of the data that has come in, before anything is computed from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.checks import days, percent, suite_of, words
from expectations.landing_views import Intake
from huaxiang.gate_limits import GateLimits

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

_LAND_AGAIN = "keep the home as it is, report it with the ledger, and restore the named file from a copy"


def landing(intake: Intake, limits: GateLimits) -> ExpectationSuite:
    """Volume, freshness, share of refused and of empty values, coverage and reconciliation of the landed data."""
    checks = [
        *_volume(intake, limits),
        *_freshness(intake, limits),
        *_arrivals(limits),
        *_quarantine(limits),
        *_completeness(intake, limits),
        *_coverage(intake, limits),
        *_reconciliation(intake),
    ]
    return suite_of("landing", checks)


def _volume(intake: Intake, limits: GateLimits) -> list:
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


def _freshness(intake: Intake, limits: GateLimits) -> list:
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


def _arrivals(limits: GateLimits) -> list:
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


def _quarantine(limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    said = {
        "kind": "quarantine",
        "view": "refusals",
        "table": "ledger",
        "next_step": "read the reasons in the quarantine; correct the mapping or the source's file and land it again",
    }
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="share_of_many",
            max_value=limits.refused_critical_share,
            severity="critical",
            meta=words(
                name="most_records_are_accepted",
                expected=(
                    f"at most {percent(limits.refused_critical_share)} of a table's records refused in the newest "
                    f"landing (judged from {limits.refused_critical_records} refused records on)"
                ),
                description=(
                    "When many records break their contract, the format has changed: portraits from the rest "
                    "would mislead."
                ),
                **said,
            ),
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="share",
            max_value=limits.refused_warning_share,
            severity="warning",
            meta=words(
                name="few_records_are_refused",
                expected=(
                    f"at most {percent(limits.refused_warning_share)} of a table's records refused in the "
                    "newest landing"
                ),
                description=(
                    "Each refused record is missing from a portrait; a rising share announces a change at the source."
                ),
                **said,
            ),
        ),
    ]


def _completeness(intake: Intake, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    table = intake.activity
    said = {"kind": "completeness", "view": "arrived", "table": table, "where": f"landing/*/{table}"}
    never_empty = [
        gxe.ExpectColumnValuesToNotBeNull(
            column=column,
            severity="critical",
            meta=words(
                name=f"{column}_is_never_empty",
                expected="no empty value in the rows of the newest landing",
                description=(
                    "Landing refuses a record without it, so an empty value means that landed data was "
                    "changed or damaged."
                ),
                next_step=_LAND_AGAIN,
                **said,
            ),
        )
        for column in intake.keys
    ]
    seldom_empty = [
        gxe.ExpectColumnValuesToNotBeNull(
            column=column,
            mostly=1 - limits.empty_warning_share,
            severity="warning",
            meta=words(
                name=f"{column}_is_seldom_empty",
                expected=(
                    f"at most {percent(limits.empty_warning_share)} empty values in the rows of the newest landing"
                ),
                description="The home's rows name it otherwise: without it interests and preferred places fade.",
                next_step=(
                    "compare the source's newest file with an earlier one; correct the mapping if a column was renamed"
                ),
                **said,
            ),
        )
        for column in intake.links
    ]
    return never_empty + seldom_empty


def _coverage(intake: Intake, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    if not intake.is_covered:
        return []
    return [
        gxe.ExpectColumnValuesToNotBeNull(
            column="known_product",
            mostly=1 - limits.uncovered_warning_share,
            severity="warning",
            meta=words(
                name="products_are_known",
                kind="coverage",
                view="arrived",
                table=intake.activity,
                column="product_id",
                expected=(
                    f"at least {percent(1 - limits.uncovered_warning_share)} of the rows name a product that "
                    "'products' holds"
                ),
                description="A row whose product is unknown counts in no category, so interests would miss it.",
                next_step="ask for a newer product list",
                where=f"landing/*/{intake.activity}",
            ),
        )
    ]


def _reconciliation(intake: Intake) -> list:
    import great_expectations.expectations as gxe

    balances = [
        (
            "every_record_is_accounted_for",
            "records_balance",
            ("records_in", "records_out"),
            "for every file: records counted on its bytes = accepted + refused",
            "Nothing that came in may vanish: the count on the bytes does not depend on the loader.",
        ),
        (
            "accepted_rows_are_landed",
            "rows_balance",
            ("accepted", "landed_rows"),
            "for every file: accepted in the ledger = rows in landed Parquet",
            "What the ledger promises must lie in the files that all later steps read, no row less and no row more.",
        ),
        (
            "refused_rows_are_in_quarantine",
            "refused_balance",
            ("refused", "refused_rows"),
            "for every file: refused in the ledger = rows in quarantine",
            "A refused record stays available, so that it can be judged and sent again.",
        ),
    ]
    if intake.has_money:
        balances.append(
            (
                "money_is_landed_to_the_cent",
                "money_balance",
                ("net", "landed_net"),
                "for every file: sum of net_amount in the ledger = in landed Parquet",
                "Row counts can agree while amounts do not; money is compared exactly.",
            )
        )
    return [
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A=columns[0],
            column_B=columns[1],
            severity="critical",
            meta=words(
                name=name,
                kind="reconciliation",
                view=view,
                table="order_lines" if view == "money_balance" else "ledger",
                expected=expected,
                description=description,
                next_step=_LAND_AGAIN,
            ),
        )
        for name, view, columns, expected, description in balances
    ]
