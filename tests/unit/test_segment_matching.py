from spark_jobs.segments.matching import first_ids, matched_ids


def test_a_first_model_numbers_its_segments_by_spend():
    assert first_ids([10.0, 30.0, 20.0]).ids == (3, 1, 2)


def test_equal_spend_keeps_the_order_of_the_labels():
    assert first_ids([10.0, 10.0]).ids == (1, 2)


def test_segments_keep_the_ids_of_most_of_their_customers():
    matched = matched_ids({(0, 2): 8, (1, 1): 9, (1, 2): 1}, [5.0, 50.0])
    assert matched.ids == (2, 1)
    assert matched.kept_share == 0.944444


def test_two_segments_that_want_one_id_are_settled_by_what_is_best_in_all():
    # Label 0 shares most with id 1, but label 1 shares nothing with id 2: 6 + 5 customers keep their id, not 7.
    assert matched_ids({(0, 1): 7, (0, 2): 6, (1, 1): 5}, [1.0, 1.0]).ids == (2, 1)


def test_a_new_segment_gets_an_id_above_all_earlier_ones():
    assert matched_ids({(0, 4): 5, (1, 2): 5}, [1.0, 1.0, 9.0]).ids == (4, 2, 5)


def test_a_segment_without_shared_customers_takes_no_old_id():
    assert matched_ids({(0, 1): 5, (0, 2): 3}, [1.0, 1.0]).ids == (1, 3)


def test_a_past_without_shared_customers_counts_as_none():
    assert matched_ids({}, [1.0, 2.0]).ids == (2, 1)


def test_an_id_that_an_earlier_model_used_is_not_given_to_another_segment():
    # Ids 1 and 2 are in the release, but a model between had a segment 3.
    assert matched_ids({(0, 1): 5, (1, 2): 5}, [1.0, 1.0, 9.0], highest_id=3).ids == (1, 2, 4)
