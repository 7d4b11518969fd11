"""Guards against figures that know too much: labels dealt out anew, and columns that decide alone.

With labels dealt out at random there is nothing to learn: an AUC off one half means that rows judged are also learned
from, or that the split sees the label. A column without which everything else is much worse may be the label in
disguise; it may also be the one figure that matters, so it is told and not refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

CHANCE, CHANCE_OFF = 0.5, 0.02
LONE_GAIN = 0.03  # of AUC

AucWith = Callable[[list[int]], float]


def dealt_anew(labels: Array, groups: Array, seed: int) -> Array:
    """The labels shuffled within each group (codes), so that every group keeps its number of events."""
    import numpy as np

    rng = np.random.default_rng(seed)
    order = np.argsort(groups, kind="stable")
    dealt = labels.copy()
    for rows in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1):
        dealt[rows] = rng.permutation(labels[rows])
    return dealt


def is_by_chance(aucs: Array) -> bool:
    """Whether the AUCs of several deals are, on average, as near one half as they have to be, or as near as so few
    customers let them be (four standard errors)."""
    import numpy as np

    off = abs(float(np.mean(aucs)) - CHANCE)
    return off <= max(CHANCE_OFF, 4 * float(np.std(aucs)) / len(aucs) ** 0.5)


def lone_columns(names: list[str], auc_with: AucWith) -> Mapping[str, float]:
    """The columns that alone add more than LONE_GAIN of AUC to all others, with what they add.

    `auc_with` gives the AUC, on days not learned from, of a model of the columns at these positions.
    """
    places = list(range(len(names)))
    whole = auc_with(places)
    added = {name: whole - auc_with([one for one in places if one != place]) for place, name in enumerate(names)}
    return {name: round(gain, 6) for name, gain in added.items() if gain > LONE_GAIN}
