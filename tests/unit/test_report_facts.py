"""What the report says, worked out by hand: figures in words, gates, steps, conservation, lineage, portraits."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

from huaxiang.landing.ledger import TableConservation
from huaxiang.report import (
    charts,
    conservation,
    customers,
    drawing,
    facts,
    glossary,
    lineage,
    portrait,
    segments,
    words,
)
from huaxiang.report.days import Day, filled
from huaxiang.report.refused import reason_in_words


def test_a_right_to_left_mark_and_a_zero_width_space_are_spelled_out():
    assert words.visible("ab\u202edc") == "ab[U+202E]dc"
    assert words.visible("a\u200bb\x07") == "a[U+200B]b[U+0007]"


def test_plain_foreign_text_stays_as_it_is():
    assert words.visible("Müller שלום 客户 50 %") == "Müller שלום 客户 50 %"


def test_money_carries_the_sign_before_the_currency_and_never_a_negative_zero():
    assert words.money(Decimal("4150291.26"), "USD") == "$4,150,291.26"
    assert words.money(Decimal("-3.50"), "USD") == "−$3.50"
    assert words.money(Decimal("-0.001"), "EUR") == "€0.00"
    assert words.money(Decimal("12"), "SEK") == "12.00 SEK"
    assert words.money(Decimal("12"), "") == "12.00"


def test_a_small_share_is_not_shown_as_zero():
    assert words.percent(0.0002) == "< 0.1 %"
    assert words.percent(0) == "0.0 %"
    assert words.percent(0.1234) == "12.3 %"


def test_what_is_not_known_is_a_dash():
    assert [words.count(None), words.money(None, "USD"), words.percent(float("nan")), words.day(None)] == ["–"] * 4


def test_a_long_time_is_told_in_minutes():
    assert words.seconds(8.42) == "8.4 s"
    assert words.seconds(125.4) == "2 min 05 s"


def test_a_windowed_feature_is_named_after_its_stem():
    assert glossary.term("net_spend_28d") == glossary.Term("Net spend, 28 days", "money")
    assert glossary.term("shoe_size") == glossary.Term("Shoe size", "")


def test_each_unit_is_said_in_its_own_way():
    assert glossary.say("preferred_weekday", 1, "USD") == "Monday"
    assert glossary.say("preferred_hour", 17, "USD") == "17:00–17:59"
    assert glossary.say("recency_days", 1, "USD") == "1 day"
    assert glossary.say("recency_days", 1.25, "USD", mean=True) == "1.2 days"
    assert glossary.say("order_count", 1200, "USD") == "1,200"
    assert glossary.say("is_member", True, "USD") == "yes"


def test_only_the_last_run_of_a_step_counts_and_the_report_itself_is_left_out():
    lines = [
        json.dumps({"step": "staging", "seconds": 9.0, "facts": {}}),
        json.dumps({"step": "features", "seconds": 3.0, "facts": {"customers": 2463}}),
        json.dumps({"step": "report", "seconds": 1.0, "facts": {}}),
        json.dumps({"step": "staging", "seconds": 7.5, "facts": {}}),
    ]
    assert facts.last_runs(lines) == (
        facts.StepTime("features", 3.0, "customers 2,463"),
        facts.StepTime("staging", 7.5, ""),
    )


def test_failed_checks_come_first_and_a_warning_is_no_failure():
    gate = facts.read_gate(
        {
            "suite": "landing",
            "passed": False,
            "checks": [
                {"name": "a", "severity": "critical", "passed": True},
                {"name": "b", "severity": "warning", "passed": False},
                {"name": "c", "severity": "critical", "passed": False, "failing_rows": 3},
            ],
        }
    )
    assert [(check.name, check.state) for check in gate.checks] == [("c", "failed"), ("b", "warning"), ("a", "passed")]
    assert (gate.counted("passed"), gate.counted("warning"), gate.counted("failed")) == (1, 1, 1)


def test_what_is_left_out_is_told_once_for_each_thing_without_a_source():
    said = facts.read_left_out(
        {
            "tables": [{"table": "customer_interests", "needs": ["products.category"]}],
            "columns": [
                {"table": "customer_features", "column": "price_level", "needs": ["products"]},
                {"table": "customer_profiles", "column": "price_level", "needs": ["products.category"]},
                {"table": "customer_profiles", "column": "coupon_share", "needs": ["order_lines.coupon_amount"]},
            ],
            "tags": [{"tag": "variety", "title": "Variety", "needs": ["products.category", "products.department"]}],
        },
        unsourced={"products", "reviews", "events"},
    )
    assert said.missing == (
        facts.Missing("products", ("customer_interests",), ("price_level",), ("Variety",)),
        facts.Missing("coupon amount of order lines", (), ("coupon_share",), ()),
    )
    assert said.others == ("events", "reviews")


def test_a_home_that_lacks_nothing_says_nothing():
    assert not facts.read_left_out({"columns": [], "tags": [], "tables": []})


def _account(table: str, records_in: int, accepted: int, refused: int, net: str | None = None) -> TableConservation:
    return TableConservation("shop", table, 2, 1, records_in, accepted, refused, Decimal(net) if net else None)


def test_records_in_less_accepted_and_refused_is_what_is_missing():
    whole, broken = _account("order_lines", 10, 8, 2), _account("products", 5, 4, 0)
    assert [conservation.missing(row) for row in (whole, broken)] == [0, 1]
    total = conservation.summed([whole, broken])
    assert (total.files, total.duplicate_files) == (4, 2)
    assert (total.records_in, total.accepted, total.quarantined) == (15, 12, 2)
    assert conservation.Conservation((whole, broken), total, None).missing == 1


def test_money_that_is_not_in_the_portraits_is_told_with_its_lines():
    totals = facts.Totals(3, 5, 7, Decimal("20.00"), date(2024, 1, 1), date(2024, 1, 9))
    account = conservation.money([_account("order_lines", 10, 8, 2, "21.50"), _account("products", 5, 5, 0)], totals)
    assert account == conservation.MoneyAccount(8, Decimal("21.50"), 7, Decimal("20.00"))
    assert (account.lines_elsewhere, account.elsewhere) == (1, Decimal("1.50"))


def test_a_home_without_order_lines_has_no_money_to_account_for():
    totals = facts.Totals(3, None, None, None, None, None)
    assert conservation.money([_account("events", 10, 10, 0)], totals) is None


def test_silent_days_between_orders_and_up_to_the_day_count_as_zero():
    first, last = Day(date(2024, 1, 1), 2, Decimal("5.00")), Day(date(2024, 1, 3), 1, Decimal("1.00"))
    shown = filled([first, last], through=date(2024, 1, 4))
    assert [(day.day.day, day.orders) for day in shown] == [(1, 2), (2, 0), (3, 1), (4, 0)]
    assert filled([], through=date(2024, 1, 4)) == []


def test_the_running_mean_starts_when_its_window_is_full():
    assert charts.rolling_means([7.0, 0.0, 2.0, 4.0], window=2) == [None, 3.5, 1.0, 3.0]


def test_a_chart_has_a_name_tooltips_and_no_colour_of_its_own():
    days = [Day(date(2024, 1, day), day, Decimal(day)) for day in range(1, 10)]
    drawn = charts.daily(days, "orders", "Orders", ",.0f")
    assert 'role="img" aria-label="Orders for each day, 1 January 2024 to 9 January 2024' in drawn
    assert "<title>Monday 1 January 2024: 1</title>" in drawn
    assert 'class="fill-soft"' in drawn and "#0a0a" not in drawn
    assert "style=" not in drawn and "http" not in drawn


def test_a_chart_never_turns_a_name_into_markup():
    svg = '<svg viewBox="0 0 10 20"><path aria-label="&lt;b&gt; 1.2345" d="M1.23456,0"/></svg>'
    drawn = drawing.tidied(svg, "<script>")
    assert "<script>" not in drawn and "&lt;script&gt;" in drawn
    assert "<title>&lt;b&gt; 1.2345</title>" in drawn and 'd="M1.2,0"' in drawn


def test_numbers_in_ids_sort_as_numbers():
    assert sorted(["10", "9", "a2", "a10", "", "x"], key=customers.natural) == ["", "9", "10", "a2", "a10", "x"]


def test_a_small_home_gets_few_files_and_a_large_one_no_huge_ones():
    assert customers.shard_size(20) == 16
    assert customers.shard_size(2463) == 39
    assert customers.shard_size(1_000_000) == 400


FULL = {
    "order_count": 2,
    "first_order_on": date(2024, 1, 1),
    "last_order_on": date(2024, 1, 31),
    "net_spend": Decimal("30.00"),
    "basket_net_mean": 15.0,
    "basket_lines_mean": 2.5,
    "order_count_28d": 1,
    "order_trend": 0.5,
    "preferred_weekday": 6,
    "preferred_weekday_share": 0.5,
    "campaigns_received": 3,
    "campaigns_answered": 0,
}


def _story(row, **more) -> list[tuple[str, str]]:
    return [(said.text, said.how) for said in portrait.story(portrait.Person(row, **more), "EUR")]


def test_a_portrait_says_what_is_known_in_sentences():
    assert _story(FULL, interests=("TEA", "MILK"), spend_rank=0.75) == [
        (
            "2 orders between 1 January 2024 and 31 January 2024, €30.00 in all, "
            "more than 75 % of the other customers.",
            "counted",
        ),
        ("Buys most of TEA and MILK; orders most often on Saturdays (50 % of orders).", "counted"),
        ("An average basket costs €15.00 and holds 2.5 lines.", "counted"),
    ]


def test_who_a_customer_is_comes_from_tags_segment_and_models_with_their_evidence():
    row = FULL | {
        "age_band": "45-54",
        "segment_name": "big spenders",
        "churn_probability_28d": 0.04,
        "new_product_type": "TEA",
    }
    tags = {"lifecycle": ("active", "rule"), "value_tier": ("top fifth", "rule"), "coupon_user": ("heavy", "rule")}
    story = portrait.story(
        portrait.Person(
            row,
            tags=tags,
            shares={("coupon_user", "heavy"): 0.04},
            titles={"coupon_user": "Coupon user"},
            segment_share=0.15,
            move="was in “small baskets”: Orders rose from 1 to 2",
            away_mean=0.18,
        ),
        "EUR",
    )
    assert [said.text for said in story if said.how != portrait.COUNTED] == [
        "Declares age band 45-54.",
        "Active customer, value tier “top fifth”: 2 orders between 1 January 2024 and 31 January 2024, €30.00 in all; "
        "1 of the orders in the last 28 days.",
        "Shops like the group “big spenders”, as 15 % of all customers do; "
        "was in “small baskets”: Orders rose from 1 to 2.",
        "Set apart by what few others share: Coupon user: heavy (4 %).",
        "In the next 28 days stays away with a probability of 4 % (average 18 %); "
        "first to recommend is TEA, new to the customer.",
    ]
    assert {said.how: said.evidence[0] for said in story} == {
        "declared": "age_band",
        "rule": "tag:coupon_user",
        "model": "ahead",
        "counted": "interests",
    }


def test_a_tag_that_many_share_sets_nobody_apart():
    tags = {"coupon_user": ("light", "rule")}
    assert _story({}, tags=tags, shares={("coupon_user", "light"): 0.25}, titles={"coupon_user": "Coupon user"}) == []


def test_a_portrait_does_not_speak_of_what_the_home_lacks():
    bare = {"order_count": 1, "first_order_on": date(2024, 1, 1), "last_order_on": date(2024, 1, 1)}
    assert _story(bare) == [("1 order on 1 January 2024.", "counted")]


def test_what_nobody_knows_of_a_customer_is_said():
    row = {"age_band": None, "children": "1", "order_count": 1, "gap_days_mean": None, "churn_probability_28d": None}
    assert portrait.unknown(portrait.Person(row)) == [
        "age band",
        "a rhythm: there are too few orders",
        "what comes next",
    ]
    assert portrait.unknown(portrait.Person({"age_band": None, "children": None})) == [
        "anything the customer would have to declare"
    ]
    assert portrait.unknown(portrait.Person({})) == []


def _segment(number: int, customers_: int, **means: float) -> segments.Segment:
    return segments.Segment(number, f"s{number}", customers_, 0.0, None, means, (), "")


def test_the_average_customer_weighs_segments_by_their_size():
    found = (_segment(1, 3, order_count=10.0), _segment(2, 1, order_count=2.0))
    assert segments.averages(found) == {"order_count": 8.0}
    assert segments.ratios(found[1], {"order_count": 8.0}, "EUR") == [("Orders", 0.25, "Orders: 2.0, average 8.0")]


def test_a_figure_that_some_segment_lacks_is_not_averaged():
    assert segments.averages((_segment(1, 3, a=1.0, b=2.0), _segment(2, 1, a=1.0))) == {"a": 1.0}


def test_the_segments_stand_beside_the_baseline_with_their_intervals():
    card = {
        "metrics": {"silhouette": 0.25, "silhouette_low": 0.2, "silhouette_high": 0.3, "baseline_silhouette": 0.03},
        "k": 3,
        "k_table": [{"k": 2, "silhouette": 0.4, "stability": 0.9}, {"k": 3, "silhouette": 0.25, "stability": 0.8}],
    }
    assert segments.measures(card) == (segments.Measure("Separation (silhouette)", 0.25, (0.2, 0.3), 0.03, None),)
    assert [(row.k, row.is_chosen) for row in segments.candidates(card)] == [(2, False), (3, True)]


def test_an_unknown_reason_is_told_by_its_own_name():
    assert reason_in_words("TYPE") == "a value is not of its column's type"
    assert reason_in_words("NEW_REASON") == "new reason"
    assert reason_in_words("RULE:amounts_add_up") == "a rule of the table's contract is broken: amounts add up"


def _node(name: str, layer: str, *reads: str) -> dict:
    return {
        "name": name,
        "fqn": ["huaxiang", layer, name],
        "resource_type": "model",
        "description": f"One row per {name}.",
        "columns": {"id": {"data_type": "varchar", "description": "The id."}},
        "depends_on": {"nodes": list(reads)},
    }


MANIFEST = {
    "sources": {
        "s.lines": {"name": "order_lines", "source_name": "landed", "columns": {}},
        "s.sends": {"name": "sends", "source_name": "landed", "columns": {}},
        "s.segments": {"name": "customer_segments", "source_name": "models", "columns": {}},
    },
    "nodes": {
        "m.keys": _node("customer_keys", "staging", "s.lines"),
        "m.lines": _node("stg_order_lines", "staging", "s.lines", "m.keys"),
        "m.sends": _node("stg_sends", "staging", "s.sends", "m.keys"),
        "m.campaigns": _node("customer_campaigns", "features", "m.sends"),
        "m.features": _node("customer_features", "features", "m.lines", "m.campaigns"),
        "m.profiles": _node("customer_profiles", "profiles", "m.features", "s.segments"),
        "t.unique": {"resource_type": "test", "name": "unique"},
    },
}


def test_lineage_knows_that_segments_are_made_from_features():
    flow = {table.id: table for table in lineage.tables_of(MANIFEST, {"order_lines", "sends"}, {})}
    assert flow["models.customer_segments"].reads == ("features.customer_features",)
    assert flow["profiles.customer_profiles"].reads == ("features.customer_features", "models.customer_segments")
    assert flow["staging.stg_sends"].columns == (("id", "varchar", "The id."),)


def test_tables_about_what_never_landed_are_left_out_of_the_lineage():
    flow = {table.id: table for table in lineage.tables_of(MANIFEST, {"order_lines"}, {})}
    assert "landed.sends" not in flow and "staging.stg_sends" not in flow and "features.customer_campaigns" not in flow
    assert flow["features.customer_features"].reads == ("staging.stg_order_lines",)


def test_the_picture_stands_in_the_order_of_the_flow_and_knows_all_that_a_table_depends_on():
    drawn = lineage.picture(lineage.tables_of(MANIFEST, {"order_lines"}, {}))
    assert [name for _, name in drawn.heads] == ["landed", "staging", "features", "models", "profiles"]
    boxes = {box.table.id: box for box in drawn.boxes}
    assert boxes["staging.customer_keys"].y < boxes["staging.stg_order_lines"].y
    assert boxes["features.customer_features"].before == (
        "landed.order_lines",
        "staging.customer_keys",
        "staging.stg_order_lines",
    )
    assert boxes["features.customer_features"].after == ("models.customer_segments", "profiles.customer_profiles")
    assert all(box.x >= 0 and box.x + lineage.BOX_WIDTH <= drawn.width for box in drawn.boxes)


def test_figures_stand_in_the_order_of_the_glossary_with_short_windows_first():
    columns = ["shoe_size", "net_spend_91d", "net_spend", "order_count", "net_spend_7d"]
    assert glossary.in_order(columns) == ["order_count", "net_spend", "net_spend_7d", "net_spend_91d", "shoe_size"]
