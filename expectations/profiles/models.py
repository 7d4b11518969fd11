"""Is what models say whole, new where it must be new, and about customers like those they learned from?"""

from __future__ import annotations

from pathlib import Path

from expectations.checks import nothing_in, quoted, words
from expectations.duckdb_engine import Database
from expectations.profiles.portraits import BUILD_AGAIN, Portraits
from huaxiang.drift.daily import FILE, read
from huaxiang.gate_limits import GateLimits


def attributes_view(database: Database) -> None:
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


def attributes(portraits: Portraits) -> list:
    if "customer_attributes" not in portraits.columns:
        return []
    return [
        nothing_in(
            "mixed_rows",
            name="declared_and_inferred_are_apart",
            kind="bounds",
            view="attributes_apart",
            table="customer_attributes",
            expected="a value is declared, or inferred with a confidence from 0 to 1, or unknown, as its status says",
            description="A guess that passes for what a customer declared would be told them as their own words.",
            next_step=BUILD_AGAIN,
        )
    ]


def vectors_view(database: Database) -> None:
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


def vectors(portraits: Portraits) -> list:
    if "customer_vectors" not in portraits.columns:
        return []
    return [
        nothing_in(
            "broken_customers",
            name="vectors_are_whole",
            kind="coverage",
            view="vectors_whole",
            table="customer_vectors",
            expected="every customer is on every dimension, each place a number, all by one model",
            description="Half a vector, or vectors of two models, give distances between customers that mean nothing.",
            next_step=BUILD_AGAIN,
        )
    ]


def new_categories_view(database: Database, purchases: Path) -> None:
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


def new_categories(portraits: Portraits) -> list:
    if not portraits.has_new_categories:
        return []
    return [
        nothing_in(
            "false_rows",
            name="new_categories_are_new",
            kind="bounds",
            view="new_categories",
            table="customer_new_categories",
            expected="no category that the customer has bought, none twice; no more customers with both than with one",
            description="Who is told to start what they have bought for years believes nothing else of their portrait.",
            next_step=BUILD_AGAIN,
        )
    ]


def drift_view(database: Database, build: Path) -> bool:
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


def drift(portraits: Portraits, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    if not portraits.has_drift:
        return []
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="psi",
            max_value=limits.drift_warning_index,
            severity="warning",
            meta=words(
                name="customers_are_as_the_models_know_them",
                kind="drift",
                view="drift",
                table="customer_features",
                expected=(
                    f"a population stability index of at most {limits.drift_warning_index} for each feature, score and "
                    "dimension, against the day from which these models score"
                ),
                description=(
                    "Models answer for customers like those they learned from. When a feature or a score has moved, "
                    "either the customers have changed or the data have."
                ),
                next_step="look whether a source changed; if the customers did, train again with 'huaxiang train'",
            ),
        )
    ]
