"""What keeps the scores of several fits on one scale, so that earlier fits can calibrate later ones."""

import numpy as np
import pytest

from spark_jobs.scores import classifiers
from spark_jobs.scores.params import ScoreParams

PARAMS = ScoreParams()


def test_a_leaf_without_an_event_is_not_taken_at_its_word():
    # 1,000 rows with the lower figure and no event; 200 with the higher one, 50 of them with the event.
    values = np.repeat([[0.0], [1.0]], [1000, 200], axis=0)
    label = np.repeat([0.0, 1.0, 0.0], [1000, 50, 150])
    chances = classifiers.tree(values, label, PARAMS).predict_proba(np.array([[0.0], [1.0]]))
    # Ten events of 1,200 rows with 50 are 240 rows more in each leaf: 10 of 1,240, and 60 of 440.
    assert chances[:, 1] == pytest.approx([10 / 1240, 60 / 440])
    assert chances.sum(axis=1) == pytest.approx([1, 1])


def test_the_spread_of_an_svms_scores_does_not_hang_on_how_rare_the_event_is():
    rng = np.random.default_rng(7)
    levels = rng.normal(size=(20_000, 3))
    spreads = []
    for intercept in (-1.0, -5.0):  # about 30 % and 1.5 % have the event
        chance = 1 / (1 + np.exp(-(levels @ np.array([1.0, -0.7, 0.4]) + intercept)))
        label = (rng.uniform(size=len(levels)) < chance).astype(float)
        spreads.append(classifiers.svm(levels, label, PARAMS).decision_function(levels).std())
    assert spreads[1] == pytest.approx(spreads[0], rel=0.2)
