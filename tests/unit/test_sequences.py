"""What comes next: the arithmetic of the recipes and of judging, on a few steps worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import log

import numpy as np
import pandas as pd
import pytest

from spark_jobs.sequences import chains, patterns
from spark_jobs.sequences.judge import judge, metrics
from spark_jobs.sequences.params import SequenceParams

PARAMS = replace(SequenceParams(), smoothing=2.0, top=1, bootstraps=20)


def steps(*rows: tuple) -> pd.DataFrame:
    """Rows of customer, visit, position, day of January 2026, category."""
    frame = pd.DataFrame(rows, columns=["customer_id", "sequence_id", "position", "happened_on", "category"])
    frame["happened_on"] = [date(2026, 1, day) for day in frame["happened_on"]]
    return frame


# c1 visits twice: a, b, a and then a + b, b; c2 once: b.
SHOP = steps(
    ("c1", "v1", 1, 1, "a"),
    ("c1", "v1", 2, 1, "b"),
    ("c1", "v1", 3, 1, "a"),
    ("c1", "v2", 1, 2, "a"),
    ("c1", "v2", 1, 2, "b"),
    ("c1", "v2", 2, 2, "b"),
    ("c2", "v1", 1, 2, "b"),
)


def test_a_category_is_followed_within_a_visit_only() -> None:
    counts = chains.learn(chains.baskets(SHOP, ["a", "b"]), ["a", "b"])
    assert counts.single.tolist() == [3, 4]
    # a -> b in v1 and v2, b -> a in v1, b -> b in v2; never from one visit to another
    assert counts.after.tolist() == [[0, 2], [1, 1]]


def test_the_recipes_smooth_towards_the_frequencies() -> None:
    counts = chains.learn(chains.baskets(SHOP, ["a", "b"]), ["a", "b"])
    found = chains.baskets(SHOP, ["a", "b"])
    last = np.array([4])  # v2's second step, b, after a + b
    base = [4 / 9, 5 / 9]  # one is added to each count
    told = {
        name: chains.probabilities(name, counts, found.held[last], chains.up_to(found, last), 2.0)[0]
        for name in chains.RECIPES
    }
    assert told["frequencies"] == pytest.approx(base)
    assert told["markov"] == pytest.approx([(1 + 2 * base[0]) / 4, (1 + 2 * base[1]) / 4])
    assert told["own"] == pytest.approx([(1 + 2 * base[0]) / 5, (2 + 2 * base[1]) / 5])  # a, b and b so far in v2
    assert all(row.sum() == pytest.approx(1) for row in told.values())


def test_a_chain_over_a_step_of_several_categories_is_their_mean() -> None:
    counts = chains.learn(chains.baskets(SHOP, ["a", "b"]), ["a", "b"])
    found = chains.baskets(SHOP, ["a", "b"])
    both = np.array([3])  # v2's first step
    after_a, after_b = 2 * 4 / 9 / 4, (1 + 2 * 4 / 9) / 4
    told = chains.probabilities("markov", counts, found.held[both], chains.up_to(found, both), 2.0)
    assert told[0, 0] == pytest.approx((after_a + after_b) / 2)


def test_only_steps_of_the_held_days_that_follow_another_one_are_judged() -> None:
    early = SHOP[SHOP["happened_on"] < date(2026, 1, 2)]
    counts = chains.learn(chains.baskets(early, ["a", "b"]), ["a", "b"])
    judged = judge(chains.baskets(SHOP, ["a", "b"]), counts, np.datetime64("2026-01-02"), chains.RECIPES, PARAMS)
    # one case: b after a + b of c1. Frequencies learned from a, b, a are 3/5 and 2/5.
    assert judged.cases.tolist() == [1]
    assert judged.figure("frequencies", "log_likelihood").value == pytest.approx(log(2 / 5))
    # a -> b once: (1 + 2 * 2/5) / 3; b -> a once: (0 + 2 * 2/5) / 3
    assert judged.figure("markov", "log_likelihood").value == pytest.approx(log((1.8 / 3 + 0.8 / 3) / 2))
    told = metrics(judged, "markov", ("log_likelihood",))
    assert told["log_likelihood_gain"] == pytest.approx(log((2.6 / 6) / (2 / 5)), abs=1e-6)


def test_a_category_of_the_held_days_alone_is_counted_and_not_judged() -> None:
    found = chains.baskets(SHOP, ["a"])
    assert found.unknown == 4
    assert found.held.shape == (3, 1)


def test_a_step_repeated_at_once_is_one_step_of_a_sequence() -> None:
    rows = steps(("c1", "v", 1, 1, "a"), ("c1", "v", 2, 1, "a"), ("c1", "v", 3, 1, "b"), ("c2", "v", 1, 1, "a"))
    assert patterns.sequences_of(rows) == [[["a"], ["b"]], [["a"]]]
    assert patterns.in_words((("bread", "milk"), ("tea",))) == "bread + milk > tea"


@pytest.mark.parametrize(("sequences", "fewest"), [(10, 2), (100, 5), (101, 6)])
def test_a_pattern_is_in_at_least_the_support_of_the_sequences(sequences: int, fewest: int) -> None:
    assert patterns.fewest_of(sequences, SequenceParams(min_support=0.05)) == fewest
