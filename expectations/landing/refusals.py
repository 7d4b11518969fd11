"""How much of the newest landing was refused?"""

from __future__ import annotations

from expectations.checks import percent, words
from expectations.duckdb_engine import Database
from huaxiang.gate_limits import GateLimits


def refusals_view(database: Database, limits: GateLimits) -> None:
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


def refusals(limits: GateLimits) -> list:
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
