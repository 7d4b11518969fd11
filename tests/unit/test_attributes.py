"""What may be inferred, how it is judged against the commonest value, and which factors come back."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from huaxiang.errors import BadConfiguration
from spark_jobs.attributes import allowed, factors, inference, inputs, judge, portable, portable_factors
from spark_jobs.attributes.inputs import Bought
from spark_jobs.attributes.params import AttributeParams

PARAMS = replace(AttributeParams(), repeats=1, resamples=300, penalties=(1.0,), splits=2, judged_splits=4)


@pytest.mark.parametrize(
    "attribute",
    ["religion", "health_status", "ethnic_group", "sexual_orientation", "political_party", "children", "minors",
     "household_type", "has_kids", "criminal_record"],
)  # fmt: skip
def test_a_sensitive_attribute_is_refused_with_the_reason_and_the_mend(attribute):
    with pytest.raises(BadConfiguration, match=f"'{attribute}' is never inferred, since it speaks of .*: take it out"):
        allowed.require([attribute])


def test_an_attribute_that_its_contract_calls_sensitive_is_refused_whatever_its_name():
    with pytest.raises(BadConfiguration, match="'home_ownership' is never inferred, since its contract"):
        allowed.require(AttributeParams().attributes, sensitive={"home_ownership"})


def test_what_is_tried_by_itself_may_be_tried():
    allowed.require(AttributeParams().attributes)


@pytest.mark.parametrize(
    ("category", "why"),
    [("BEERS/ALES", "alcohol"), ("CIGARETTES", "tobacco"), ("BABY FOODS", "minors"), ("COLD AND FLU", "health"),
     ("FAMILY PLANNING", "intimacy"), ("HISPANIC", "religion or origin"), ("COUPON/MISC ITEMS", "a collective name"),
     ("CRACKERS/MISC BKD FD", None), ("DOG FOODS", None), ("MEATS", None)],
)  # fmt: skip
def test_purchases_that_say_too_much_of_a_person_are_not_looked_at(category, why):
    assert allowed.excluded(category) == why


def test_orders_become_a_row_per_customer_asked_and_a_column_per_category_asked():
    bought = Bought(("a", "b"), ("milk", "tea"), np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([2.0, 3.0, 5.0]))
    found = bought.table(np.array(["b", "new", "a"], dtype=object), ("tea", "salt"))
    assert found.tolist() == [[5, 0], [0, 0], [3, 0]]


def test_a_category_counts_that_enough_customers_bought():
    # Of four customers three bought tea, two milk, one salt.
    who, what = np.array([0, 1, 2, 0, 1, 0]), np.array([2, 2, 2, 0, 0, 1])
    bought = Bought(("a", "b", "c", "d"), ("milk", "salt", "tea"), who, what, np.ones(6))
    assert inputs.common_categories(bought, 4, replace(PARAMS, category_share=0.5)) == ("milk", "tea")
    assert inputs.common_categories(bought, 4, replace(PARAMS, category_share=0.0, most_categories=1)) == ("tea",)


def test_folds_deal_out_each_value_evenly():
    codes = np.array([0] * 10 + [1] * 5)
    places = inference.folds(codes, 5, seed=1)
    assert [(places[codes == 0] == fold).sum() for fold in range(5)] == [2] * 5
    assert [(places[codes == 1] == fold).sum() for fold in range(5)] == [1] * 5


def test_logits_that_are_too_sure_get_a_temperature_above_1():
    # Says 95 : 5 and is right three times of four: ln 19 / T = ln 3, so T = 2.7.
    logits = np.tile([np.log(19.0), 0.0], (400, 1))
    codes = np.array([0, 0, 0, 1] * 100)
    assert inference.best_temperature(logits, codes) == pytest.approx(np.log(19) / np.log(3), rel=0.03)


def test_a_value_is_said_only_from_the_least_confidence_and_above_its_share():
    shares = np.array([0.9, 0.1])
    said = judge.says(np.array([[0.6, 0.4], [0.85, 0.15], [0.95, 0.05], [0.2, 0.8]]), shares, PARAMS)
    # Not sure enough; sure, but less than everybody is; surer than that; sure of the rare value.
    assert said.tolist() == [False, False, True, True]


def test_an_interval_by_hand_over_two_draws():
    # The first customer twice and the second not, and the other way round.
    found = judge.interval(np.array([[1.0], [0.0]]), np.array([[2.0, 0.0], [0.0, 2.0]]), level=0.0)
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)


def planted(strength: float, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """600 customers, three figures; the first tells of one of two values as surely as `strength` says."""
    rng = np.random.default_rng(seed)
    codes = (rng.random(600) < 0.4).astype(int)
    points = rng.normal(size=(600, 3))
    points[:, 0] += strength * (codes - 0.5)
    return points, codes


def test_an_attribute_that_purchases_tell_of_is_inferred_and_its_confidence_comes_true():
    found = judge.verdict(judge.trial(*planted(2.5), 2, PARAMS), 5, PARAMS)
    assert found.is_inferred, found.reason
    assert found.metrics["accuracy_gain_low"] > 0.1
    assert found.metrics["published_accuracy_gain_low"] > 0
    assert found.metrics["published_accuracy"] > found.metrics["accuracy"]
    assert "confidence comes true" in found.reason


def test_an_attribute_that_purchases_do_not_tell_of_stays_unknown():
    found = judge.verdict(judge.trial(*planted(0.0), 2, PARAMS), 5, PARAMS)
    assert not found.is_inferred
    assert found.metrics["accuracy_gain_low"] <= 0
    assert found.reason.startswith("not surely righter than the commonest value")


def test_confidence_that_does_not_come_true_is_not_published():
    # Right in 70 of 100, says 99 %; the commonest value is right in 50.
    rows = np.arange(400)
    right, common = (rows % 10 < 7).astype(float)[:, None], (rows % 2).astype(float)[:, None]
    sure = np.linspace(0.97, 0.995, 400)[:, None]
    surer = np.full((400, 1), 0.4)
    trial = judge.Trial(right, common, surer, surer + 0.1 + 0.01 * right, sure, np.ones((400, 1)))
    found = judge.verdict(trial, 1, PARAMS)
    assert not found.is_inferred
    assert "its confidence does not come true" in found.reason


def test_what_does_not_hold_of_customers_like_the_rest_is_not_inferred():
    # Right where the figures are those of the declared; of the few who are like the rest, no better than the commonest.
    points, codes = planted(2.5)
    rest = np.arange(600) % 10 == 0
    points[rest, 0] = 0.0
    trial = judge.trial(points, codes, 2, PARAMS)
    alike = np.where(rest, 10.0, 0.001)
    found = judge.verdict(trial, 5, PARAMS, alike)
    assert judge.verdict(trial, 5, PARAMS).is_inferred
    assert not found.is_inferred
    assert "customers like those who declared nothing" in found.reason


def test_a_customer_is_the_likelier_one_of_the_rest_the_more_like_them_they_are():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(200, 1))
    points[100:] += 1.0
    found = judge.likeness(points, np.arange(100), np.arange(100, 200), PARAMS)
    assert found.mean() == pytest.approx(1.0)
    assert np.corrcoef(found, points[:100, 0])[0, 1] > 0.9
    assert judge.likeness(points, np.arange(3), np.arange(0), PARAMS).tolist() == [1, 1, 1]


def test_a_customer_without_a_sure_value_gets_none():
    attribute = {"values": ["Owner", "Renter"], "shares": [0.5, 0.5], "weights": [[0.0, 2.0]], "intercepts": [0.0, 0.0],
                 "temperature": 1.0}  # fmt: skip
    values, confidence = portable.answers(attribute, np.array([[1.0], [0.1], [-1.0]]), 0.7)
    assert values.tolist() == ["Renter", None, "Owner"]
    # 1 / (1 + e^-2) both ways; the second row would have 1 / (1 + e^-.2) = .55
    assert confidence[[0, 2]].tolist() == [0.880797, 0.880797]
    assert np.isnan(confidence[1])


def test_figures_and_orders_are_logged_scaled_and_clipped():
    model = {
        "figures": [{"name": "x", "typical": np.e - 1}],
        "means": [0.0, 1.0],
        "deviations": [1.0, 0.1],
        "clip": 4.0,
    }
    points = portable.points(model, pd.DataFrame({"x": [np.nan, -5.0]}), np.array([[np.e - 1], [1000.0]]))
    assert points == pytest.approx(np.array([[1.0, 0.0], [0.0, 4.0]]))


def test_phi_matches_factors_whatever_their_order():
    first = np.array([[1.0, 0.0], [0.0, 1.0]])
    other = np.array([[0.6, 0.8], [0.8, 0.6]])
    assert factors.phi(first, other).tolist() == [0.8, 0.8]  # swapped
    assert factors.phi(first, other, other) == pytest.approx(1.0)  # the counterparts are the same


def baskets(seed: int = 5) -> np.ndarray:
    """400 customers of two kinds, 6 categories each kind's own, and 3 that both buy."""
    rng = np.random.default_rng(seed)
    kind = rng.random(400) < 0.5
    rates = np.where(kind[:, None], [3.0] * 6 + [0.1] * 6 + [1.0] * 3, [0.1] * 6 + [3.0] * 6 + [1.0] * 3)
    return rng.poisson(rates).astype(float)


