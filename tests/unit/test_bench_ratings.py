"""What `make bench-ratings` measures by, on a handful of marks worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.ratings import cold, errors, predictors, ranking
from benchmarks.ratings.marks import Marks
from benchmarks.ratings.splits import by_chance, by_time

# Ann and Bob agree on two films, Cid disagrees; Dot has said nothing.
ANN, BOB, CID, DOT = range(4)
SHAPE = (4, 4)
MARKS = Marks(
    np.array([ANN, ANN, BOB, BOB, BOB, CID, CID, CID]),
    np.array([0, 1, 0, 1, 2, 0, 1, 2]),
    np.array([5.0, 3.0, 5.0, 3.0, 4.0, 1.0, 5.0, 1.0]),
    np.arange(8) * 86_400,
)


def estimated(predictor, user: int, item: int) -> float:
    return float(predictor(MARKS, SHAPE)(np.array([user]), np.array([item]))[0])


def test_the_nearest_neighbour_answers_alone_and_two_answer_by_their_likeness():
    assert estimated(predictors.neighbours("nothing", count=1), ANN, 2) == 4.0
    # Bob agrees with Ann (likeness 1). Cid is off by 4 and 2: mean square 10, likeness 1/11.
    assert estimated(predictors.neighbours("nothing"), ANN, 2) == pytest.approx((4 + 1 / 11) / (1 + 1 / 11))
    # The same told from the mean: Ann's is 4, Bob's 4, Cid's 7/3.
    expected = 4 + (0 * 1 + (1 - 7 / 3) / 11) / (1 + 1 / 11)
    assert estimated(predictors.neighbours("means"), ANN, 2) == pytest.approx(expected)


def test_slope_one_adds_the_mean_difference_of_the_films():
    # Film 2 is 1 and 0 below film 0 for Bob and Cid, +1 and -4 to film 1: means -0.5 and -1.5, together -1.
    assert estimated(predictors.slope_one, ANN, 2) == pytest.approx(4 - 1)


def test_a_film_or_user_nobody_knows_gets_the_mean_or_what_is_left_of_the_formula():
    mean = MARKS.mark.mean()
    for predictor in (predictors.neighbours("nothing"), predictors.slope_one, predictors.baseline):
        assert estimated(predictor, DOT, 3) == pytest.approx(mean)


def test_biases_are_shrunk_means_of_what_is_left():
    mean, user, item = predictors.biases(MARKS, SHAPE, rounds=1)
    # Film 0: 5 + 5 + 1 less three means, over 10 + 3; then Ann's rest over 15 + 2.
    assert item[0] == pytest.approx((11 - 3 * mean) / 13)
    assert user[ANN] == pytest.approx((8 - 2 * mean - item[0] - item[1]) / 17)
    assert user[DOT] == item[3] == 0


def test_factors_rebuild_marks_that_have_one_taste():
    rng = np.random.default_rng(1)
    taste, kind = rng.choice([-1.0, 1.0], 30), rng.choice([-1.0, 1.0], 20)
    user, item = (numbers.ravel() for numbers in np.indices((30, 20)))
    marks = Marks(user, item, 3 + taste[user] * kind[item], np.zeros(600))
    is_learned = rng.random(600) < 0.8
    estimate = predictors.factors(rank=2, regularisation=0.01)(marks.of(is_learned), (30, 20))
    held = marks.of(~is_learned)
    assert np.abs(estimate(held.user, held.item) - held.mark).mean() < 0.1


def test_every_mark_is_judged_once_by_what_was_not_learned_from_it():
    found = list(errors.folds(11))
    assert sorted(np.concatenate([judged for _, judged in found])) == list(range(11))
    assert [len(judged) for _, judged in found] == [3, 2, 2, 2, 2]
    assert all(not np.isin(judged, learned).any() for learned, judged in found)


def test_a_split_by_time_never_learns_from_later_and_one_by_chance_keeps_each_users_share():
    split = by_time(MARKS, 0.5)
    assert split.learned.at.max() < split.held.at.min()
    drawn = by_chance(MARKS, 0.5)
    assert np.bincount(drawn.learned.user).tolist() == [1, 2, 2]
    assert len(drawn.learned.user) + len(drawn.held.user) == 8


def test_figures_of_a_list_are_those_worked_out_by_hand():
    held = Marks(np.array([ANN, ANN, BOB]), np.array([1, 3, 0]), np.ones(3), np.zeros(3))
    lists = np.full((4, 10), ranking.NOTHING)
    lists[ANN, :3] = [1, 2, 3]  # hits at the ranks 1 and 3
    lists[BOB, :1] = [2]
    found = ranking.figures(lists, held, SHAPE)
    assert found["map"] == pytest.approx([(1 + 2 / 3) / 2, 0])
    assert found["precision"] == pytest.approx([0.2, 0])
    assert found["recall"] == pytest.approx([1, 0])
    assert found["hr"].tolist() == [1, 0]


def test_sar_recommends_the_like_of_what_was_marked_and_nothing_twice():
    lists = ranking.sar(MARKS, SHAPE)
    assert lists[ANN, 0] == 2
    assert lists[DOT].tolist() == [0, 1, 2, 3]


def test_a_stranger_gets_what_the_own_group_marks_and_a_small_group_says_little():
    declared = pd.DataFrame({"gender": ["f", "f", "m", "m"]})
    known = Marks(np.array([0, 1, 2, 2]), np.array([0, 0, 1, 2]), np.ones(4), np.zeros(4))
    assert cold.lists(known, SHAPE, declared, (), 1.0)[3, 0] == 0
    assert cold.lists(known, SHAPE, declared, ("gender",), 0.01)[3].tolist()[:2] == [1, 2]
    assert cold.lists(known, SHAPE, declared, ("gender",), 1000.0)[3, 0] == 0
