"""What the hybrid learns from candidates, on planted ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spark_jobs.recommendations import hybrid
from spark_jobs.recommendations.judging import Judged
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import COMPONENTS, EXTRAS, OWN_COUNT, Candidates

PARAMS = replace(RecommendationParams(), hybrid_trees=20, any_misses=0.1, new_misses=0.5)


def planted(count: int, own_share: float, hits_of_own: float, hits_of_others: float) -> Judged:
    """One customer; of the candidates that were bought before own_count is 1, all else is 0."""
    is_own = np.arange(count) < own_share * count
    place = np.where(is_own, np.arange(count), np.arange(count) - is_own.sum())
    among = np.where(is_own, is_own.sum(), (~is_own).sum())
    hits = place < np.where(is_own, hits_of_own, hits_of_others) * among
    values = np.zeros((count, len(COMPONENTS)))
    values[:, OWN_COUNT] = is_own
    found = Candidates(np.arange(count), values, is_own, np.zeros((count, len(EXTRAS))))
    return Judged(np.array([0]), [np.flatnonzero(hits)], [found], [hits])


def probabilities(judged: Judged, task: str) -> tuple[float, float]:
    """Learned for one that was bought before, and for another."""
    trees = hybrid.fit([judged], task, PARAMS)
    one = np.zeros((2, len(COMPONENTS) + len(EXTRAS)))
    one[0, OWN_COUNT] = 1
    own, other = trees.predict_proba(one)[:, 1]
    return float(own), float(other)


@pytest.mark.parametrize("task", ["any", "new"])
def test_leaving_out_misses_makes_nothing_likelier_than_it_is(task):
    own, other = probabilities(planted(40_000, own_share=0.5, hits_of_own=0.2, hits_of_others=0.2), task)
    assert own == pytest.approx(0.2, abs=0.03)
    assert other == pytest.approx(0.2, abs=0.03)
    own, other = probabilities(planted(40_000, own_share=0.5, hits_of_own=0.1, hits_of_others=0.3), task)
    assert own < 0.15 < 0.25 < other
