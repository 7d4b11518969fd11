"""The ways of limiting rules that `benchmarks.replication_limits` compares."""

import numpy as np
import pytest

from benchmarks.replication import agreement
from benchmarks.replication_limits import Candidates, Way
from spark_jobs.associations.rules import Rule

# Two months of 100 orders. Bread goes with butter in both; ice with cones in the second month alone.
BREAD, ICE = Rule(("butter",), "bread"), Rule(("cones",), "ice")
KNOWN = Candidates(
    (BREAD, ICE),
    orders=np.array([[100.0], [100.0]]),
    antecedent=np.array([[20.0, 4.0], [20.0, 16.0]]),
    consequent=np.array([[40.0, 10.0], [40.0, 10.0]]),
    both=np.array([[10.0, 0.0], [14.0, 10.0]]),
    gain=np.array([np.inf, np.inf]),
)


def test_a_rule_of_one_season_is_told_over_all_months_and_not_by_its_worst() -> None:
    assert KNOWN.found(range(2), Way("", 0.05, 0.2, 1.2)) == pytest.approx({BREAD: 1.5, ICE: 5.0})
    assert set(KNOWN.found(range(2), Way("", 0.05, 0.2, 1.2, months="least"))) == {BREAD}


def test_the_most_often_bought_are_told_by_number() -> None:
    assert set(KNOWN.found(range(2), Way("", 2, 0, 0))) == {BREAD, ICE}
    assert set(KNOWN.found(range(2), Way("", 1.5, 0, 0))) == {BREAD}


def test_a_limit_can_ask_to_be_passed_surely() -> None:
    # Bread: 24 of 40, an error of sqrt(.6 * .4 / 40) = .077; .6 - 2 * .077 = .445.
    assert set(KNOWN.found(range(2), Way("", 0.01, 0.44, 0, deviations=2))) == {BREAD}
    assert not KNOWN.found(range(2), Way("", 0.01, 0.45, 0, deviations=2))


def test_agreement_is_the_share_of_either_and_the_correlation_of_both() -> None:
    other = Rule(("tea",), "milk")
    jaccard, correlation = agreement({BREAD: 1.5, ICE: 5.0, other: 2.0}, {BREAD: 2.0, ICE: 6.0})
    assert (jaccard, correlation) == (pytest.approx(2 / 3), pytest.approx(1.0))
