"""Are the rows of the newest landing filled, and their products known?"""

from __future__ import annotations

from expectations.checks import percent, words
from expectations.duckdb_engine import Database
from expectations.landing.intake import LAND_AGAIN, Intake
from huaxiang.gate_limits import GateLimits


def arrived_view(database: Database, activity: str, has_products: bool) -> None:
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


def completeness(intake: Intake, limits: GateLimits) -> list:
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
                next_step=LAND_AGAIN,
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


def coverage(intake: Intake, limits: GateLimits) -> list:
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
