"""The suite `profiles`: every check passes good data and catches bad data."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from huaxiang import gates
from huaxiang.errors import GateFailed, MissingPartition
from huaxiang.gate_limits import GateLimits
from huaxiang.identity.history import write_keys
from huaxiang.identity.people import Id
from huaxiang.settings import Run, Settings
from tests.gates.homes import LandedHome, change, documented, line, portraits, profile

pytestmark = pytest.mark.slow

DAY = "2026-03-10"
RUN = Run(as_of=date(2026, 3, 10), known_at=date(2026, 3, 10))
CANARY = "canary-7391"
PROFILES = "profiles/customer_profiles.parquet"
TAGS = "profiles/customer_tags.parquet"
LEVELS = "profiles/portrait_levels.parquet"
ADD_UP = "persons_segments_and_population_add_up"


@pytest.fixture
def build(settings: Settings) -> Path:
    """Three customers: c1 with two lines of 1.50, c2 and c3 with one; and the landed lines they come from."""
    landed = LandedHome(settings.home)
    landed.drop(
        "order_lines",
        DAY,
        [
            line(1, "c1", f"{DAY} 16:00:00", net="1.50"),
            line(2, "c1", f"{DAY} 16:00:00", net="1.50"),
            line(3, "c2", f"{DAY} 17:00:00", net="2.25"),
            line(4, "c3", f"{DAY} 18:00:00", net="-0.75"),
        ],
    )
    landed.call()
    folder = settings.home.build(RUN.id)
    portraits(folder, [profile("c1", DAY, "3.00", 2), profile("c2", DAY, "2.25", 1), profile("c3", DAY, "-0.75", 1)])
    return folder


def checked(settings: Settings) -> dict[str, dict]:
    """The checks by name, whether or not the gate stops."""
    with suppress(GateFailed):
        gates.check(settings, RUN, "profiles")
    said = json.loads(gates.result_file(settings, RUN, "profiles").read_text())
    return {found["name"]: found for found in said["checks"]}


def failed(settings: Settings) -> dict[str, str]:
    return {name: found["severity"] for name, found in checked(settings).items() if not found["passed"]}


def test_customers_that_are_one_person_count_once(settings, build):
    write_keys(
        settings.home.person_keys, {Id("shop", one): (person, 1.0) for one, person in (("c2", "c2"), ("c3", "c2"))}
    )
    portraits(build, [profile("c1", DAY, "3.00", 2), profile("c2", DAY, "1.50", 2)])
    assert failed(settings) == {}


def test_good_portraits_pass_every_check(settings, build):
    assert failed(settings) == {}


def test_a_gate_without_portraits_says_which_command_comes_first(settings):
    with pytest.raises(MissingPartition, match="run 'huaxiang profiles --as-of 2026-03-10' first"):
        gates.check(settings, RUN, "profiles")


def test_every_check_says_why_it_is_there_and_what_to_do_as_does_the_manual(settings, build):
    checks = checked(settings)
    assert documented(checks) == set(checks)
    for found in checks.values():
        assert found["description"].endswith(".") and found["expected"] and found["next_step"] and found["observed"]


def test_portraits_without_any_customer_stop_the_run(settings, build):
    change(build / PROFILES, "select * from rows where false")
    found = failed(settings)
    assert found["there_are_portraits"] == "critical" and found["orders_are_not_stale"] == "critical"


def test_customers_that_vanish_since_the_release_before_stop_the_run(settings, build):
    earlier = [profile(f"c{i}", "2026-03-09", "1.00", 1) for i in range(4)]
    portraits(settings.home.release("2026-03-09-0123456789"), earlier, is_released=True)

    found = checked(settings)["customers_do_not_vanish"]

    assert (found["passed"], found["severity"], found["failing_rows"]) == (False, "critical", 1)
    assert found["observed"] == "3 customers, 4 in release 2026-03-09-0123456789"


def test_a_release_of_the_same_or_a_later_day_is_not_compared_with(settings, build):
    for day in ("2026-03-10", "2026-03-11"):
        many = [profile(f"c{i}", day, "1.00", 1) for i in range(9)]
        portraits(settings.home.release(f"{day}-0123456789"), many, is_released=True)

    assert checked(settings)["customers_do_not_vanish"]["observed"] == "3 customers, no earlier release"


def test_a_portrait_of_another_day_stops_the_run(settings, build):
    change(build / PROFILES, "select * replace (as_of - (customer_id = 'c2')::int as as_of) from rows")

    found = checked(settings)["portraits_are_of_the_day"]

    assert (found["passed"], found["severity"], found["failing_rows"]) == (False, "critical", 1)
    assert found["where"] == PROFILES


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        (1, {}),
        (2, {"orders_are_fresh": "warning"}),
        (4, {"orders_are_fresh": "warning", "orders_are_not_stale": "critical"}),
    ],
)
def test_days_without_any_order_are_told_and_then_stop_the_run(settings, build, behind, expected):
    change(
        build / PROFILES,
        f"select * replace (last_order_on - {behind} as last_order_on, first_order_on - 9 as first_order_on) from rows",
    )
    assert failed(settings) == expected


def test_two_portraits_of_one_customer_stop_the_run(settings, build):
    change(build / PROFILES, "select * replace ('c1' as customer_id) from rows")

    found = checked(settings)["customer_profiles_has_one_row_per_key"]

    assert (found["passed"], found["severity"], found["failing_rows"], found["column"]) == (
        False,
        "critical",
        3,
        "customer_id",
    )


def test_two_rows_for_one_tag_of_a_customer_stop_the_run(settings, build):
    change(build / TAGS, "select * from rows union all select * from rows where customer_id = 'c1'")

    found = checked(settings)["customer_tags_has_one_row_per_key"]

    assert (found["passed"], found["failing_rows"], found["column"]) == (False, 2, "customer_id, tag")


def test_an_empty_value_where_none_may_be_stops_the_run(settings, build):
    for table, column in [(PROFILES, "first_order_on"), (PROFILES, "tenure_days"), (TAGS, "value"), (TAGS, "evidence")]:
        empty = f"case when customer_id = 'c2' then null else {column} end"
        change(build / table, f"select * replace ({empty} as {column}) from rows")

    failing = [check for check in checked(settings).values() if not check["passed"]]

    assert [check["name"] for check in failing] == [
        "customer_profiles_first_order_on_is_never_empty",
        "customer_profiles_tenure_days_is_never_empty",
        "customer_tags_value_is_never_empty",
        "customer_tags_evidence_is_never_empty",
    ]
    assert {(check["severity"], check["observed"]) for check in failing} == {("critical", "1 of 3 rows break it")}


def test_a_category_that_is_often_empty_is_told(settings, build):
    change(build / PROFILES, "select * replace (nullif(top_category, 'bread') as top_category) from rows")
    assert failed(settings) == {"top_category_is_seldom_empty": "warning"}


def test_a_value_out_of_bounds_is_caught(settings, build):
    change(
        build / PROFILES,
        "select * replace (-1 as recency_days, 0 as order_count, 6 as recency_quintile, 1.5 as preferred_hour_share, "
        "1.5 as discount_share) from rows",
    )
    assert failed(settings) == {
        "recency_days_is_within_bounds": "critical",
        "order_count_is_within_bounds": "critical",
        ADD_UP: "critical",
        "recency_quintile_is_within_bounds": "critical",
        "preferred_hour_share_is_within_bounds": "critical",
        "discount_share_is_within_bounds": "warning",
    }


def test_an_order_after_the_day_stops_the_run(settings, build):
    change(build / PROFILES, "select * replace (last_order_on + 1 as last_order_on) from rows")
    assert failed(settings) == {"last_order_on_is_not_after_as_of": "critical"}


def test_a_first_order_after_the_last_stops_the_run(settings, build):
    change(build / PROFILES, "select * replace (last_order_on - 1 as last_order_on) from rows")
    assert failed(settings) == {"first_order_on_is_not_after_last_order_on": "critical"}


def test_a_customer_without_a_segment_stops_the_run(settings, build):
    change(
        build / PROFILES,
        "select * replace (case when customer_id = 'c2' then null else segment_id end as segment_id) from rows",
    )
    assert failed(settings) == {"every_customer_has_a_segment": "critical", ADD_UP: "critical"}


@pytest.mark.parametrize(
    ("column", "check"),
    [
        ("churn_probability_28d", "every_customer_has_a_churn_probability"),
        ("any_product_id", "every_customer_has_a_recommendation"),
    ],
)
def test_a_customer_whom_a_model_passed_over_stops_the_run(settings, build, column, check):
    change(
        build / PROFILES, f"select * replace (case when customer_id != 'c2' then {column} end as {column}) from rows"
    )
    assert failed(settings) == {check: "critical"}


def test_a_probability_above_1_stops_the_run(settings, build):
    change(build / PROFILES, "select * replace (1.01 as churn_probability_28d) from rows")
    assert failed(settings) == {"churn_probability_28d_is_within_bounds": "critical"}


def test_a_customer_without_a_tag_stops_the_run(settings, build):
    change(build / TAGS, "select * from rows where customer_id != 'c2'")

    found = checked(settings)["every_customer_has_a_tag"]

    assert (found["passed"], found["severity"], found["failing_rows"]) == (False, "critical", 1)


@pytest.mark.parametrize(
    "fault",
    ["'25-34' as declared_value", "'declared' as status", "null as confidence", "1.5 as confidence"],
)
def test_an_inferred_value_that_passes_for_a_declared_one_stops_the_run(settings, build, fault):
    change(build / "attributes" / "customer_attributes.parquet", f"select * replace ({fault}) from rows")
    assert failed(settings) == {"declared_and_inferred_are_apart": "critical"}


@pytest.mark.parametrize(
    "change_of",
    [
        "select * from rows where customer_id != 'c2'",
        "select * from rows where customer_id != 'c2' or dimension = 1",
        "select * replace (if(customer_id = 'c2', 'nan'::double, value) as value) from rows",
        "select * replace (if(customer_id = 'c2', 'f0', model_fingerprint) as model_fingerprint) from rows",
    ],
    ids=["no vector", "half a vector", "no number", "another model"],
)
def test_a_vector_that_is_not_whole_stops_the_run(settings, build, change_of):
    change(build / "vectors" / "customer_vectors.parquet", change_of)
    assert failed(settings) == {"vectors_are_whole": "critical"}


@pytest.mark.parametrize("fault", ["'bread' as category", "'salt' as category", "10 as both_count"])
def test_a_new_category_that_is_bought_or_listed_twice_or_counted_wrong_stops_the_run(settings, build, fault):
    change(
        build / "categories" / "customer_new_categories.parquet",
        f"select * replace ({fault}) from rows where rank = 1 union all select * from rows where rank > 1",
    )
    assert failed(settings) == {"new_categories_are_new": "critical"}


def test_a_tiny_segment_is_told(settings, build):
    change(
        build / "segments" / "segments.parquet",
        "select * replace (999 as customer_count) from rows union all select 2, 'tiny', 1, 0.001",
    )

    found = checked(settings)["segments_are_large_enough"]

    assert (found["passed"], found["severity"]) == (False, "warning")
    assert found["observed"] == "segment 2: 1 of 1,000 customers (0.10 %)"


def test_a_feature_that_moved_since_the_models_learned_is_told(settings, build):
    assert "customers_are_as_the_models_know_them" not in checked(settings)  # nothing is known of a day before
    band = {"reference_on": "2024-03-01", "models": "f1", "edges": [5.0]}
    steady = {"kind": "score", "name": "churn_28d", **band, "reference": [0.5, 0.5, 0.0], "today": [0.5, 0.5, 0.0]}
    moved = {"kind": "feature", "name": "recency_days", **band, "reference": [0.5, 0.5, 0.0], "today": [0.9, 0.1, 0.0]}
    (build / "drift").mkdir()
    (build / "drift" / "drift.json").write_text(json.dumps({"drift": [steady, moved]}))

    found = checked(settings)["customers_are_as_the_models_know_them"]

    assert (found["passed"], found["severity"]) == (False, "warning")
    assert found["observed"] == "feature recency_days: 0.879 since 2024-03-01"


def test_a_home_without_products_segments_and_tags_has_fewer_checks(settings, build):
    change(build / PROFILES, "select * exclude (top_category, segment_id, segment_name, discount_share) from rows")
    change(build / LEVELS, "select * from rows where level = 'population'")
    (build / TAGS).unlink()
    (build / "segments" / "segments.parquet").unlink()

    found = checked(settings)

    assert all(check["passed"] for check in found.values())
    assert (
        not {"every_customer_has_a_segment", "every_customer_has_a_tag", "top_category_is_seldom_empty"} & found.keys()
    )


def test_a_cent_that_is_missing_in_the_portraits_stops_the_run(settings, build):
    change(build / PROFILES, "select * replace (net_spend - (customer_id = 'c2')::int * 0.01 as net_spend) from rows")

    found = checked(settings)

    wrong = [name for name, check in found.items() if not check["passed"]]
    assert sorted(wrong) == [ADD_UP, "portraits_hold_all_the_money"]
    assert found[ADD_UP]["observed"].startswith("net_spend of population all: 4.50, the persons together: 4.49")
    assert found["portraits_hold_all_the_money"]["observed"] == "spend 4.49 in the portraits, 4.50 landed"


def test_a_cent_too_much_in_everybodys_total_stops_the_run(settings, build):
    change(build / LEVELS, "select * replace (net_spend + (level = 'population')::int * 0.01 as net_spend) from rows")
    found = checked(settings)[ADD_UP]
    assert (found["passed"], found["severity"]) == (False, "critical")
    assert found["observed"].startswith("net_spend of population all: 4.51, the persons together: 4.50")


def test_a_customer_moved_to_another_segment_shows_though_the_sums_agree(settings, build):
    change(build / PROFILES, "select * replace (case customer_id when 'c1' then 2 else 1 end as segment_id) from rows")
    assert not checked(settings)["persons_segments_and_population_add_up"]["passed"]


def test_landed_rows_that_vanished_since_landing_stop_the_run(settings, build):
    [file] = settings.home.landing.rglob("*.parquet")
    change(file, "select * from rows where customer_id != 'c3'")
    change(build / PROFILES, "select * from rows where customer_id != 'c3'")
    (build / LEVELS).unlink()

    found = checked(settings)

    assert [name for name, check in found.items() if not check["passed"]] == ["landed_lines_are_all_there"]
    assert found["landed_lines_are_all_there"]["observed"] == "4 order lines accepted in the ledger, 3 landed"


def test_a_missing_customer_stops_the_run(settings, build):
    change(build / PROFILES, "select * from rows where customer_id != 'c3'")
    assert set(failed(settings)) == {
        ADD_UP,
        "portraits_hold_all_the_money",
        "portraits_hold_every_line",
        "portraits_hold_every_customer",
    }


def test_a_line_delivered_again_counts_as_its_latest_delivery_says(settings, build):
    landed = LandedHome(settings.home, _calls=1)
    landed.drop("order_lines", "2026-03-11", [line(3, "c2", f"{DAY} 17:00:00", net="9.99")])
    landed.call()
    later = Run(as_of=RUN.as_of, known_at=date(2026, 3, 11))
    portraits(
        settings.home.build(later.id),
        [profile("c1", DAY, "3.00", 2), profile("c2", DAY, "9.99", 1), profile("c3", DAY, "-0.75", 1)],
    )

    gates.check(settings, later, "profiles")
    gates.check(settings, RUN, "profiles")


def test_a_line_belongs_to_the_local_day_of_the_home(settings, build):
    landed = LandedHome(settings.home, _calls=1)
    # 03:30 UTC on 11 March is 23:30 on 10 March in New York; 04:30 is the day after.
    landed.drop(
        "order_lines",
        DAY,
        [line(5, "c3", "2026-03-11 03:30:00", net="0.50"), line(6, "c3", "2026-03-11 04:30:00", net="7.00")],
        source="web",
    )
    landed.call()
    portraits(
        build,
        [
            profile("c1", DAY, "3.00", 2),
            profile("c2", DAY, "2.25", 1),
            profile("c3", DAY, "-0.75", 1),
            profile("web:c3", DAY, "0.50", 1),
        ],
    )

    assert failed(replace(settings, time_zone="America/New_York")) == {}


def test_no_offending_value_is_ever_written(settings, build):
    change(
        build / PROFILES,
        f"select * replace ('{CANARY}' as customer_id, '{CANARY}' as recency_days, '{CANARY}' as top_category, "
        f"null::bigint as segment_id, '{CANARY}' as segment_name) from rows",
    )

    with pytest.raises(GateFailed) as caught:
        gates.check(settings, RUN, "profiles")

    said = gates.result_file(settings, RUN, "profiles").read_text()
    assert CANARY not in said and CANARY not in str(caught.value)
    assert "could not be checked: the rule cannot be evaluated on the values of customer_profiles" in said


def test_a_column_that_is_missing_fails_its_check_by_name(settings, build):
    change(build / PROFILES, "select * exclude (tenure_days) from rows")

    found = checked(settings)["customer_profiles_tenure_days_is_never_empty"]

    assert not found["passed"]
    assert found["observed"] == "could not be checked: customer_profiles has no column 'tenure_days'"


def test_a_home_states_its_own_limits(settings, build):
    change(
        build / "segments" / "segments.parquet",
        "select * replace (999 as customer_count) from rows union all select 2, 'tiny', 1, 0.001",
    )
    assert failed(replace(settings, gates=GateLimits(smallest_segment_warning_share=0.0005))) == {}
