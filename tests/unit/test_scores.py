"""The arithmetic of the scores: labels, history, AUC and its paired intervals, calibration."""

import numpy as np
import pandas as pd
import pytest

from spark_jobs.scores import calibration, examples, history, resampling
from spark_jobs.scores.history import CategoryDays
from spark_jobs.scores.params import ScoreParams

PARAMS = ScoreParams()
CUTOFF = 1000


def days(*rows: tuple[int, int, int, int]) -> CategoryDays:
    """Rows of customer, category, day, orders, for customers a and b and categories tea and milk."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return CategoryDays(["a", "b"], ("tea", "milk"), *columns)


# a bought tea on the cut-off and 28 and 91 days before, milk never; b milk once, 10 days before.
BOUGHT = ((0, 0, CUTOFF, 1), (0, 0, CUTOFF - 28, 2), (0, 0, CUTOFF - 91, 1), (1, 1, CUTOFF - 10, 1))


def past(rows: CategoryDays) -> pd.DataFrame:
    return history.category_history(
        rows, np.array([0, 1]), CUTOFF, np.array([8.0, 2.0]), np.array([200.0, 30.0]), PARAMS
    )


def test_the_history_of_a_customer_and_category_is_counted_up_to_the_cut_off():
    table = past(days(*BOUGHT))
    tea_of_a, milk_of_a, tea_of_b, milk_of_b = (table.iloc[row] for row in range(4))
    assert (tea_of_a["category_order_count"], tea_of_a["category_order_count_28d"]) == (4, 1)
    assert tea_of_a["category_order_count_91d"] == 3
    assert tea_of_a["category_recency_days"] == 0
    assert tea_of_a["category_order_share"] == 0.5  # 4 of 8 orders
    assert tea_of_a["category_decayed_count"] == pytest.approx(1 + 2 * 0.5 + 0.5 ** (91 / 28))
    assert milk_of_a["category_order_count"] == 0
    assert milk_of_a["category_recency_days"] == 201  # never: as if the day before the first order
    assert tea_of_b["category_recency_days"] == 31
    assert milk_of_b["category_recency_days"] == 10
    assert list(table["category_customer_share_28d"]) == [0.5, 0.5, 0.5, 0.5]


def test_what_happens_after_the_cut_off_changes_no_feature():
    later = [(customer, category, CUTOFF + 1, 9) for customer in (0, 1) for category in (0, 1)]
    pd.testing.assert_frame_equal(past(days(*BOUGHT)), past(days(*BOUGHT, *later)))


def test_a_purchase_counts_from_the_day_after_the_cut_off_to_the_28th():
    rows = days((0, 0, CUTOFF, 1), (0, 1, CUTOFF + 1, 1), (1, 0, CUTOFF + 28, 1), (1, 1, CUTOFF + 29, 1))
    assert list(history.bought_after(rows, np.array([0, 1]), CUTOFF, PARAMS)) == [0, 1, 1, 0]


def test_whoever_orders_within_28_days_does_not_stay_away():
    features = pd.DataFrame({"customer_id": list("abcd"), "as_of": CUTOFF, "recency_days": 1.0})
    orders = pd.DataFrame({"customer_id": list("abc"), "day": [CUTOFF, CUTOFF + 28, CUTOFF + 29]})
    assert list(examples.churn(features, orders, PARAMS).label) == [1, 0, 1, 1]


def test_a_customer_who_never_bought_of_the_categories_has_rows_too():
    features = pd.DataFrame(
        {"customer_id": ["a", "new"], "as_of": CUTOFF, "order_count": [8.0, 1.0], "tenure_days": [200.0, 3.0]}
    )
    rows = examples.category(features, days(*BOUGHT), PARAMS)
    assert list(rows.customer_id) == ["a", "a", "new", "new"]
    assert list(rows.category) == ["tea", "milk", "tea", "milk"]
    assert list(rows.features["category_order_count"]) == [4, 0, 0, 0]
    assert list(rows.features["category_recency_days"]) == [0, 201, 4, 4]


def test_a_column_that_is_left_out_or_empty_is_no_feature():
    features = pd.DataFrame({"customer_id": ["a"], "as_of": CUTOFF, "order_count": 1.0, "x": np.nan, "recency_days": 2})
    assert examples.feature_columns(features, PARAMS) == ["recency_days"]


def test_a_cut_off_needs_customers_and_both_outcomes():
    cutoffs = np.repeat([1, 2, 3], 60)
    label = np.concatenate([np.zeros(60), np.repeat([1.0, 0.0], 30), np.repeat([1.0, 0.0], [51, 9])])
    rows = examples.Examples(cutoffs.astype(str), cutoffs, cutoffs.astype(str), pd.DataFrame(index=range(180)), label)
    assert examples.usable_cutoffs(rows, [1, 2, 3, 4], PARAMS) == [2]


def test_shuffling_keeps_the_number_of_events_of_every_cut_off():
    cutoffs = np.repeat([1, 2], 50)
    label = np.concatenate([np.repeat([1.0, 0.0], [10, 40]), np.repeat([1.0, 0.0], [30, 20])])
    rows = examples.Examples(cutoffs.astype(str), cutoffs, np.full(100, ""), pd.DataFrame(index=range(100)), label)
    dealt = rows.shuffled(1).label
    assert (dealt[:50].sum(), dealt[50:].sum()) == (10, 30)
    assert (dealt != label).any()


ONCE = np.ones((4, 1))
LABELS = np.array([1.0, 0.0, 1.0, 0.0])


def test_equal_scores_count_half_in_the_auc():
    # Pairs of event and none: .9>.8, .9>.1, .8=.8 (half), .8>.1
    assert resampling.auc(LABELS, np.array([0.9, 0.8, 0.8, 0.1]), ONCE) == [3.5 / 4]


def test_the_auc_is_unknown_where_a_class_is_missing():
    assert np.isnan(resampling.auc(LABELS, np.arange(4.0), np.array([[1.0], [0.0], [1.0], [0.0]]))).all()


def test_the_brier_score_is_the_mean_squared_error():
    weights = np.array([[1.0, 2.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    found = resampling.brier(LABELS, np.array([0.5, 0.5, 1.0, 0.0]), weights)
    assert list(found) == [0.5 / 4, 0.25]


def test_a_paired_interval_by_hand_on_four_rows():
    labels = np.array([1.0, 1.0, 0.0, 0.0])
    # Columns: each once; the first customer twice and the second not; the other way round.
    drawn = np.array([[1.0, 2.0, 0.0], [1.0, 0.0, 2.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    customers, group = np.arange(4), np.zeros(4, dtype=int)
    good, _ = resampling.by_group(group, customers, drawn, labels, np.array([4.0, 3, 2, 1]), labels)
    poor, _ = resampling.by_group(group, customers, drawn, labels, np.array([4.0, 1, 3, 2]), labels)
    assert good.tolist() == [[1, 1, 1]]
    assert poor.tolist() == [[0.5, 1, 0]]
    found = resampling.replicates(good).minus(resampling.replicates(poor)).interval()
    # The differences are 0 and 1: their 2.5th and 97.5th percentiles lie between them.
    assert (found.value, found.low, found.high) == (0.5, 0.025, 0.975)


def test_the_mean_over_groups_passes_over_a_group_without_an_auc():
    assert resampling.replicates(np.array([[0.6, np.nan], [0.8, 0.9]])).value == pytest.approx(0.7)
    assert resampling.replicates(np.array([[0.6, np.nan], [0.8, 0.9]])).resamples == [0.9]


def test_customers_are_drawn_whole_and_alike_every_time():
    drawn = resampling.draws(5, 3, seed=1)
    assert drawn.shape == (5, 4)
    assert drawn[:, 0].tolist() == [1, 1, 1, 1, 1]
    assert drawn.sum(axis=0).tolist() == [5, 5, 5, 5]
    assert (drawn == resampling.draws(5, 3, seed=1)).all()


def test_a_sigmoid_gives_probabilities_that_rise_with_the_score():
    rng = np.random.default_rng(3)
    scores = rng.normal(5, 3, 4000)
    labels = (rng.uniform(size=4000) < 1 / (1 + np.exp(-(0.8 * scores - 4)))).astype(float)
    sigmoid = calibration.fit_sigmoid(scores, labels)
    assert sigmoid.slope == pytest.approx(0.8, abs=0.06)
    assert sigmoid.intercept == pytest.approx(-4, abs=0.3)
    found = sigmoid(np.linspace(-50, 50, 1001))
    assert ((found >= 0) & (found <= 1)).all() and (np.diff(found) >= 0).all()
    once = np.ones((4000, 1))
    assert resampling.auc(labels, scores, once) == resampling.auc(labels, sigmoid(scores), once)


def test_a_score_that_says_the_contrary_never_turns_the_order_round():
    scores = np.arange(100.0)
    assert calibration.fit_sigmoid(scores, (scores < 50).astype(float)).slope == 0.001


def test_labels_of_one_kind_give_a_probability_near_them_and_never_1():
    sigmoid = calibration.fit_sigmoid(np.zeros(98), np.ones(98))
    assert sigmoid(np.zeros(1)) == pytest.approx(99 / 100, abs=0.001)


def test_the_calibration_error_by_hand():
    probabilities = np.array([0.1, 0.3, 0.6, 0.8])
    table = calibration.reliability(np.array([0.0, 0.0, 1.0, 0.0]), probabilities, bins=2)
    assert table == [{"probability": 0.2, "share": 0.0, "rows": 2}, {"probability": 0.7, "share": 0.5, "rows": 2}]
    assert calibration.expected_error(table) == pytest.approx(0.2)  # (2 x 0.2 + 2 x 0.2) / 4


def test_probabilities_that_are_too_sure_have_a_slope_below_1():
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 1, 5000)
    labels = (rng.uniform(size=5000) < 1 / (1 + np.exp(-logits))).astype(float)
    assert calibration.slope(labels, 1 / (1 + np.exp(-2 * logits))) == pytest.approx(0.5, abs=0.05)
