"""Has every customer what a portrait is read for, and does every segment have customers?"""

from __future__ import annotations

from expectations.checks import percent, words
from expectations.duckdb_engine import Database
from expectations.profiles.portraits import BUYERS, FILE, TABLE, Portraits
from huaxiang.gate_limits import GateLimits

# What a model says of everybody: column of customer_profiles and what it stands for.
_EVERY_CUSTOMER_HAS = {
    "segment_id": "segment",
    "churn_probability_28d": "churn_probability",
    "any_product_id": "recommendation",
}


def tags_view(database: Database) -> None:
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


def segments_view(database: Database) -> None:
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


def coverage(portraits: Portraits, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    checks = [
        gxe.ExpectColumnValuesToNotBeNull(
            column=column,
            severity="critical",
            meta=words(
                name=f"every_customer_has_a_{what}",
                kind="coverage",
                view=BUYERS,
                table=TABLE,
                expected=f"no customer without a {what.replace('_', ' ')}",
                description="Whoever is passed over here would be left out of every campaign that is built on it.",
                next_step="run 'huaxiang models' for the day, then 'huaxiang profiles' again",
                where=FILE,
            ),
        )
        for column, what in _EVERY_CUSTOMER_HAS.items()
        if portraits.has(TABLE, column)
    ]
    if "customer_tags" in portraits.columns:
        checks.append(
            gxe.ExpectColumnValuesToBeBetween(
                column="tags",
                min_value=1,
                severity="critical",
                meta=words(
                    name="every_customer_has_a_tag",
                    kind="coverage",
                    view="tags_per_customer",
                    table="customer_tags",
                    column="tag",
                    expected="at least 1 tag for every customer",
                    description=(
                        "Tags with evidence are what people read of a portrait; a customer without one has "
                        "none to show."
                    ),
                    next_step=(
                        "look at the newest changes in tags/: an expression may be empty where a value was expected"
                    ),
                    where="profiles/customer_tags.parquet",
                ),
            )
        )
    if "segments" in portraits.columns:
        checks.append(
            gxe.ExpectColumnValuesToBeBetween(
                column="customer_share",
                min_value=limits.smallest_segment_warning_share,
                severity="warning",
                meta=words(
                    name="segments_are_large_enough",
                    kind="coverage",
                    view="segment_sizes",
                    table="segments",
                    expected=(
                        f"at least {percent(limits.smallest_segment_warning_share)} of the customers in each segment"
                    ),
                    description="A segment of a few customers describes those few, not a kind of customer.",
                    next_step="train again with 'huaxiang train' when it stays so",
                ),
            )
        )
    return checks
