"""Predict the mark a user would give: baselines, neighbours, Slope One and factors, each a few lines of numpy.

A predictor learns from marks and gives an estimator, a function of users and items (arrays of equal length). Who or
what it never met gets what is left of the formula, at last the mean of all. Formulas and default numbers are those of
the library Surprise (Hug 2020), so that its table can be read beside ours; the factors alone are fitted otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.ratings.marks import Marks

Array = np.ndarray
Estimator = Callable[[Array, Array], Array]
Predictor = Callable[[Marks, tuple[int, int]], Estimator]
LOWEST, HIGHEST = 1.0, 5.0
_SEED = 0


def random(known: Marks, shape: tuple[int, int]) -> Estimator:
    """Marks drawn from the normal distribution of the known ones."""
    rng = np.random.default_rng(_SEED)
    mean, deviation = known.mark.mean(), known.mark.std()
    return lambda user, item: rng.normal(mean, deviation, len(user))


def baseline(known: Marks, shape: tuple[int, int]) -> Estimator:
    """The mean of all, and how far user and item lie from it (Koren, "Factor in the Neighbors", 2010)."""
    mean, of_user, of_item = biases(known, shape)
    return lambda user, item: mean + of_user[user] + of_item[item]


def biases(
    known: Marks, shape: tuple[int, int], rounds: int = 10, of_users: float = 15.0, of_items: float = 10.0
) -> tuple[float, Array, Array]:
    """The mean of all marks, and each user's and item's deviation, shrunk towards 0, by alternating least squares."""
    mean = float(known.mark.mean())
    user, item = np.zeros(shape[0]), np.zeros(shape[1])
    of_user, of_item = np.bincount(known.user, minlength=shape[0]), np.bincount(known.item, minlength=shape[1])
    for _ in range(rounds):
        left = known.mark - mean - user[known.user]
        item = np.bincount(known.item, left, shape[1]) / (of_items + of_item)
        left = known.mark - mean - item[known.item]
        user = np.bincount(known.user, left, shape[0]) / (of_users + of_user)
    return mean, user, item


def neighbours(centred_on: str, count: int = 40, of_items: bool = False) -> Predictor:
    """The mean of what the `count` most alike users gave the item, weighted by likeness: 1 / (1 + mean squared
    difference of the marks in common). Marks are told from 0 (`nothing`), the user's mean (`means`) or the `baseline`.
    With `of_items` users and items change places."""

    def predictor(known: Marks, shape: tuple[int, int]) -> Estimator:
        mean = float(known.mark.mean())
        user, item = (known.item, known.user) if of_items else (known.user, known.item)
        users, items = shape[::-1] if of_items else shape
        turned = Marks(user, item, known.mark, known.at)
        offset = _offset(turned, (users, items), centred_on)
        marks = turned.matrix((users, items), known.mark).toarray()
        is_known = marks > 0
        left = np.where(is_known, marks - offset, 0.0)
        alike = _alike(turned, (users, items))

        def estimate(of: Array, to: Array) -> Array:
            of, to = (to, of) if of_items else (of, to)
            found = np.where(offset[of, to] != 0, offset[of, to], mean)
            for one in np.unique(to):
                places = np.flatnonzero(to == one)
                raters = np.flatnonzero(is_known[:, one])
                if len(raters):
                    weights = _strongest(alike[np.ix_(of[places], raters)], count)
                    total = weights.sum(axis=1)
                    drawn = np.divide(weights @ left[raters, one], total, out=np.zeros(len(places)), where=total > 0)
                    found[places] = np.where(total > 0, offset[of[places], one] + drawn, found[places])
            return found

        return estimate

    return predictor


def slope_one(known: Marks, shape: tuple[int, int]) -> Estimator:
    """The user's mean and the mean difference of the item to those the user knows (Lemire and Maclachlan 2005)."""
    marks, is_known = _with_mask(known, shape)
    common = (is_known.T @ is_known).toarray()
    sums = (marks.T @ is_known).toarray()
    apart = np.divide(sums - sums.T, common, out=np.zeros_like(common), where=common > 0)
    total, count = is_known @ apart.T, is_known @ (common > 0).astype(float)
    shift = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
    is_met = np.bincount(known.item, minlength=shape[1]) > 0
    mean, of_user = _means(known, shape)
    return lambda user, item: np.where(is_met[item], of_user[user] + shift[user, item], mean)


