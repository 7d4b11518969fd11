"""The suite `profiles`: what must be true of the portraits before they may be released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.checks import days, percent, suite_of, words
from expectations.profiles_views import Portraits
from huaxiang.gate_limits import GateLimits

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import Expectation

_TABLE = "customer_profiles"
_FILE = "profiles/customer_profiles.parquet"
_BUYERS = "buyers"  # the view of those of them who have ordered
_BUILD_AGAIN = "run the day again; if it fails again, report the table and the check: it is a fault of the computation"

_DAYS = ("first_order_on", "last_order_on", "recency_days", "tenure_days")
_NEVER_EMPTY = {
    _TABLE: ("customer_id", "as_of"),
    _BUYERS: (*_DAYS, "order_count", "net_spend"),
    "customer_tags": ("customer_id", "tag", "value", "evidence", "source"),
}
# Shares of counts cannot leave 0 to 1. Shares of money can, in odd data: a coupon may be worth more than the goods.
_MONEY_SHARES = ("discount_share", "coupon_share")
# What a model says of everybody: column of customer_profiles and what it stands for.
_EVERY_CUSTOMER_HAS = {
    "segment_id": "segment",
    "churn_probability_28d": "churn_probability",
    "any_product_id": "recommendation",
}
# Column: lowest and highest value, None where there is no bound.
_BOUNDS = {
    "recency_days": (0, None),
    "tenure_days": (0, None),
    "order_count": (1, None),
    "recency_quintile": (1, 5),
    "frequency_quintile": (1, 5),
    "monetary_quintile": (1, 5),
}


def profiles(portraits: Portraits, limits: GateLimits) -> ExpectationSuite:
    """Volume, freshness, keys, empty values, bounds, coverage and reconciliation of the run's tables."""
    checks = [
        *_volume(limits),
        *_freshness(portraits, limits),
        *_uniqueness(portraits),
        *_completeness(portraits, limits),
        *_bounds(portraits),
        *_coverage(portraits, limits),
        *_levels(portraits),
        *_attributes(portraits),
        *_new_categories(portraits),
        *_vectors(portraits),
        *_drift(portraits, limits),
        *_reconciliation(portraits),
    ]
    return suite_of("profiles", checks)


