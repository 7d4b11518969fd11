"""What a customer bought, and the products worth ranking for that: what a recipe looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
# What a score is made of; each is scaled so that the customer's best product has 1.
OWN_COUNT, OWN_RECENT, ALS, ITEMS, POPULARITY, SVD, EASE, CONTENT = range(8)
COMPONENTS = ("own_count", "own_recent", "als", "item_based", "popularity", "svd", "ease", "content")
# What a learned ranker sees besides them, unscaled; an age of NEVER where the customer did not buy it.
EXTRAS = ("times", "lately", "age", "first_age", "products", "buyers", "late_buyers", "repeats", "affinity", "kind_age",
          "kind_share", "liking")  # fmt: skip
NEVER = 1000.0
NOTHING = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class History:
    """What a customer bought: positions of products (rising), in how many orders (and of these `lately`, in the last 91
    days), and days since the last and the first one."""

    items: Array
    times: Array
    ages: Array
    lately: Array
    first_ages: Array


@dataclass(frozen=True)
class Candidates:
    """Products worth ranking, the more popular first, with one column of `values` per component and one of `extras` for
    each of EXTRAS."""

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
