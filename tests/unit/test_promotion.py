"""Which recipe scores: worked by hand on three recipes whose differences are given, and by planted ones."""

import numpy as np
import pytest

from huaxiang.judging import resampling
from huaxiang.tracking.promotion import Decision, Interval, decide, judging

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


def planted(seed: int, noise_of_challenger: float) -> Decision:
    """A champion whose scores see the event through a noise of 1, a challenger through another, on 600 customers."""
    rng = np.random.default_rng(seed)
    label = (rng.uniform(size=600) < 0.3).astype(float)
    noise = {"recency": 3.0, "champion": 1.0, "challenger": noise_of_challenger}
    drawn = resampling.draws(len(label), 200, seed + 1_000)  # of another seed than the labels, or they hang together
    who, one = np.arange(len(label)), np.zeros(len(label), dtype=int)
    figures = {}
    for recipe, spread in noise.items():
        scores = label + rng.normal(0, spread, len(label))
        auc, _ = resampling.by_group(one, who, drawn, label, scores, label)
        figures[recipe] = resampling.replicates(auc)
    metric = {recipe: found.value for recipe, found in figures.items()}
    judged = judging(metric, lambda a, b: figures[a].minus(figures[b]).interval(), "recency")
    return judged.decide("champion")


def test_a_worse_challenger_is_never_promoted_in_a_hundred_trials():
    # Noise of 1.2 to 2 means a true AUC lower by .04 to .12: one trial's draw may still make it look better.
    worse = np.random.default_rng(7).uniform(1.2, 2.0, 100)
    assert [seed for seed in range(100) if planted(seed, worse[seed]).winner == "challenger"] == []


def test_a_clearly_better_challenger_is_promoted_mostly():
    assert sum(planted(seed, 0.6).winner == "challenger" for seed in range(30)) >= 27


def test_a_recipe_has_won_or_is_the_challenger_or_has_lost():
    decision = Decision("boosting", "net", "boosting beats orders")
    assert [decision.outcome(recipe) for recipe in ("boosting", "net", "tree")] == ["won", "challenger", "lost"]
    assert Decision("boosting", None, "").outcome("net") == "lost"
