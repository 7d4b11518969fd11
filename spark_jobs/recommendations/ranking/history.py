"""What a customer bought: from single orders to a figure per product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Array = np.ndarray
NOTHING = np.zeros(0, dtype=np.int64)
LATELY_DAYS = 91
HALF_LIVES = (14, 45, 180)  # days after which an order counts half


@dataclass(frozen=True)
class History:
    """What a customer bought: positions of products (rising), in how many orders (and of these `lately`, in the last
    LATELY_DAYS), days since the last and the first one, and the orders `fading`, a column per half-life."""

    items: Array
    times: Array
    ages: Array
    lately: Array
    first_ages: Array
    fading: Array

    @staticmethod
    def of(items: Array, ages: Array) -> History:
        """Of one place per product and order, in any order: the product's position and how many days ago it was."""
        return History(*summed_up(items, ages))


def interest(times: Array, ages: Array) -> Array:
    """What an SVD learns from and is asked with: log(1 + 4 orders), halved with every 180 days since the last."""
    return np.log1p(4.0 * times) * 0.5 ** (ages / 180.0)


def summed_up(keys: Array, ages: Array) -> tuple[Array, ...]:
    """The distinct `keys` of orders, rising, and for each what a History says of it."""
    order = np.lexsort((ages, keys))
    ages = ages[order].astype(float)
    found, starts, times = np.unique(keys[order], return_index=True, return_counts=True)
    lately = np.add.reduceat((ages < LATELY_DAYS).astype(float), starts)
    fading = [np.add.reduceat(0.5 ** (ages / days), starts) for days in HALF_LIVES]
    return found, times.astype(float), ages[starts], lately, ages[starts + times - 1], np.stack(fading, axis=1)
