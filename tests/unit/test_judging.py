"""The judge, worked by hand: AUC and its paired intervals, calibration, the split by time, leaks."""

import numpy as np
import pytest

from huaxiang.judging import calibration, leaks, resampling, splits
from huaxiang.judging.cost import Cost
from huaxiang.tracking.promotion import Interval

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


def test_an_interval_holds_the_middle_of_its_resamples_in_any_order():
    rising, falling = np.arange(101.0), np.arange(101.0)[::-1]
    for resamples in (rising, falling):
        assert resampling.Replicates(50.0, resamples).interval() == Interval(50.0, 2.5, 97.5)
    assert Interval(50.0, 2.5, 97.5).figures("x") == {"x": 50.0, "x_low": 2.5, "x_high": 97.5}


def test_customers_are_drawn_whole_and_alike_every_time():
    drawn = resampling.draws(5, 3, seed=1)
    assert drawn.shape == (5, 4)
    assert drawn[:, 0].tolist() == [1, 1, 1, 1, 1]
    assert drawn.sum(axis=0).tolist() == [5, 5, 5, 5]
    assert (drawn == resampling.draws(5, 3, seed=1)).all()


def test_the_interval_of_a_mean_holds_it_and_is_the_same_each_time():
    values = np.array([0.0, 1.0] * 200)
    found = resampling.mean(values, resampling.draws(400, 500, seed=1)).interval()
    assert found.value == 0.5
    # The standard error of a mean of 400 coin tosses is 0.025, so 95 % lie within 0.05, and 68 % within 0.025.
    assert (found.low, found.high) == pytest.approx((0.45, 0.55), abs=0.01)
    assert found == resampling.mean(values, resampling.draws(400, 500, seed=1)).interval()
    narrower = resampling.mean(values, resampling.draws(400, 500, seed=1)).interval(outside=0.32)
    assert (narrower.low, narrower.high) == pytest.approx((0.475, 0.525), abs=0.005)


def test_rows_drawn_anew_are_as_many_of_the_same_and_alike_every_time():
    rows = np.arange(10).reshape(5, 2)
    first, second = resampling.redrawn(rows, 2, seed=1)
    assert first.shape == (5, 2) and {tuple(row) for row in first} <= {tuple(row) for row in rows}
    assert (first != second).any()
    assert (first == next(resampling.redrawn(rows, 2, seed=1))).all()


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


def test_a_rising_line_by_hand():
    # Two groups of 60 rows: 15 of the first and 45 of the second have the event.
    scores, labels = (
        np.repeat([1.0, 3.0], 60),
        np.concatenate([np.repeat([1.0, 0.0], [15, 45]), np.repeat([1.0, 0.0], [45, 15])]),
    )
    line = calibration.fit_isotonic(scores, labels)
    assert line.scores == (1.0, 3.0)
    assert line(np.array([0.0, 1.0, 2.0, 9.0])) == pytest.approx([0.25, 0.25, 0.5, 0.75], abs=1e-6)


def test_a_line_that_would_fall_is_flat():
    scores, labels = (
        np.repeat([1.0, 3.0], 60),
        np.concatenate([np.repeat([1.0, 0.0], [45, 15]), np.repeat([1.0, 0.0], [15, 45])]),
    )
    assert calibration.fit_isotonic(scores, labels)(np.array([1.0, 3.0])) == pytest.approx([0.5, 0.5])


def test_the_kind_of_calibration_is_chosen_on_the_last_known_day():
    rng = np.random.default_rng(4)
    scores, days = rng.uniform(-3, 3, 12_000), np.repeat([1, 2, 3], 4_000)
    codes = np.zeros(12_000, dtype=int)
    stepped = (rng.uniform(size=12_000) < np.where(scores > 1, 0.6, 0.1)).astype(float)  # no sigmoid
    smooth = (rng.uniform(size=12_000) < 1 / (1 + np.exp(-scores))).astype(float)
    assert calibration.chosen(scores, stepped, days, codes) == calibration.ISOTONIC
    assert calibration.chosen(scores, smooth, days, codes) == calibration.SIGMOID
    assert calibration.chosen(scores, stepped, np.ones(12_000), codes) == calibration.SIGMOID  # nothing to choose by


