"""Recommenders that answer from other customers' purchases: user-based filtering and next-basket neighbours.

They are measured beside the others, and never let into the registry: a model that can answer would hold the purchases
of other people. A recipe is two matrices whose product scores customers x items; it is never made whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.ranking import HALF_LIVES, largest

if TYPE_CHECKING:
    import scipy.sparse

Array = np.ndarray
Recipe = Callable[[Pairs, Array], "tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]"]
NOTHING = -1
_AT_ONCE = 500  # customers whose scores are in memory


def user_based(
    pairs: Pairs, items: Array, count: int = 100, half_life_days: float = 90.0
) -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
    """What the `count` most alike other customers bought, each purchase by cosine ** 1.5 and a half for each half-life
    since it was last made.

    The cosine is of log(1 + orders, fading), by the root of log(customers over buyers).
    """
    import scipy.sparse

    matrix = pairs.matrix(items, np.log1p(pairs.fading[:, HALF_LIVES.index(180)]))
    buyers = np.maximum(np.bincount(matrix.indices, minlength=len(items)), 1)
    tastes = _unit(matrix @ scipy.sparse.diags(np.sqrt(np.log(matrix.shape[0] / buyers))))
    alike = (tastes @ tastes.T).toarray()
    np.fill_diagonal(alike, 0.0)
    count = min(count, len(alike) - 1)
    least = -np.partition(-alike, count - 1, axis=1)[:, count - 1]
    near = scipy.sparse.csr_matrix(np.where(alike >= least[:, None], alike**1.5, 0.0))
    return near, pairs.matrix(items, 0.5 ** (pairs.age / half_life_days))


def next_basket(
    pairs: Pairs, items: Array, count: int = 300, own: float = 0.7, half_life_days: float = 30.0
) -> tuple[scipy.sparse.csr_matrix, scipy.sparse.csr_matrix]:
    """TIFU-kNN (Hu, He, Gao and Zhang, "Modeling Personalized Item Frequency Information for Next-basket
    Recommendation", 2020): own purchase frequencies, fading, mixed with those of the nearest customers.

    The fading is by days and not by groups of baskets: orders of a product times a half for each half-life since the
    last one, over the most frequent product of the customer.
    """
    import scipy.sparse

    fading = pairs.times * 0.5 ** (pairs.age / half_life_days)
    matrix = pairs.matrix(items, fading)
    most = np.maximum(matrix.max(axis=1).toarray().ravel(), 1e-9)
    frequencies = (scipy.sparse.diags(1 / most) @ matrix).tocsr()
    square = np.asarray(frequencies.multiply(frequencies).sum(axis=1)).ravel()
    distance = square[:, None] + square[None, :] - 2 * (frequencies @ frequencies.T).toarray()
    np.fill_diagonal(distance, np.inf)
    count = min(count, len(distance) - 1)
    most_far = np.partition(distance, count - 1, axis=1)[:, count - 1]
    near = scipy.sparse.csr_matrix((distance <= most_far[:, None]) / count)
    mixed = own * scipy.sparse.identity(len(distance)) + (1 - own) * near
    return mixed.tocsr(), frequencies


RECIPES: dict[str, Recipe] = {"user_based": user_based, "next_basket": next_basket}


def listed(recipe: Recipe, pairs: Pairs, items: Array, count: int, starting: Array) -> dict[str, Array]:
    """By task, the best `count` of `items` of each customer, 'new' only such as the customer never bought, their scores
    times `starting`; NOTHING where fewer have a score. Of equals the lower number comes first."""
    left, right = recipe(pairs, items)
    bought = pairs.matrix(items, np.ones(len(pairs.item)))
    shape = (left.shape[0], count)
    lists = {task: np.full(shape, NOTHING) for task in ("any", "new")}
    for customer, scores in _scores(left, right):
        for task, found in lists.items():
            if task == "new":
                scores[bought.indices[bought.indptr[customer] : bought.indptr[customer + 1]]] = 0.0
                scores *= starting
            places = np.sort(largest(scores, count))
            places = places[np.argsort(-np.round(scores[places], 9), kind="stable")]
            found[customer, : len(places)] = items[places]
    return lists


def _scores(left: scipy.sparse.csr_matrix, right: scipy.sparse.csr_matrix) -> Iterator[tuple[int, Array]]:
    for start in range(0, left.shape[0], _AT_ONCE):
        yield from enumerate((left[start : start + _AT_ONCE] @ right).toarray(), start)


def _unit(matrix: scipy.sparse.csr_matrix) -> scipy.sparse.csr_matrix:
    """Each row over its length."""
    import scipy.sparse

    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return scipy.sparse.diags(1 / np.maximum(length, 1e-9)) @ matrix
