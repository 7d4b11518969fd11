"""Are the rows of the released tables well formed: keys, compulsory columns, bounds, days in order?"""

from __future__ import annotations

from expectations.checks import percent, words
from expectations.duckdb_engine import Database
from expectations.profiles.portraits import BUILD_AGAIN, BUYERS, FILE, TABLE, Portraits
from huaxiang.gate_limits import GateLimits

_DAYS = ("first_order_on", "last_order_on", "recency_days", "tenure_days")
_NEVER_EMPTY = {
    TABLE: ("customer_id", "as_of"),
    BUYERS: (*_DAYS, "order_count", "net_spend"),
    "customer_tags": ("customer_id", "tag", "value", "evidence", "source"),
}
# Shares of counts cannot leave 0 to 1. Shares of money can, in odd data: a coupon may be worth more than the goods.
_MONEY_SHARES = ("discount_share", "coupon_share")
# Column: lowest and highest value, None where there is no bound.
_BOUNDS = {
    "recency_days": (0, None),
    "tenure_days": (0, None),
    "order_count": (1, None),
    "recency_quintile": (1, 5),
    "frequency_quintile": (1, 5),
    "monetary_quintile": (1, 5),
}


def buyers_view(database: Database, columns: tuple[str, ...]) -> None:
    """`buyers`: the portraits of customers with an order; of who only came to look nothing of orders is told."""
    condition = "order_count is not null" if "order_count" in columns else "true"
    database.run(f"create view buyers as select * from customer_profiles where {condition}")


def uniqueness(portraits: Portraits) -> list:
    import great_expectations.expectations as gxe

    checks = []
    for table in portraits.tables:
        said = words(
            name=f"{table.name}_has_one_row_per_key",
            kind="uniqueness",
            view=table.name,
            table=table.name,
            expected=f"{', '.join(table.key)} is different in every row",
            description="Two rows for one key would count a customer twice wherever the table is joined.",
            next_step=BUILD_AGAIN,
            where=table.path,
        )
        if len(table.key) == 1:
            checks.append(gxe.ExpectColumnValuesToBeUnique(column=table.key[0], severity="critical", meta=said))
        else:
            checks.append(
                gxe.ExpectCompoundColumnsToBeUnique(column_list=list(table.key), severity="critical", meta=said)
            )
    return checks


def completeness(portraits: Portraits, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    files = {table.name: table.path for table in portraits.tables}
    files[BUYERS] = FILE
    checks = [
        gxe.ExpectColumnValuesToNotBeNull(
            column=column,
            severity="critical",
            meta=words(
                name=f"{TABLE if table == BUYERS else table}_{column}_is_never_empty",
                kind="completeness",
                view=table,
                table=TABLE if table == BUYERS else table,
                expected="no empty value",
                description="Whoever reads the table relies on it: it is part of every portrait and every tag.",
                next_step=BUILD_AGAIN,
                where=files[table],
            ),
        )
        for table, columns in _NEVER_EMPTY.items()
        if table in files
        for column in columns
        if table != BUYERS or portraits.has(TABLE, "order_count")
    ]
    if portraits.has(TABLE, "top_category"):
        checks.append(
            gxe.ExpectColumnValuesToNotBeNull(
                column="top_category",
                mostly=1 - limits.empty_warning_share,
                severity="warning",
                meta=words(
                    name="top_category_is_seldom_empty",
                    kind="completeness",
                    view=BUYERS,
                    table=TABLE,
                    expected=f"at most {percent(limits.empty_warning_share)} empty values",
                    description=(
                        "A customer without a category bought only products that the product list does not know."
                    ),
                    next_step="ask for a newer product list",
                    where=FILE,
                ),
            )
        )
    return checks


def bounds(portraits: Portraits) -> list:
    import great_expectations.expectations as gxe

    there = portraits.columns[TABLE]
    shares = {column: (0, 1) for column in there if column.endswith(("_share", "_weight")) or "_probability" in column}
    shares |= {column: (0, 1) for column in there if column.endswith("_confidence")}
    said = {"kind": "bounds", "view": TABLE, "table": TABLE, "next_step": BUILD_AGAIN, "where": FILE}
    checks = [
        gxe.ExpectColumnValuesToBeBetween(
            column=column,
            min_value=least,
            max_value=most,
            severity="warning" if column in _MONEY_SHARES else "critical",
            meta=words(
                name=f"{column}_is_within_bounds",
                expected=f"at least {least}" if most is None else f"{least} to {most}",
                description="A value outside cannot be true, so the figures it comes from are wrong as well.",
                **said,
            ),
        )
        for column, (least, most) in (_BOUNDS | shares).items()
        if column in there
    ]
    days_in_order = [
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=later,
            column_B=earlier,
            or_equal=True,
            severity="critical",
            meta=words(
                name=f"{earlier}_is_not_after_{later}",
                expected=f"{earlier} is not after {later}",
                description=(
                    "A portrait knows nothing of the days after it: else a model would be trained on the future."
                ),
                **said,
            ),
        )
        for earlier, later in (
            ("first_order_on", "last_order_on"),
            ("last_order_on", "as_of"),
            ("first_visit_on", "last_visit_on"),
            ("last_visit_on", "as_of"),
        )
        if {earlier, later} <= set(there)
    ]
    return checks + days_in_order
