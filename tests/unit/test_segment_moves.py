import numpy as np

from spark_jobs.segments import moves, nearest
from spark_jobs.segments.model import Segment, SegmentModel
from spark_jobs.segments.moves import explain
from spark_jobs.segments.transforms import Scaling


def scaling(name: str) -> Scaling:
    return Scaling(name, is_skewed=False, scale=1.0, least=0.0, fill=5.0, mean=0.0, deviation=1.0, clip=9.0, weight=1.0)


def model(*centres: tuple[float, ...], first_id: int = 1) -> SegmentModel:
    segments = tuple(
        Segment(number, f"segment {number}", (), centre) for number, centre in enumerate(centres, start=first_id)
    )
    scalings = tuple(scaling(name) for name in ("orders", "basket"))
    return SegmentModel("2024-04-01", "f00", 6, scalings, segments, {})


LOW_AND_HIGH = model((0.0, 0.0), (4.0, 0.0), (0.0, 4.0))


def explained(model, before, after, from_ids, to_ids, is_same_model=True):
    return explain(
        model, np.array(before), np.array(after), np.array(from_ids), np.array(to_ids), is_same_model=is_same_model
    )


def test_the_feature_that_put_back_alone_undoes_the_move_explains_it():
    # 3 orders are nearer to 4 than to 0; the basket changed too, but put back it changes nothing.
    [reason] = explained(LOW_AND_HIGH, [[1.0, 0.0]], [[3.0, 0.5]], [1], [2])
    assert reason == moves.Reason(moves.FEATURE, ("orders",))


def test_where_no_single_feature_undoes_it_the_smallest_set_does():
    # Both must go back: with either one as now, (3, 0) and (0, 3) are still nearer to another centre.
    [reason] = explained(LOW_AND_HIGH, [[0.0, 0.0]], [[3.0, 3.5]], [1], [3])
    assert reason.features == ("orders", "basket")


def test_of_two_single_features_the_one_that_leads_back_further_is_named():
    # Segments at 0 and at (4, 4): from (2.5, 2.0), orders back give (0, 2.0), basket back (2.5, 0.5), distance 2.55.
    [reason] = explained(model((0.0, 0.0), (4.0, 4.0)), [[0.0, 0.5]], [[2.5, 2.0]], [1], [2])
    assert reason.features == ("orders",)


def test_a_move_that_old_features_would_make_too_is_the_models():
    # Retrained: the customer's figures are as they were, but the new model puts them into segment 2.
    assert explained(LOW_AND_HIGH, [[3.0, 0.0]], [[3.0, 0.0]], [1], [2], is_same_model=False) == [
        moves.Reason(moves.MODEL)
    ]


def test_after_a_retraining_a_feature_that_moved_is_still_named():
    [reason] = explained(LOW_AND_HIGH, [[0.0, 0.0]], [[3.0, 0.0]], [1], [2], is_same_model=False)
    assert reason == moves.Reason(moves.FEATURE, ("orders",))


def test_a_segment_that_the_new_model_no_longer_has_is_the_models():
    assert explained(LOW_AND_HIGH, [[0.0, 0.0]], [[3.0, 0.0]], [9], [2], is_same_model=False) == [
        moves.Reason(moves.MODEL)
    ]


def test_it_is_the_models_where_only_part_of_the_old_figures_would_lead_back():
    # With all figures of then the new model says 3, not 1; orders alone put back would give (0, 0), by chance in 1.
    assert explained(LOW_AND_HIGH, [[0.0, 4.0]], [[4.0, 0.0]], [1], [2], is_same_model=False) == [
        moves.Reason(moves.MODEL)
    ]


def test_what_the_same_model_cannot_explain_is_told_and_not_given_to_the_model():
    # Then it said 2, yet with the figures of then the same model says 1.
    assert explained(LOW_AND_HIGH, [[0.0, 0.0]], [[0.0, 3.0]], [2], [3]) == [moves.Reason(moves.UNEXPLAINED)]


def test_every_customer_keeps_its_own_reason():
    before, after = [[0.0, 0.0], [3.0, 0.0], [0.0, 0.0]], [[3.0, 0.0], [0.0, 0.0], [0.0, 3.0]]
    reasons = explained(LOW_AND_HIGH, before, after, [1, 2, 1], [2, 1, 3])
    assert [reason.features for reason in reasons] == [("orders",), ("orders",), ("basket",)]


def test_nobody_moved_needs_no_reason():
    assert explained(LOW_AND_HIGH, np.zeros((0, 2)), np.zeros((0, 2)), [], []) == []


def test_an_unknown_figure_counts_as_the_fill_of_the_fit():
    assert nearest.coordinates(np.array([[np.nan, 1.0]]), LOW_AND_HIGH).tolist() == [[5.0, 1.0]]


def test_of_equally_near_centres_the_lowest_id_wins_whatever_their_order():
    turned = model((0.0, 0.0), (2.0, 0.0))
    turned = SegmentModel(**{**turned.__dict__, "segments": turned.segments[::-1]})
    assert nearest.segment_ids(np.array([[1.0, 0.0]]), turned).tolist() == [1]
