"""What people of a group buy (or rate): for those of whom little else is known.

Each group a person belongs to says how much more often its members buy a product than everybody does; what several
groups say is multiplied, as naive Bayes does. A group of few members says little: it is mixed with everybody as if so
many members more (`prior`) were like everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import scipy.sparse

Array = np.ndarray


def scores(bought: scipy.sparse.csr_matrix, groups: Sequence[Array], prior: float) -> Array:
    """How likely each person (row) is to buy each product (column), as logarithms of which only the order counts.

    `bought` holds a 1 where a person did; rows without any do not count. `groups` are numbers per person, -1 where it
    is not known: that says nothing.
    """
    is_member = np.diff(bought.indptr) > 0
    everybody = (np.asarray(bought.sum(axis=0)).ravel() + 1) / (is_member.sum() + 2)
    found = np.tile(np.log(everybody), (bought.shape[0], 1))
    for group in groups:
        belongs = np.zeros((int(group.max(initial=-1)) + 2, bought.shape[0]))  # the last row: not known
        belongs[group[is_member], np.flatnonzero(is_member)] = 1
        share = (belongs @ bought + prior * everybody) / (belongs.sum(axis=1) + prior)[:, None]
        lift = np.log(share) - np.log(everybody)
        lift[-1] = 0.0
        found += lift[group]
    return found


def best(found: Array, count: int) -> Array:
    """Places of the `count` largest scores of each row, of equals the first ones."""
    return np.argsort(-np.round(found, 9), axis=1, kind="stable")[:, :count]
