"""BG/NBD: planted parameters are found again, probabilities are those worked out by hand, and who may see what."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huaxiang.declarations import Declaration
from huaxiang.targets import Baseline, Event, Target
from spark_jobs.scores import examples, lifetimes, portable, recipes
from spark_jobs.scores.lifetimes import Lifetimes
from spark_jobs.scores.params import ScoreParams

PARAMS = ScoreParams()
# What Fader, Hardie and Lee (2005) found for the CD shop, in weeks.
PUBLISHED = Lifetimes(r=0.243, alpha=4.414, a=0.793, b=2.426)


def simulated(given: Lifetimes, customers: int, seed: int) -> np.ndarray:
    """Rows of lifetimes.COLUMNS: customers who order, and stop, as the model says, seen for 30 to 90 weeks."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(customers):
        rate, stops = random.gamma(given.r, 1 / given.alpha), random.beta(given.a, given.b)
        tenure, orders, last = random.uniform(30, 90), 1, 0.0
        while (then := last + random.exponential(1 / rate)) < tenure:
            orders, last = orders + 1, then
            if random.random() < stops:
                break
        rows.append((orders, tenure - last, tenure))
    return np.array(rows)


def test_planted_parameters_are_found_again():
    values = simulated(PUBLISHED, 3_000, seed=1)
    found = lifetimes.fit(values, np.zeros(len(values)), PARAMS)
    assert found.r == pytest.approx(PUBLISHED.r, rel=0.1)
    assert found.alpha == pytest.approx(PUBLISHED.alpha, rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(0.793 / 3.219, rel=0.1)


def test_the_labels_are_not_looked_at():
    values = simulated(PUBLISHED, 300, seed=2)
    assert lifetimes.fit(values, np.zeros(300), PARAMS) == lifetimes.fit(values, np.ones(300), PARAMS)


def test_one_order_and_two_are_as_likely_as_worked_out_by_hand():
    # r = alpha = a = b = 1. Nobody stops before a second order: 1 / (1 + 3). With one on day 1 of 3, either still
    # active, 1/2 * 1 / (1 + 3)^2, or stopped at it, 1/2 * 1 / (1 + 1)^2: B(1, 2) = B(2, 1) = 1/2, B(1, 1) = 1.
    found = lifetimes.log_likelihood(
        Lifetimes(1, 1, 1, 1), np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([3.0, 3.0])
    )
    assert np.exp(found) == pytest.approx([1 / 4, 1 / 32 + 1 / 8])


def test_the_chance_of_no_order_is_that_worked_out_by_hand():
    # After one order an active customer is silent for 4 days with (4 / 8)^1. After a second one on day 1 of 3 the odds
    # of having stopped are (4 / 2)^2 = 4, so active with 1/5, and then silent with (4 / 8)^2: 1 - 1/5 * 3/4 = 17/20.
    model = {"kind": "bgnbd", "bgnbd": {"r": 1.0, "alpha": 1.0, "a": 1.0, "b": 1.0}, "window_days": 4}
    figures = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 3.0]])
    chances = 1 / (1 + np.exp(-portable.raw_scores(model, figures, figures)))
    assert chances == pytest.approx([1 / 2, 17 / 20])


def test_an_unknown_figure_counts_as_typical():
    model = {"kind": "bgnbd", "bgnbd": {"r": 1.0, "alpha": 1.0, "a": 1.0, "b": 1.0}, "window_days": 4}
    typical = np.array([[2.0, 2.0, 3.0]])
    unknown = np.array([[np.nan, 2.0, 3.0]])
    assert portable.raw_scores(model, unknown, typical) == portable.raw_scores(model, typical, typical)


def customers(kind: str) -> examples.Examples:
    target = Target(
        "t", "T", "Says.", Event(kind), 28, Baseline("b", "recency_days", "d"), "o", "p", Declaration(Path("t"), {}, {})
    )
    features = pd.DataFrame(simulated(PUBLISHED, 200, seed=3), columns=list(lifetimes.COLUMNS))
    features.insert(0, "customer_id", [f"c{number}" for number in range(200)])
    orders = pd.DataFrame({"customer_id": ["c1"], "day": [1001], "is_order": [True], "net_amount": [1.0]})
    return examples.of_target(target, features.assign(as_of=1000), examples.Facts(orders), PARAMS)


def test_only_this_recipe_sees_the_orders_since_the_first_and_only_where_staying_away_is_foretold():
    rows = customers("no_purchase")
    model = recipes.measured(rows, "", PARAMS) | {"window_days": 28}
    fitted = recipes.fit("bgnbd", model, recipes.seen(model, rows), rows.label, PARAMS)
    assert [feature["name"] for feature in fitted.model["features"]] == list(lifetimes.COLUMNS)
    others = [model["features"][place]["name"] for place in recipes.places(model, PARAMS)]
    assert others == ["recency_days", "tenure_days"]
    assert "bgnbd" not in recipes.applicable(PARAMS.recipes, customers("purchase").features.columns)


def test_what_is_stored_scores_as_what_was_fitted_and_its_reasons_add_up():
    rows = customers("no_purchase")
    model = recipes.measured(rows, "", PARAMS) | {"window_days": 28}
    seen = recipes.seen(model, rows)
    fitted = recipes.told(recipes.fit("bgnbd", model, seen, rows.label, PARAMS), seen, PARAMS)
    stored = {**fitted.model, "calibration": [[1.0, 0.0]]}
    values = portable.values_of(stored, rows.features)
    whole = fitted.scores(seen)
    assert portable.raw_scores(stored, values, values) == pytest.approx(whole)
    nobody = np.zeros(len(values), dtype=int)
    places, moved = portable.contributions(stored, values, nobody)
    rest = portable.remainder(stored, values, nobody, moved)
    usual = portable.typical_values(stored, np.zeros(1, dtype=int))
    base = portable.raw_scores(stored, usual, usual)
    assert base + moved.sum(axis=1) + rest == pytest.approx(whole)
    assert len(places) == 3 and np.isfinite(moved).all()
