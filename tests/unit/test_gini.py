"""How well a ranking foretells spend, by hand: perfect, backwards, no ranking at all, and a tier of two."""

import numpy as np
import pytest

from benchmarks.gini import gini, replicates

SPENT = np.array([1.0, 2.0, 3.0, 4.0])


def test_a_perfect_ranking_reaches_one_and_the_reverse_minus_one():
    assert gini(SPENT**3, SPENT) == 1
    assert gini(-SPENT, SPENT) == -1


def test_a_tier_shares_the_mean_rank_of_its_customers():
    # Ranks 1.5, 1.5, 3.5, 3.5 against 1, 2, 3, 4: covariances 4 and 5.
    assert gini(np.array([0, 0, 1, 1]), SPENT) == pytest.approx(0.8)
    assert gini(np.zeros(4), SPENT) == 0


def test_rankings_are_compared_on_the_same_draws():
    random = np.random.default_rng(1)
    spent = random.exponential(size=200)
    close = spent + random.normal(scale=0.3, size=200)
    found = replicates({"close": close, "same order": 7 * close}, spent, times=50)
    difference = found["close"].minus(found["same order"]).interval()
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    inside = found["close"].interval()
    assert inside.low < inside.value < inside.high < 1