def test_factors_that_are_there_come_back_and_explain_more_than_shuffled_ones():
    found = factors.find(baskets(), replace(PARAMS, factor_counts=(2,)))
    assert (found.stability > 0.95).all() and (found.found_share == 1).all()
    tops = {frozenset(np.argsort(-row)[:6].tolist()) for row in found.loadings}
    assert tops == {frozenset(range(6)), frozenset(range(6, 12))}
    assert (found.explained - found.baseline_explained).min() > 0.1


def test_more_factors_than_there_are_do_not_all_come_back():
    found = factors.find(baskets(), replace(PARAMS, factor_counts=(2, 8)))
    assert len(found.loadings) == 2
    assert [row["stable"] < row["factors"] for row in found.tried] == [False, True]


def test_the_number_of_factors_is_that_of_which_most_come_back_the_smaller_of_equals():
    tried = [{"factors": 3, "stable": 3}, {"factors": 5, "stable": 4}, {"factors": 8, "stable": 4}]
    assert factors.chosen(tried) == 5


def test_weights_are_not_negative_and_find_what_was_put_in():
    loadings = np.array([[1.0, 0.0, 0.0], [0.6, 0.8, 0.0]])
    table = np.array([[2.0, 0.0, 0.0], [0.6, 0.8, 0.0], [1.6, 0.8, 0.0], [0.0, 0.0, 1.0]])
    assert portable_factors.weights(table, loadings) == pytest.approx(
        np.array([[2, 0], [0, 1], [1, 1], [0, 0]]), abs=1e-6
    )


def test_of_whom_too_little_is_known_no_factor_weighs():
    model = {"rarity": [1.0, 1.0], "factors": [{"loadings": [1.0, 0.0]}], "fewest_purchases": 20}
    found = portable_factors.answers(model, np.array([[30.0, 0.0], [19.0, 0.0]]))
    assert found.tolist() == [[1.0], [0.0]]