def factors(rank: int = 20, regularisation: float = 0.1, rounds: int = 15) -> Predictor:
    """Biases, and factors of what they leave over, by alternating least squares regularised by the number of marks
    (Zhou et al. 2008): the model of Surprise's SVD, solved instead of followed down the gradient."""

    def predictor(known: Marks, shape: tuple[int, int]) -> Estimator:
        mean, of_user, of_item = biases(known, shape)
        left = known.matrix(shape, known.mark - mean - of_user[known.user] - of_item[known.item])
        turned = left.T.tocsr()
        to = np.random.default_rng(_SEED).normal(0, 0.1, (shape[1], rank))
        for _ in range(rounds):
            of = _half_step(left, to, regularisation)
            to = _half_step(turned, of, regularisation)
        return lambda user, item: mean + of_user[user] + of_item[item] + (of[user] * to[item]).sum(axis=1)

    return predictor


def _half_step(matrix: Any, fixed: Array, regularisation: float) -> Array:
    """The factors of the rows, those of the columns being fixed; 0 where a row is empty."""
    eye = np.eye(fixed.shape[1])
    found = np.zeros((matrix.shape[0], fixed.shape[1]))
    for row in np.flatnonzero(np.diff(matrix.indptr)):
        place = slice(matrix.indptr[row], matrix.indptr[row + 1])
        met = fixed[matrix.indices[place]]
        found[row] = np.linalg.solve(met.T @ met + regularisation * len(met) * eye, met.T @ matrix.data[place])
    return found


def _offset(known: Marks, shape: tuple[int, int], centred_on: str) -> Array:
    """What marks are told from: a value per user and item."""
    if centred_on == "nothing":
        return np.zeros(shape)
    if centred_on == "means":
        return np.broadcast_to(_means(known, shape)[1][:, None], shape)
    mean, of_user, of_item = biases(known, shape)
    return mean + of_user[:, None] + of_item[None, :]


def _means(known: Marks, shape: tuple[int, int]) -> tuple[float, Array]:
    """The mean of all marks, and of each user's; of a user without any the former."""
    mean, counts = float(known.mark.mean()), np.bincount(known.user, minlength=shape[0])
    of_user = np.bincount(known.user, known.mark, shape[0]) / np.maximum(counts, 1)
    return mean, np.where(counts > 0, of_user, mean)


def _alike(known: Marks, shape: tuple[int, int]) -> Array:
    """Likeness of every two users; 0 where they have no mark in common."""
    marks, is_known = _with_mask(known, shape)
    squares = marks.multiply(marks)
    common = (is_known @ is_known.T).toarray()
    apart = (squares @ is_known.T).toarray()
    apart = apart + apart.T - 2 * (marks @ marks.T).toarray()
    return np.where(common > 0, 1 / (1 + apart / np.maximum(common, 1)), 0.0)


def _strongest(weights: Array, count: int) -> Array:
    """The weights without those below the `count` largest of each row."""
    if weights.shape[1] <= count:
        return weights
    places = np.argpartition(-weights, count - 1, axis=1)[:, :count]
    kept = np.zeros_like(weights)
    np.put_along_axis(kept, places, np.take_along_axis(weights, places, axis=1), axis=1)
    return kept


def _with_mask(known: Marks, shape: tuple[int, int]) -> tuple[Any, Any]:
    return known.matrix(shape, known.mark), known.matrix(shape, np.ones(len(known.mark)))
