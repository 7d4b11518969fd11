"""How far a refit may go from the champion, on figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spark_jobs.segments import shapes, staying, training
from spark_jobs.segments.model import Segment, SegmentModel
from spark_jobs.segments.params import SegmentParams
from spark_jobs.segments.staying import Groups, Settled, Way
from spark_jobs.segments.transforms import Scaling

PARAMS = replace(SegmentParams(), least_kept=0.95, most_lost=0.02)


def groups(mean: float, deviation: float, **centres: float) -> Groups:
    """Segments a, b ... of one feature that is scaled so."""
    scaling = Scaling("spend", False, 1.0, 0.0, mean, mean, deviation, 3.0, 0.5)
    return Groups((scaling,), tuple(Segment(ord(name), "", (), (centre,)) for name, centre in centres.items()))


THEN, TODAY, NOW = groups(10, 1, a=0.0, b=1.0), groups(20, 4, b=2.0, a=0.0), groups(20, 4, b=3.0, a=-1.0)


def test_centres_and_scales_lie_on_the_way_from_the_old_segments_to_the_refit():
    # A deviation is a factor, so the middle of 1 and 4 is 2; b goes from 12 to 36, and at weight .5 its 24 is 2.25.
    assert staying.between(THEN, TODAY, 0.5, 6) == groups(15, 2, b=2.25, a=0.0)


def test_the_way_leads_over_the_old_segments_in_the_new_scales():
    assert staying.along((THEN, TODAY, NOW), 0.25, 6) == groups(15, 2, b=2.25, a=0.0)
    assert staying.along((THEN, TODAY, NOW), 0.5, 6) == TODAY
    assert staying.along((THEN, TODAY, NOW), 0.9, 6) == groups(20, 4, b=2.8, a=-0.8)


def test_no_step_is_the_champion_and_the_whole_way_the_refit_to_the_last_digit():
    refit = groups(0.30000000000000004, 1, a=0.30000000000000004)
    assert staying.along((groups(10, 1, a=0.1), groups(0.1, 2, a=0.2), refit), 1.0, 6) == refit
    assert staying.along((THEN, TODAY, NOW), 0.0, 6) == THEN


def test_a_centre_is_the_same_place_in_other_scales():
    # At weight .5 a coordinate of 1 is two deviations above 10, so 12, which is two of 4 below 20.
    [_, b] = staying.in_scales(THEN, NOW.scalings)
    assert b.centre == (-1.0,)


def test_a_refit_of_other_features_is_not_held_back():
    model = SegmentModel("2024-04-01", "f", 6, THEN.scalings, THEN.segments, {})
    [scaling] = NOW.scalings
    other = replace(NOW, scalings=(replace(scaling, weight=1.0),))
    assert staying.settle(None, model, other, PARAMS) == Settled(other)


@pytest.mark.parametrize(
    ("kept", "squares", "taken"),
    [
        ((0.96, 0.98, 1.00), (100, 100.1, 100.2), 1.0),  # the refit keeps enough
        ((0.90, 0.96, 0.99), (100, 100.1, 100.2), 0.5),  # half the way does
        ((0.80, 0.90, 0.94), (100, 100.1, 100.2), 0.0),  # nothing does: the nearest to the champion
        ((0.60, 0.80, 0.99), (100, 104.0, 110.0), 1.0),  # it does, but the customers have changed
    ],
)
def test_the_farthest_step_that_keeps_enough_customers_is_taken(kept, squares, taken):
    ways = [Way(*way) for way in zip((1.0, 0.5, 0.0), kept, squares, strict=True)]
    assert staying.farthest(ways, PARAMS).step == taken


def test_a_refit_that_was_held_back_says_so():
    refit, half = Way(1.0, 0.90, 200.0), Way(0.5, 0.96, 201.0)
    assert Settled(NOW, refit, refit).note is None
    assert Settled(THEN, half, refit).note == (
        "the centres and their scales went 50% of the way to the refit, so that 96.0% of the customers keep their "
        "segment; all the way 90.0% would"
    )
    assert Settled(THEN, half, refit).figures == {
        "settled_step": 0.5,
        "settled_kept_share": 0.96,
        "settled_loss": 0.005,
        "refit_kept_share": 0.9,
    }


def test_a_training_that_is_begun_again_does_not_go_farther():
    segments = tuple(Segment(number, "", (), (float(number),)) for number in (4, 9))
    known = SegmentModel("2024-04-01", "f", 6, THEN.scalings, segments, {"origin": "this", "recipe": shapes.K_MEANS})
    assert training._settled(None, NOW.scalings, known, "this", 2, PARAMS) == Settled(Groups(THEN.scalings, segments))
