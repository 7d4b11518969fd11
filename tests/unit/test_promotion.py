"""Which recipe scores: worked by hand on three recipes whose differences are given."""

import pytest

from huaxiang.promotion import Decision, Interval, decide

METRIC = {"recency": 0.80, "logistic": 0.86, "boosting": 0.87}


def differences(**low):
    """Paired differences whose lower bound is given as `a_over_b=bound`; the bound below 0 where it is not."""

    def difference(one: str, other: str) -> Interval:
        bound = low.get(f"{one}_over_{other}", -0.01)
        return Interval(METRIC[one] - METRIC[other], bound, 0.1)

    return difference


def decided(champion: str | None, **low) -> Decision:
    return decide(METRIC, differences(**low), "recency", champion)


def test_the_best_of_those_that_beat_the_baseline_is_the_first_champion_and_the_next_its_challenger():
    found = decided(None, logistic_over_recency=0.01, boosting_over_recency=0.02)
    assert (found.winner, found.challenger) == ("boosting", "logistic")
    assert found.reason == "boosting beats recency by +0.0700 [+0.0200, +0.1000]"


def test_when_nothing_surely_beats_the_baseline_it_is_the_champion():
    assert decided(None).winner == "recency"


def test_a_better_figure_alone_does_not_replace_the_champion():
    found = decided("logistic", logistic_over_recency=0.01, boosting_over_recency=0.02, boosting_over_logistic=-0.001)
    assert (found.winner, found.challenger) == ("logistic", "boosting")
    assert found.reason.startswith("no recipe surely beats logistic; the best of them, boosting, by +0.0100")


def test_a_recipe_that_beats_baseline_and_champion_replaces_it():
    found = decided("logistic", boosting_over_recency=0.02, boosting_over_logistic=0.001)
    assert found.winner == "boosting"


@pytest.mark.parametrize("gone", ["forest", None])
def test_a_champion_that_is_no_longer_among_the_recipes_counts_as_none(gone):
    assert decided(gone, logistic_over_recency=0.01).winner == "logistic"


def test_a_champion_that_the_baseline_surely_beats_gives_way_to_it():
    found = decide({"recency": 0.9, "logistic": 0.8}, lambda a, b: Interval(0.1, 0.05, 0.2), "recency", "logistic")
    assert found.winner == "recency"
