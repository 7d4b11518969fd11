"""The products worth ranking for a customer, and what a recipe or a learned ranker sees of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
# What a score is made of; each is scaled so that the customer's best product has 1.
OWN_COUNT, OWN_RECENT, ALS, ITEMS, POPULARITY, SVD, EASE, CONTENT = range(8)
COMPONENTS = ("own_count", "own_recent", "als", "item_based", "popularity", "svd", "ease", "content")


@dataclass(frozen=True)
class Candidates:
    """Products worth ranking, the more popular first, with one column of `values` per component and one of `extras` for
    each of `figures.EXTRAS`."""

    items: Array
    values: Array
    is_bought: Array
    extras: Array

    def without_bought(self) -> Candidates:
        """Those the customer never bought."""
        kept = ~self.is_bought
        return Candidates(self.items[kept], self.values[kept], self.is_bought[kept], self.extras[kept])

    @property
    def features(self) -> Array:
        """What a learned ranker sees."""
        return np.hstack([self.values, self.extras])


def weights_of(said: Mapping[str, float]) -> Array:
    """Weights by name as an array in the order of COMPONENTS."""
    return np.array([float(said.get(name, 0.0)) for name in COMPONENTS])