def test_nine_cut_offs_give_six_that_are_judged_and_the_two_before_calibrate():
    found = splits.plan(range(0, 9 * 28, 28), 28, judged=6, fewest_judged=2, calibrating=2)
    assert found.judged == (84, 112, 140, 168, 196, 224)
    assert found.walked == (28, 56, *found.judged)
    assert found.known(84) == (28, 56)
    assert found.known(140) == (28, 56, 84, 112)


def test_the_latest_two_days_calibrate_and_more_while_they_hold_few_events():
    events = {28: 90.0, 56: 100.0, 84: 40.0, 112: 60.0}
    assert splits.calibrating((28, 56, 84, 112), events, 2, 100) == (84, 112)
    assert splits.calibrating((28, 56, 84, 112), events, 2, 101) == (56, 84, 112)
    assert splits.calibrating((28, 56, 84, 112), events, 2, 999) == (28, 56, 84, 112)
    assert splits.calibrating((28,), events, 2, 999) == (28,)


def test_with_a_shorter_history_fewer_are_judged_and_at_last_none():
    assert splits.plan(range(0, 112, 28), 28, 6, 2, 2).judged == (56, 84)
    with pytest.raises(splits.TooFewCutoffs, match="1 of 3 cut-offs can be judged, and 2 are needed"):
        splits.plan(range(0, 84, 28), 28, 6, 2, 2)


def test_a_longer_window_has_to_be_over_before_it_teaches_or_calibrates():
    found = splits.plan(range(0, 9 * 28, 28), 56, judged=6, fewest_judged=2, calibrating=2)
    assert found.judged == (112, 140, 168, 196, 224)  # learned from up to 56, calibrated at 56 by what 0 taught
    assert found.known(112) == (56,)
    assert found.known(168) == (56, 84, 112)


def test_a_split_that_is_not_by_time_is_refused():
    splits.require_known([0, 28], 56, 28)
    with pytest.raises(splits.LeakySplit, match="a split that is not by time is refused: what is judged at day 56"):
        splits.require_known([0, 28, 29], 56, 28)
    shuffled = np.random.default_rng(1).choice(252, 100)  # days of a random split
    with pytest.raises(splits.LeakySplit, match="learn from days up to 168 only"):
        splits.require_known(shuffled, 196, 28)


def test_labels_are_dealt_out_anew_within_each_group_only():
    labels, groups = np.repeat([1.0, 0.0, 1.0, 0.0], [10, 40, 30, 20]), np.repeat([0, 1], 50)
    dealt = leaks.dealt_anew(labels, groups, seed=1)
    assert (dealt[:50].sum(), dealt[50:].sum()) == (10, 30)
    assert (dealt != labels).any()


def test_labels_dealt_out_that_can_be_foretold_are_no_chance():
    assert leaks.is_by_chance(np.array([0.51, 0.49, 0.519]))
    assert not leaks.is_by_chance(np.array([0.58, 0.57, 0.59]))
    assert leaks.is_by_chance(np.array([0.40, 0.70]))  # so few customers say nothing


def test_a_column_without_which_everything_is_much_worse_is_named():
    # The label itself among the columns: without it .70, with it 1; the two others add .01 and nothing.
    aucs = {(0, 1, 2): 0.99, (1, 2): 0.70, (0, 2): 0.98, (0, 1): 0.99}
    found = leaks.lone_columns(["label", "recency", "spend"], lambda places: aucs[tuple(places)])
    assert found == {"label": pytest.approx(0.29)}


def test_a_cost_adds_up_seconds_and_keeps_the_highest_peak():
    cost = Cost()
    for size in (30_000_000, 1_000):
        with cost:
            np.ones(size // 8).sum()
    assert cost.seconds > 0
    assert cost.memory_mb is None or 20 < cost.memory_mb < 60
