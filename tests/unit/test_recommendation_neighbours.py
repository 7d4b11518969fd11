"""Recipes that answer from other customers' purchases, on four customers worked out by hand."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from spark_jobs.recommendations import metrics, neighbours
from spark_jobs.recommendations.neighbours import NOTHING
from spark_jobs.recommendations.pairs import Pairs

# Ann and Bob buy 0 and 1, Bob also 2; Cid and Dan buy 3, Dan also 4.
ANN, BOB, CID, DAN = range(4)
ROWS = [(ANN, 0, 2), (ANN, 1, 1), (BOB, 0, 1), (BOB, 1, 1), (BOB, 2, 1), (CID, 3, 1), (DAN, 3, 1), (DAN, 4, 3)]
CUSTOMERS, PRODUCTS, TIMES = (np.array(column) for column in zip(*ROWS, strict=True))
PAIRS = Pairs.of(np.repeat(CUSTOMERS, TIMES), np.repeat(PRODUCTS, TIMES), np.zeros(sum(TIMES)))
ITEMS, ALL = np.arange(5), np.ones(5)


def test_a_customer_is_offered_what_the_most_alike_one_bought_and_never_what_only_strangers_did():
    found = neighbours.listed(lambda pairs, items: neighbours.user_based(pairs, items, count=1), PAIRS, ITEMS, 3, ALL)
    assert found["new"][ANN].tolist() == [2, NOTHING, NOTHING]
    assert found["new"][CID].tolist() == [4, NOTHING, NOTHING]
    assert found["any"][ANN].tolist() == [0, 1, 2]


def test_the_next_basket_is_the_own_one_mixed_with_the_neighbours():
    found = neighbours.listed(lambda pairs, items: neighbours.next_basket(pairs, items, count=1), PAIRS, ITEMS, 3, ALL)
    # Ann's frequencies are 1 and 1/2; Bob, who is nearest, has 1, 1 and 1 and adds .3 each.
    assert found["any"][ANN].tolist() == [0, 1, 2]
    assert found["new"][ANN].tolist() == [2, NOTHING, NOTHING]
    assert found["any"][DAN].tolist()[0] == 4


def test_coverage_counts_products_and_novelty_is_the_surprise_of_seeing_them_bought():
    # Of 4 customers all bought product 0, one bought 1, two bought 2, nobody 3: 0, 2, 1 and (as if one did) 2 bits.
    bits = metrics.information(np.array([0, 0, 0, 0, 1, 2, 2]), products=4, customers=4)
    assert bits.tolist() == [0, 2, 1, 2]
    found = metrics.likeness(np.array([[0, 1], [0, NOTHING]]), bits)
    assert found == {"coverage": 0.5, "novelty": 0.666667}


def test_of_two_new_products_that_speak_alike_the_one_that_others_are_starting_comes_first():
    equal = scipy.sparse.csr_matrix(np.ones((4, 1))), scipy.sparse.csr_matrix(np.ones((1, 5)))
    starting = np.array([1, 1, 0.5, 0.6, 0.7])
    found = neighbours.listed(lambda pairs, items: equal, PAIRS, ITEMS, 3, starting)
    assert found["new"][ANN].tolist() == [4, 3, 2]
    assert found["any"][ANN].tolist() == [0, 1, 2]


def test_what_a_neighbour_bought_long_ago_counts_half_for_each_half_life():
    pairs = Pairs.of(np.array([0, 1, 1]), np.array([0, 0, 1]), np.array([0, 0, 180]))
    _, bought = neighbours.user_based(pairs, np.arange(2))
    assert bought.toarray().tolist() == [[1, 0], [1, 0.25]]
