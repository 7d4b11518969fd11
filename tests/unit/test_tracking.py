from pathlib import Path

import pytest

from huaxiang.tracking import Fit, Version, judge


def fit(fingerprint="new", **metrics):
    return Fit("segments", "kmeans", "", fingerprint, "2017-11-30", {}, metrics, (), Path(), {}, None, ())


def champion(**metrics):
    return Version("segments", "1", "run", "old", metrics)


def test_the_first_fit_becomes_champion():
    assert judge(fit(), None, "silhouette") == "won"


@pytest.mark.parametrize(("high", "outcome"), [(0.31, "won"), (0.30, "won"), (0.29, "lost")])
def test_a_refit_wins_unless_it_is_clearly_worse(high, outcome):
    assert judge(fit(silhouette_high=high), champion(silhouette_low=0.30), "silhouette") == outcome


def test_a_fit_without_segments_loses_against_a_champion_with_some():
    assert judge(fit(), champion(silhouette_low=0.3), "silhouette") == "lost"
    assert judge(fit(), champion(), "silhouette") == "won"


def test_the_champion_itself_is_not_registered_again():
    assert judge(fit("old", silhouette_high=0.9), champion(silhouette_low=0.3), "silhouette") == "unchanged"


def test_a_champion_that_can_no_longer_score_is_replaced():
    assert judge(fit(silhouette_high=0.1), champion(silhouette_low=0.3), "silhouette", must_replace=True) == "won"
