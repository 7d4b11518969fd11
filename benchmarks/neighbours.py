"""Recommenders that answer from other customers' purchases: user-based filtering and next-basket neighbours.

They are measured, and never let into the registry: a model that can answer would hold the purchases of other people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spark_jobs.recommendations.pairs import Pairs

if TYPE_CHECKING:
    import scipy.sparse

Array = np.ndarray


def user_based(pairs: Pairs, items: Array, count: int = 200, fade: float = 0.2) -> scipy.sparse.csr_matrix:
    """Customers x `items`: what the `count` most alike other customers bought in the last 91 days, each by the square
    of the cosine of log(1 + orders) x log(customers over buyers); older purchases count `fade`."""
    import scipy.sparse

    matrix = pairs.matrix(items, np.log1p(pairs.times))
    buyers = np.maximum(np.bincount(matrix.indices, minlength=len(items)), 1)
    tastes = _unit(matrix @ scipy.sparse.diags(np.log(matrix.shape[0] / buyers)))
    alike = (tastes @ tastes.T).toarray()
    np.fill_diagonal(alike, 0.0)
    least = -np.partition(-alike, count, axis=1)[:, count]
    near = scipy.sparse.csr_matrix(np.where(alike >= least[:, None], alike**2, 0.0))
    return near @ pairs.matrix(items, np.where(pairs.lately > 0, 1 + fade, fade))


def next_basket(
    pairs: Pairs, items: Array, count: int = 300, own: float = 0.7, half_life_days: float = 30.0
) -> scipy.sparse.csr_matrix:
    """TIFU-kNN (Hu, He, Gao and Zhang, "Modeling Personalized Item Frequency Information for Next-basket
    Recommendation", 2020): own purchase frequencies, fading, mixed with those of the nearest customers.

    The fading is by days and not by groups of baskets: orders of a product times a half for each half-life since the
    last one, over the most frequent product of the customer.
    """
    import scipy.sparse

    fading = pairs.times * 0.5 ** (pairs.age / half_life_days)
    matrix = pairs.matrix(items, fading)
    most = np.maximum(matrix.max(axis=1).toarray().ravel(), 1e-9)
    frequencies = scipy.sparse.diags(1 / most) @ matrix
    square = np.asarray(frequencies.multiply(frequencies).sum(axis=1)).ravel()
    distance = square[:, None] + square[None, :] - 2 * (frequencies @ frequencies.T).toarray()
    np.fill_diagonal(distance, np.inf)
    most_far = np.partition(distance, count, axis=1)[:, count]
    near = scipy.sparse.csr_matrix((distance <= most_far[:, None]) / count)
    return own * frequencies + (1 - own) * (near @ frequencies)


def _unit(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """Each row over its length."""
    import scipy.sparse

    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return scipy.sparse.diags(1 / np.maximum(length, 1e-9)) @ matrix
