"""How far a refit may go from the champion, on figures worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spark_jobs.segments import shapes, staying, training
from spark_jobs.segments.model import Segment, SegmentModel
from spark_jobs.segments.params import SegmentParams
from spark_jobs.segments.staying import Settled, Way

PARAMS = replace(SegmentParams(), least_kept=0.95, most_lost=0.02)


def test_centres_lie_on_the_line_from_the_old_segment_to_the_refit():
    starts, ends = {7: (0.0, 10.0), 3: (1.0, 1.0)}, {7: (10.0, 0.0), 3: (1.0, 3.0)}
    segments = staying.between(starts, ends, 0.4, 6)
    assert [(one.segment_id, one.centre) for one in segments] == [(3, (1.0, 1.8)), (7, (4.0, 6.0))]


def test_the_whole_way_is_the_refit_to_the_last_digit():
    [segment] = staying.between({1: (0.1,)}, {1: (0.30000000000000004,)}, 1.0, 6)
    assert segment.centre == (0.30000000000000004,)


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
    assert Settled((), refit, refit).note is None
    assert Settled((), half, refit).note == (
        "the centres went 50% of the way to the refit, so that 96.0% of the customers keep their segment; "
        "all the way 90.0% would"
    )
    assert Settled((), half, refit).figures == {
        "settled_step": 0.5,
        "settled_kept_share": 0.96,
        "settled_loss": 0.005,
        "refit_kept_share": 0.9,
    }


def test_a_training_that_is_begun_again_does_not_go_farther():
    segments = tuple(Segment(number, "", (), (float(number),)) for number in (4, 9))
    known = SegmentModel("2024-04-01", "f", 6, (), segments, {"origin": "this", "recipe": shapes.K_MEANS})
    assert training._settled(None, known, "this", 2, PARAMS) == Settled(((4.0,), (9.0,)))
