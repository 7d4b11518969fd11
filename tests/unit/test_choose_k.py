from dataclasses import replace

import numpy as np
import pytest

from spark_jobs.segments.baseline import rfm_groups
from spark_jobs.segments.choose_k import choose, found_again
from spark_jobs.segments.params import SegmentParams

PARAMS = replace(SegmentParams(), bootstraps=10, bootstrap_starts=5, largest_k=6)


def blobs(count, customers=80):
    """Round groups around the corners of a cube with edges of ten standard deviations."""
    rng = np.random.default_rng(3)
    corners = np.array([[10.0 * (corner >> axis & 1) for axis in range(3)] for corner in range(count)])
    return np.concatenate([corner + rng.normal(0, 1, (customers, 3)) for corner in corners])


@pytest.mark.parametrize("planted", [3, 4])
def test_planted_groups_are_found(planted):
    choice = choose(blobs(planted), PARAMS)
    assert choice.k == planted
    assert choice.notes == ()
    assert sorted(np.bincount(choice.labels)) == [80] * planted


def test_two_groups_are_judged_as_a_reference():
    assert [candidate.k for candidate in choose(blobs(4), PARAMS).candidates] == [2, 3, 4, 5, 6]


def test_without_structure_all_customers_are_one_segment_and_the_note_says_why():
    choice = choose(np.random.default_rng(3).normal(0, 1, (400, 5)), PARAMS)
    assert choice.k == 1
    assert set(choice.labels) == {0}
    [note] = choice.notes
    assert note.startswith("no three usable segments: with three, one is found again only to ")
    assert note.endswith("(75% is needed), so all customers are one segment")


def test_two_plain_groups_give_two_segments_and_a_note():
    choice = choose(blobs(2), PARAMS)
    assert choice.k == 2
    assert choice.notes[0].endswith("so only two segments are made")


def test_a_group_that_is_too_small_is_not_usable():
    points = np.concatenate([blobs(2, customers=300), np.full((6, 3), 40.0) + np.arange(6)[:, None] / 100])
    three = next(candidate for candidate in choose(points, PARAMS).candidates if candidate.k == 3)
    assert three.smallest_share == round(6 / 606, 6)
    assert not three.is_usable


def test_twenty_customers_are_too_few():
    choice = choose(blobs(2, customers=10), PARAMS)
    assert choice.k == 1
    assert choice.notes == ("20 customers are too few to segment: 60 are needed, so all are one segment",)


def test_customers_who_are_all_alike_are_one_segment():
    assert choose(np.zeros((100, 3)), PARAMS).k == 1
    assert choose(np.zeros((100, 0)), PARAMS).notes == ("no feature differs between customers, so all are one segment",)


def test_the_same_customers_give_the_same_choice():
    first, second = choose(blobs(3), PARAMS), choose(blobs(3), PARAMS)
    assert first.candidates == second.candidates
    assert (first.labels == second.labels).all()


def test_a_group_is_found_again_as_far_as_it_overlaps_with_its_like():
    # The first group keeps 3 of 4 customers; the second has its 2 and that one.
    assert found_again(np.array([0, 0, 0, 0, 1, 1]), np.array([7, 7, 7, 5, 5, 5])) == [3 / 4, 2 / 3]


def test_rfm_groups_run_from_the_worst_to_the_best_score():
    quintiles = np.array([[1, 1, 1], [2, 2, 2], [3, 3, 3], [4, 4, 4], [5, 5, 5]])
    assert list(rfm_groups(quintiles)) == [0, 1, 2, 3, 4]