def _volume(limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    said = {"kind": "volume", "view": "volume", "table": _TABLE}
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


def _freshness(portraits: Portraits, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    of_the_day = gxe.ExpectColumnValuesToBeBetween(
        column="as_of",
        min_value=portraits.as_of,
        max_value=portraits.as_of,
        severity="critical",
        meta=words(
            name="portraits_are_of_the_day",
            kind="freshness",
            view=_TABLE,
            table=_TABLE,
            expected=f"as_of is {portraits.as_of} in every row",
            description="A portrait of another day, left over from an earlier run, would be released as today's.",
            next_step=_BUILD_AGAIN,
            where=_FILE,
        ),
    )
    has_orders = portraits.has(_TABLE, "last_order_on")
    article, what, done = ("an", "order", "bought") if has_orders else ("a", "visit", "come")
    said = {
        "kind": "freshness",
        "view": "freshness",
        "table": _TABLE,
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


def _uniqueness(portraits: Portraits) -> list:
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
            next_step=_BUILD_AGAIN,
            where=table.path,
        )
        if len(table.key) == 1:
            checks.append(gxe.ExpectColumnValuesToBeUnique(column=table.key[0], severity="critical", meta=said))
        else:
            checks.append(
                gxe.ExpectCompoundColumnsToBeUnique(column_list=list(table.key), severity="critical", meta=said)
            )
    return checks


def _completeness(portraits: Portraits, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    files = {table.name: table.path for table in portraits.tables}
    files[_BUYERS] = _FILE
    checks = [
        gxe.ExpectColumnValuesToNotBeNull(
            column=column,
            severity="critical",
            meta=words(
                name=f"{_TABLE if table == _BUYERS else table}_{column}_is_never_empty",
                kind="completeness",
                view=table,
                table=_TABLE if table == _BUYERS else table,
                expected="no empty value",
                description="Whoever reads the table relies on it: it is part of every portrait and every tag.",
                next_step=_BUILD_AGAIN,
                where=files[table],
            ),
        )
        for table, columns in _NEVER_EMPTY.items()
        if table in files
        for column in columns
        if table != _BUYERS or portraits.has(_TABLE, "order_count")
    ]
    if portraits.has(_TABLE, "top_category"):
        checks.append(
            gxe.ExpectColumnValuesToNotBeNull(
                column="top_category",
                mostly=1 - limits.empty_warning_share,
                severity="warning",
                meta=words(
                    name="top_category_is_seldom_empty",
                    kind="completeness",
                    view=_BUYERS,
                    table=_TABLE,
                    expected=f"at most {percent(limits.empty_warning_share)} empty values",
                    description=(
                        "A customer without a category bought only products that the product list does not know."
                    ),
                    next_step="ask for a newer product list",
                    where=_FILE,
                ),
            )
        )
    return checks


def _bounds(portraits: Portraits) -> list:
    import great_expectations.expectations as gxe

    there = portraits.columns[_TABLE]
    shares = {column: (0, 1) for column in there if column.endswith(("_share", "_weight")) or "_probability" in column}
    shares |= {column: (0, 1) for column in there if column.endswith("_confidence")}
    said = {"kind": "bounds", "view": _TABLE, "table": _TABLE, "next_step": _BUILD_AGAIN, "where": _FILE}
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


def _coverage(portraits: Portraits, limits: GateLimits) -> list:
    import great_expectations.expectations as gxe

    checks = [
        gxe.ExpectColumnValuesToNotBeNull(
            column=column,
            severity="critical",
            meta=words(
                name=f"every_customer_has_a_{what}",
                kind="coverage",
                view=_BUYERS,
                table=_TABLE,
                expected=f"no customer without a {what.replace('_', ' ')}",
                description="Whoever is passed over here would be left out of every campaign that is built on it.",
                next_step="run 'huaxiang models' for the day, then 'huaxiang profiles' again",
                where=_FILE,
            ),
        )
        for column, what in _EVERY_CUSTOMER_HAS.items()
        if portraits.has(_TABLE, column)
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


def _levels(portraits: Portraits) -> list:
    if not (portraits.has("portrait_levels", "net_spend") and portraits.has(_TABLE, "net_spend")):
        return []
    return [
        _nothing_in(
            "difference",
            name="persons_segments_and_population_add_up",
            kind="reconciliation",
            view="level_sums",
            table="portrait_levels",
            expected="customers, orders, lines and spend: sum over persons = sum over segments = population",
            description=(
                "Three views of the same customers, worked out on three roads: where they differ, a customer is "
                "doubled, lost or in two segments."
            ),
            next_step=_BUILD_AGAIN,
        )
    ]


def _drift(portraits: Portraits, limits: GateLimits) -> list:
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


def _attributes(portraits: Portraits) -> list:
    if "customer_attributes" not in portraits.columns:
        return []
    return [
        _nothing_in(
            "mixed_rows",
            name="declared_and_inferred_are_apart",
            kind="bounds",
            view="attributes_apart",
            table="customer_attributes",
            expected="a value is declared, or inferred with a confidence from 0 to 1, or unknown, as its status says",
            description="A guess that passes for what a customer declared would be told them as their own words.",
            next_step=_BUILD_AGAIN,
        )
    ]


def _vectors(portraits: Portraits) -> list:
    if "customer_vectors" not in portraits.columns:
        return []
    return [
        _nothing_in(
            "broken_customers",
            name="vectors_are_whole",
            kind="coverage",
            view="vectors_whole",
            table="customer_vectors",
            expected="every customer is on every dimension, each place a number, all by one model",
            description="Half a vector, or vectors of two models, give distances between customers that mean nothing.",
            next_step=_BUILD_AGAIN,
        )
    ]


def _new_categories(portraits: Portraits) -> list:
    if not portraits.has_new_categories:
        return []
    return [
        _nothing_in(
            "false_rows",
            name="new_categories_are_new",
            kind="bounds",
            view="new_categories",
            table="customer_new_categories",
            expected="no category that the customer has bought, none twice; no more customers with both than with one",
            description="Who is told to start what they have bought for years believes nothing else of their portrait.",
            next_step=_BUILD_AGAIN,
        )
    ]


def _reconciliation(portraits: Portraits) -> list:
    if not portraits.has_money:
        return []
    landed_lines = _equal(
        ("ledger", "landed"),
        name="landed_lines_are_all_there",
        view="ledger_balance",
        table="order_lines",
        expected="order lines in landed Parquet = accepted in the ledger",
        description="Rows lost after landing are missing in the portraits and in what they are compared to.",
        next_step="run 'huaxiang landing' again: its gate names the file; restore it from a copy",
    )
    return [landed_lines, *_portraits_against_landed(portraits)]


def _portraits_against_landed(portraits: Portraits) -> list:
    next_step = (
        "run 'huaxiang staging' again; if they still differ, compare the customers' days with landed rows, day by day"
    )
    return [
        _equal(
            ("portraits", "landed"),
            name=name,
            view=f"{figure}_balance",
            table=_TABLE,
            expected=expected,
            description=description,
            next_step=next_step,
        )
        for name, figure, expected, description in (
            (
                "portraits_hold_all_the_money",
                "spend",
                "sum of net_spend = net amount of the landed lines of local days up to as_of, to the cent",
                "Worked out a second time, from the landed files: nothing was lost, doubled or put on another day.",
            ),
            (
                "portraits_hold_every_line",
                "lines",
                "sum of line_count = landed lines of local days up to as_of",
                "Amounts can agree by chance while lines differ, such as lines of no value.",
            ),
            (
                "portraits_hold_every_customer",
                "customers",
                "customers = different customers in the landed lines of local days up to as_of",
                "Whoever has bought has a portrait of a buyer, and nobody else.",
            ),
        )
        if figure != "lines" or portraits.has(_TABLE, "line_count")
    ]


def _nothing_in(column: str, **said: str) -> Expectation:
    """A measure that has to be 0."""
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnValuesToBeBetween(
        column=column, min_value=0, max_value=0, severity="critical", meta=words(**said)
    )


def _equal(columns: tuple[str, str], **said: str) -> Expectation:
    """Two columns of a measure that have to agree: the same figure, worked out on two roads."""
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnPairValuesToBeEqual(
        column_A=columns[0], column_B=columns[1], severity="critical", meta=words(kind="reconciliation", **said)
    )
