"""How well a ranking of customers foretells who spends: the Gini coefficient of the ranking over that of a perfect one.

The Gini coefficient of what customers spend is proportional to the covariance of spend and rank (Lerman and Yitzhaki,
1984). With the ranks of a score in place of those of the spend it says what the score foretells, here as a share of
what a perfect one would: 1 is perfect, 0 is chance. Equal scores share their mean rank, so a tier is not helped by the
order within it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from huaxiang.judging import resampling
from huaxiang.judging.resampling import Replicates

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


def gini(scores: Array, spent: Array) -> float:
    """The normalised coefficient, from -1 to 1; not a number where all spend the same."""
    from scipy.stats import rankdata

    apart = spent - spent.mean()
    return float(rankdata(scores) @ apart / (rankdata(spent) @ apart))


def replicates(
    rankings: Mapping[str, Array], spent: Array, times: int = 1_000, seed: int = 28
) -> dict[str, Replicates]:
    """The coefficient of each ranking, and in so many draws of the customers, the same draws for all."""
    import numpy as np

    rows = np.arange(len(spent))
    drawn = [rows, *resampling.redrawn(rows, times, seed)]
    return {
        name: resampling.of_draws(np.array([gini(scores[of], spent[of]) for of in drawn]))
        for name, scores in rankings.items()
    }
