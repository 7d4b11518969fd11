"""Hit rate, NDCG, recall and their intervals, worked out by hand on three customers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from huaxiang.judging import resampling
from spark_jobs.recommendations import judging, metrics
from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import COMPONENTS, EXTRAS, Candidates

# Ranks 1 to 3 of three customers; the second one bought nothing of the list, the third all of it.
HITS = np.array([[False, True, False], [False, False, False], [True, True, True]])
RELEVANT = np.array([2, 1, 5])


def test_metrics_of_three_customers_are_those_worked_out_by_hand():
    found = metrics.per_customer(HITS, RELEVANT, 3)
    assert list(found["hr"]) == [1, 0, 1]
    # One of two bought; none of one; three of five.
    assert list(found["recall"]) == pytest.approx([0.5, 0, 0.6])
    # Discounts 1, 0.6309, 0.5. First: 0.6309 of at best 1 + 0.6309. Third: the list could not be better.
    assert list(found["ndcg"]) == pytest.approx([0.63093 / 1.63093, 0, 1], abs=1e-5)


def test_a_list_shorter_than_k_is_judged_as_if_the_rest_were_missed():
    found = metrics.per_customer(HITS[:, :2], RELEVANT, 3)
    assert list(found["recall"]) == pytest.approx([0.5, 0, 0.4])


def test_a_gain_is_paired_so_a_constant_difference_has_no_width():
    base = {name: np.random.default_rng(3).random(50) for name in metrics.NAMES}
    better = {name: values + 0.1 for name, values in base.items()}
    figures = metrics.flat(better, base, resampling.draws(50, 100, seed=1), 10)
    assert figures["ndcg_at_10_gain"] == figures["ndcg_at_10_gain_low"] == figures["ndcg_at_10_gain_high"] == 0.1
    assert figures["ndcg_at_10_high"] - figures["ndcg_at_10_low"] > 0.05


def candidates(*rows: tuple[int, bool, float, float]) -> Candidates:
    """Rows of item, is_bought, own_recent and popularity."""
    items, is_bought, recent, popularity = (np.array(part) for part in zip(*rows, strict=True))
    values = np.zeros((len(items), len(COMPONENTS)))
    values[:, COMPONENTS.index("own_recent")] = recent
    values[:, COMPONENTS.index("popularity")] = popularity
    return Candidates(items, values, is_bought, np.zeros((len(items), len(EXTRAS))))


# Ann, who bought product 0 before, buys 0 and 2; Bob, who bought 5, buys 1, and 7, first sold in the window.
OF_ANN = candidates((1, False, 0.0, 1.0), (0, True, 1.0, 0.5), (2, False, 0.0, 0.2))
OF_BOB = candidates((1, False, 0.0, 1.0))


class Known:
    """A ranker whose candidates are those of the customer's only product."""

    def candidates(self, history):
        return {0: OF_ANN, 5: OF_BOB}[int(history.items[0])]


ANN, BOB = 3, 4
PAIRS = Pairs.of(np.array([ANN, BOB]), np.array([0, 5]), np.ones(2))
TARGETS = pd.DataFrame(
    [(ANN, 0, False), (ANN, 2, True), (BOB, 1, True), (BOB, 7, True)], columns=["customer", "item", "is_new"]
)


def test_a_product_first_seen_in_the_window_counts_as_missed():
    judged = judging.judged(Known(), PAIRS, TARGETS, "any")
    assert list(judged.relevant) == [2, 2]
    hits = judged.ranked_hits(judged.blended({"own_recent": 1.0}), 3)
    # Ann: 0 first, then by popularity 1 and 2. Bob has one candidate only.
    assert hits.tolist() == [[True, False, True], [True, False, False]]


def test_what_was_bought_before_is_neither_listed_nor_wanted_among_the_new():
    judged = judging.judged(Known(), PAIRS, TARGETS, "new")
    assert list(judged.relevant) == [1, 2]
    hits = judged.ranked_hits(judged.blended({"own_recent": 1.0}), 3)
    assert hits.tolist() == [[False, True, False], [True, False, False]]


def test_the_blend_with_the_best_ndcg_is_taken_and_of_equals_the_plainest():
    judged = judging.judged(Known(), PAIRS, TARGETS, "any")
    weights, tried = judging.tuned(judged, "any", RecommendationParams())
    assert weights == {"own_recent": 1.0, "als": 0.0, "item_based": 0.0, "popularity": 0.0}
    assert len(tried) == 5**3
    assert max(row["ndcg"] for row in tried) == tried[0]["ndcg"]
