"""What is learned of products in this process: ALS and SVD factors, neighbours by co-purchase, EASE links."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import interest

if TYPE_CHECKING:
    import scipy.sparse

Array = np.ndarray
_AT_ONCE = 10_000  # purchases of the rows that ALS solves together: so much stays in the processor's cache


def worth_learning(products: Catalogue, params: RecommendationParams) -> Array:
    """Numbers of the products with enough buyers to say anything about taste, rising."""
    return np.flatnonzero(products.buyers >= min(params.fewest_buyers, int(products.buyers.max())))


def als(products: Catalogue, pairs: Pairs, params: RecommendationParams) -> tuple[Array, Array]:
    """ALS for implicit feedback (Hu, Koren and Volinsky 2008) on log(1 + orders), regularised as Spark does (Zhou et
    al. 2008): the products it knows, rising, and their factors. Of the same pairs it gives the same bits."""
    learned = worth_learning(products, params)
    matrix = pairs.matrix(learned, np.log1p(pairs.times))
    transposed = matrix.T.tocsr()
    found = start(len(learned), params)
    for _ in range(params.iterations):
        tastes = _half_step(matrix, found, params)
        found = _half_step(transposed, tastes, params)
    return learned.astype(np.int32), found.astype(np.float32)


def start(count: int, params: RecommendationParams) -> Array:
    """The factors that ALS begins with: of length 1, none below 0."""
    found = np.random.default_rng(params.seed).normal(size=(count, params.rank))
    return np.abs(found) / np.linalg.norm(found, axis=1, keepdims=True)


def _half_step(matrix: scipy.sparse.csr_matrix, fixed: Array, params: RecommendationParams) -> Array:
    """The factors of the rows, those of the columns being fixed.

    Rows are solved many at once, those of like length together, each filled up to the longest with nothing.
    """
    starts, lengths = matrix.indptr, np.diff(matrix.indptr)
    rows = np.argsort(lengths, kind="stable")
    rows = rows[lengths[rows] > 0]
    gram, eye = fixed.T @ fixed, params.regularisation * np.eye(params.rank)
    found = np.zeros((len(lengths), params.rank))
    while len(rows):
        longest = int(lengths[rows[-1]])
        some = rows[-max(1, _AT_ONCE // longest) :]
        is_there = np.arange(longest) < lengths[some, None]
        place = np.where(is_there, starts[some, None] + np.arange(longest), 0)
        bought = fixed[matrix.indices[place]] * is_there[:, :, None]
        extra = params.alpha * matrix.data[place] * is_there
        left = gram + (bought * extra[:, :, None]).swapaxes(1, 2) @ bought + lengths[some, None, None] * eye
        right = (1 + extra)[:, None, :] @ bought
        found[some] = np.linalg.solve(left, right.swapaxes(1, 2))[:, :, 0]
        rows = rows[: -len(some)]
    return found


def svd(learned: Array, pairs: Pairs, params: RecommendationParams) -> tuple[Array, Array]:
    """A truncated SVD of `ranking.interest`, each product over the fourth root of its buyers: what turns a history into
    tastes, and tastes into values, a row per learned product. Of a single product, or customer, there is no taste to
    learn: then nothing has a value."""
    import scipy.sparse
    import scipy.sparse.linalg

    matrix = pairs.matrix(learned, interest(pairs.times, pairs.age))
    rank = min(params.svd_rank, min(matrix.shape) - 1)
    if rank < 1:
        none = np.zeros((len(learned), 0), np.float32)
        return none, none
    root = np.maximum(np.bincount(matrix.indices, minlength=len(learned)), 1.0) ** 0.25
    scaled = matrix @ scipy.sparse.diags(1 / root)
    _, _, found = scipy.sparse.linalg.svds(scaled, k=rank, random_state=params.svd_seed)
    return (found.T / root[:, None]).astype(np.float32), (found.T * root[:, None]).astype(np.float32)


def item_based(products: Catalogue, pairs: Pairs, params: RecommendationParams) -> tuple[Array, Array, Array]:
    """Item-based filtering: the most bought products, and for each the ones most alike, and how alike they are.

    Similarity is the cosine of log(1 + orders) by customer (Sarwar et al. 2001), which is the same both ways, and in
    which the length of a product stands for how popular it is. Of equals the lower number comes first.
    """
    paired = _most_bought(products, params.neighbour_products)
    matrix = pairs.matrix(paired, np.log1p(pairs.times))
    count = min(params.neighbours, len(paired) - 1)
    length = np.sqrt(np.maximum(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel(), 1e-9))
    neighbours = np.zeros((len(paired), count), np.int32)
    similarities = np.zeros((len(paired), count), np.float32)
    transposed = matrix.T.tocsr()
    for start in range(0, len(paired), 500):
        block = slice(start, start + 500)
        alike = (transposed[block] @ matrix).toarray() / length[block, None] / length[None, :]
        alike[np.arange(len(alike)), start + np.arange(len(alike))] = 0.0
        best, similarities[block] = _strongest(np.round(alike, 6), count)
        neighbours[block] = paired[best]
    return paired.astype(np.int32), neighbours, similarities


def ease(products: Catalogue, pairs: Pairs, params: RecommendationParams) -> tuple[Array, Array, Array]:
    """EASE (Steck 2019), the closed form of a linear model that tells each product from the others: the most bought
    products, and for each the ones it speaks for most, with the weights, at most `ease_links` of them."""
    linked = _most_bought(products, params.ease_products)
    matrix = pairs.matrix(linked, np.ones(len(pairs.item)))
    gram = (matrix.T @ matrix).toarray()
    gram[np.diag_indices(len(linked))] += params.ease_regularisation
    inverse = np.linalg.inv(gram)
    weights = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(weights, 0.0)
    best, found = _strongest(np.round(weights, 6), min(params.ease_links, len(linked) - 1))
    return linked.astype(np.int32), linked[best].astype(np.int32), found.astype(np.float32)


def _most_bought(products: Catalogue, count: int) -> Array:
    order = np.lexsort((np.arange(len(products.ids)), -products.buyers))
    return np.sort(order[:count])


def _strongest(values: Array, count: int) -> tuple[Array, Array]:
    """Columns of the largest values of each row, and these; of equals the first ones."""
    best = np.argsort(-values, axis=1, kind="stable")[:, :count]
    return best, np.take_along_axis(values, best, axis=1)
