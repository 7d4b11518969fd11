"""ALS in numpy: rows solved many at once are what each row's own equations say."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse

from spark_jobs.recommendations import factors
from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import interest

PARAMS = replace(RecommendationParams(), rank=3, alpha=2.0, regularisation=0.1)


@pytest.mark.parametrize("at_once", [1, 7, 10_000])
def test_each_row_solves_its_normal_equations_however_many_are_solved_together(at_once, monkeypatch):
    monkeypatch.setattr(factors, "_AT_ONCE", at_once)
    rng = np.random.default_rng(5)
    values = rng.random((12, 9)) * (
        rng.random((12, 9)) < np.linspace(0, 1, 12)[:, None]
    )  # from empty rows to full ones
    fixed = rng.normal(size=(9, 3))
    found = factors._half_step(scipy.sparse.csr_matrix(values), fixed, PARAMS)
    assert not found[0].any()
    for row, of_row in zip(values[1:], found[1:], strict=True):
        bought = row > 0
        confidence = np.where(bought, 1 + 2.0 * row, 1.0)
        left = (fixed * confidence[:, None]).T @ fixed + 0.1 * bought.sum() * np.eye(3)
        assert left @ of_row == pytest.approx(fixed.T @ (confidence * bought), abs=1e-9)


def test_of_a_single_product_worth_learning_there_is_no_svd():
    pairs = Pairs.of(np.arange(3), np.zeros(3, dtype=np.int64), np.ones(3))
    svd_from, svd_to = factors.svd(np.array([0]), pairs, PARAMS)
    assert svd_from.shape == svd_to.shape == (1, 0)


def test_alike_are_products_bought_together_the_same_both_ways_and_not_what_everybody_buys():
    # All four buy 0, two also 1 and 2, one of them 3 as well.
    rows = [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (0, 2), (1, 1), (1, 2), (1, 3)]
    customer, item = np.array(rows).T
    pairs = Pairs.of(customer, item, np.zeros(len(rows)))
    products = SimpleNamespace(ids=np.arange(4), buyers=np.array([4, 2, 2, 1]))
    paired, neighbours, similarities = factors.item_based(products, pairs, replace(PARAMS, neighbours=3))
    alike = np.zeros((4, 4))
    alike[paired[:, None], neighbours] = similarities
    assert (alike == alike.T).all()
    assert neighbours[1].tolist() == [2, 0, 3]
    assert similarities[1] == pytest.approx([1, 0.5**0.5, 0.5**0.5], abs=1e-6)


def test_the_interest_of_which_an_svd_learns_halves_in_half_a_year():
    found = interest(np.array([1.0, 1.0, 2.0]), np.array([0, 180, 360]))
    assert found == pytest.approx([np.log(5), np.log(5) / 2, np.log(9) / 4])
