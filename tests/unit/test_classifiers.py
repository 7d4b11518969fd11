"""What keeps the scores of several fits on one scale, so that earlier fits can calibrate later ones; their mean."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from huaxiang.judging.calibration import Sigmoid
from huaxiang.tracking.promotion import Interval
from spark_jobs.scores import classifiers, evaluate, portable, recipes
from spark_jobs.scores.examples import Examples
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


def test_the_average_is_the_mean_logit_of_its_parts_also_when_stored_and_its_reasons_add_up():
    rng = np.random.default_rng(3)
    figures = pd.DataFrame({name: rng.normal(size=300) for name in ("recency_days", "discount_share")})
    figures.loc[::7, "discount_share"] = np.nan
    label = (figures["recency_days"] + rng.normal(size=300) > 0).to_numpy(float)
    rows = Examples(np.arange(300).astype(str), np.zeros(300), np.full(300, ""), figures, label)
    params = replace(PARAMS, tree_count=5, forest_trees=5, net_rounds=5)
    model = recipes.measured(rows, "EUR", params)
    seen = recipes.seen(model, rows)
    fitted = recipes.fit("average", model, seen, label, params)
    parts = [recipes.fit(part, model, seen, label, params).scores(seen) for part in ("boosting", "forest", "net")]
    assert fitted.scores(seen) == pytest.approx(sum(parts) / 3)

    files = fitted.files({"": Sigmoid(2.0, 1.0)}, {})
    stored = json.loads(files["model.json"]), portable.load_estimator(files["estimator.skops"])
    categories = np.zeros(300, dtype=int)
    assert (portable.raw_scores(stored[0], seen.values, seen.typical, stored[1]) == fitted.scores(seen)).all()
    _, moved = portable.contributions(stored[0], seen.values, categories, stored[1])
    rest = portable.remainder(stored[0], seen.values, categories, moved, stored[1])
    usual = portable.raw_scores(stored[0], seen.typical[:1], seen.typical[:1], stored[1])
    assert 2 * usual + 1 + moved.sum(axis=1) + rest == pytest.approx(2 * fitted.scores(seen) + 1)


@pytest.mark.parametrize(
    ("low", "champion", "may_win"),
    [(0.0004, "net", True), (-0.0001, "net", False), (-0.0001, None, False), (-0.0001, "average", True)],
)
def test_a_mean_may_win_only_where_it_surely_beats_the_best_single_recipe_or_is_in_use(low, champion, may_win):
    def difference(one, other):
        assert (one, other) == ("average", "boosting")
        return Interval(0.001, low, 0.002)

    aucs = {"recency": 0.82, "net": 0.87, "boosting": 0.877, "average": 0.878}
    found = evaluate.contenders(aucs, difference, champion)
    assert found == (aucs if may_win else {name: auc for name, auc in aucs.items() if name != "average"})
