"""Shapes beside K-Means, on planted groups: what they find, and that they score as they were judged."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from spark_jobs.segments import shapes
from spark_jobs.segments.named import Named
from spark_jobs.segments.params import SegmentParams
from spark_jobs.segments.training import compared, silhouettes

PARAMS = replace(SegmentParams(), bootstraps=6, largest_k=4)
TRUTH = np.repeat([0, 1, 2], 150)


def wide_and_narrow_groups():
    """A wide group with a narrow one on either side of it."""
    rng = np.random.default_rng(4)
    narrow = [np.array((side, 0)) + rng.normal(0, 0.3, (150, 2)) for side in (-5, 5)]
    return np.concatenate([rng.normal(0, 2, (150, 2)), *narrow])


def round_groups():
    """Three groups, and thirty customers anywhere."""
    rng = np.random.default_rng(2)
    groups = [np.array(corner) + rng.normal(0, 0.3, (150, 2)) for corner in ((0, 0), (6, 0), (0, 6))]
    return np.concatenate([*groups, rng.uniform(-20, 20, (30, 2))])


def of(recipe, points, fewest=3, params=PARAMS):
    return next(shape for shape in shapes.shapes(points, fewest, params) if shape.recipe == recipe)


def test_a_mixture_gives_each_group_its_own_width_where_k_means_cuts_the_wide_one():
    points = wide_and_narrow_groups()
    found = of(shapes.MIXTURE, points)
    assert (found.candidate.k, found.reason) == (3, "")
    assert adjusted_rand_score(TRUTH, found.labels) > 0.95
    assert adjusted_rand_score(TRUTH, KMeans(3, n_init=10, random_state=0).fit(points).labels_) < 0.85


def test_the_nearest_centre_of_a_mixture_is_its_likeliest_component():
    points = wide_and_narrow_groups()
    drawn = np.random.default_rng(1).uniform(-10, 20, (500, 2))  # also where no group is
    found = of(shapes.MIXTURE, points)
    fitted = GaussianMixture(
        len(found.segments), covariance_type="diag", n_init=PARAMS.mixture_starts, reg_covar=PARAMS.least_variance,
        max_iter=PARAMS.max_iterations, random_state=PARAMS.seed,
    ).fit(points)  # fmt: skip
    labels = shapes.label(drawn, found.segments, PARAMS)
    assert adjusted_rand_score(fitted.predict(drawn), labels) == 1


def test_hdbscan_says_how_many_customers_lie_in_no_group_and_its_centres_score_them():
    found = of(shapes.DENSITY, round_groups())
    assert (found.candidate.k, found.reason) == (3, "")
    assert 0.04 < found.figures["noise_share"] < 0.1  # 30 of 480, and some at the rims
    assert adjusted_rand_score(TRUTH, found.labels[:450]) == 1
    assert len(found.labels) == 480 and set(found.labels) == {0, 1, 2}


def test_a_shape_of_fewer_groups_than_k_means_does_not_compete():
    assert of(shapes.DENSITY, round_groups(), fewest=4).reason == "it tells 3 groups apart, K-Means 4"


def test_without_structure_nothing_competes_and_each_says_why():
    found = shapes.shapes(np.random.default_rng(3).normal(0, 1, (400, 5)), 2, PARAMS)
    assert [shape.recipe for shape in found] == [shapes.MIXTURE, shapes.DENSITY]
    assert "found again" in found[0].reason or "stability" in found[0].reason
    assert found[1].reason == "it finds fewer than two groups"


@pytest.mark.parametrize(("reason", "winner"), [("", shapes.DENSITY), ("it tells too few apart", shapes.K_MEANS)])
def test_a_shape_that_may_compete_and_is_surely_better_separated_takes_over(reason, winner):
    points, rival = round_groups(), of(shapes.DENSITY, round_groups())
    worse = rival.labels.copy()
    worse[:60] = (worse[:60] + 1) % 3  # of the first group
    told = {
        recipe: Named(rival.segments, pd.DataFrame({"segment_id": labels + 1}), None)
        for recipe, labels in ((shapes.K_MEANS, worse), (shapes.DENSITY, rival.labels))
    }
    each = silhouettes(points, told)
    judging = compared(each, {shapes.DENSITY: replace(rival, reason=reason)}, PARAMS)
    assert judging.decide(shapes.K_MEANS).winner == winner
    assert judging.decide("one segment").winner == winner  # a champion that is none of them counts as K-Means
