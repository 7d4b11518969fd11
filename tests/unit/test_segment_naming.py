import numpy as np
import pandas as pd
import pytest

from spark_jobs.segments.naming import Fact, facts, in_name_order, names, said
from spark_jobs.segments.params import SegmentParams

PARAMS = SegmentParams()


def customers(**groups_of_means):
    """Forty customers for each mean of every feature, in the order given, spread evenly by a tenth around it."""
    return pd.DataFrame(
        {feature: np.concatenate([mean + np.linspace(-0.1, 0.1, 40) for mean in means]) for feature, means in
         groups_of_means.items()}
    )  # fmt: skip


def labelled(count):
    return np.repeat(np.arange(count), 40)


def fact(word, effect, family="activity"):
    return Fact("feature", word, family, "", 0.0, 0.0, effect, 0.0)


def test_a_word_states_both_figures_of_a_tested_difference():
    found = facts(customers(order_count_91d=[9.2, 3.1]), labelled(2), PARAMS)
    assert [(f.word, f.statement) for f in found[0]] == [
        ("frequent", "orders in 91 days: 9.2 against 3.1 for the others")
    ]
    assert [f.word for f in found[1]] == ["occasional"]
    assert found[0][0].effect == 1.0
    assert found[0][0].p_value < 0.01


def test_groups_that_are_alike_get_no_word():
    assert facts(customers(order_count_91d=[5, 5], basket_net_mean=[20, 20]), labelled(2), PARAMS) == {0: [], 1: []}


def test_a_difference_among_few_customers_is_not_enough():
    few = pd.DataFrame({"order_count_91d": [9.0, 8.0, 1.0, 2.0]})
    assert facts(few, np.array([0, 0, 1, 1]), PARAMS) == {0: [], 1: []}


def test_a_sure_but_small_difference_is_not_enough():
    rng = np.random.default_rng(1)
    shifted = pd.DataFrame({"order_count_91d": np.concatenate([rng.normal(10, 1, 5000), rng.normal(10.3, 1, 5000)])})
    labels = np.repeat([0, 1], 5000)
    assert facts(shifted, labels, PARAMS)[1] == []
    assert [f.word for f in facts(shifted * [1], labels, SegmentParams(smallest_effect=0.1))[1]] == ["frequent"]


def test_only_customers_away_for_eight_weeks_are_called_lapsed():
    assert [f.word for f in facts(customers(recency_days=[60, 5]), labelled(2), PARAMS)[0]] == ["lapsed"]
    assert facts(customers(recency_days=[20, 5]), labelled(2), PARAMS)[0] == []


def test_a_name_holds_one_word_of_a_family_and_reads_in_a_fixed_order():
    found = {
        0: [fact("low spend", -0.9, "spend"), fact("occasional", -0.8), fact("lapsed", 0.7)],
        1: [fact("large baskets", 0.5, "baskets"), fact("coupon-minded", 0.4, "coupons"), fact("frequent", 0.4)],
    }
    assert names(found, PARAMS) == {0: ("lapsed", "low spend"), 1: ("frequent", "coupon-minded", "large baskets")}


def test_equal_names_take_their_next_tested_word():
    three = [fact("frequent", 0.9), fact("large baskets", 0.8, "baskets"), fact("big spenders", 0.7, "spend")]
    found = {0: [*three, fact("coupon-minded", 0.5, "coupons")], 1: [*three]}
    assert names(found, PARAMS) == {
        0: ("frequent", "coupon-minded", "large baskets", "big spenders"),
        1: ("frequent", "large baskets", "big spenders"),
    }


def test_names_differ_even_when_no_test_tells_the_segments_apart():
    assert names({0: [], 1: [], 2: [fact("frequent", 0.9)]}, PARAMS) == {
        0: ("no marked difference",),
        1: ("no marked difference", "group 2"),
        2: ("frequent",),
    }


def test_a_single_segment_is_all_customers():
    assert names({0: []}, PARAMS) == {0: ("all customers",)}


def test_the_facts_behind_a_name_come_first():
    tested = [fact("occasional", -0.9), fact("lapsed", 0.8)]
    assert [f.word for f in in_name_order(tested, ["lapsed"])] == ["lapsed", "occasional"]


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [(9.2, "number", "9.2"), (0.058, "number", "0.06"), (0.123, "share", "12.3 %"), (1002.2, "money", "1,002.20 USD")],
)
def test_figures_are_said_plainly(value, kind, text):
    assert said(value, kind, "USD") == text
