"""Members of whom nothing is known but what they declared: what people of their age, gender and occupation rate.

Each declared group says how much more often its members rate a film than everybody does; what the groups say is
multiplied, as naive Bayes does. A group of few members says little: it is mixed with everybody as if so many members
more (`prior`) were like everybody.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.ratings.marks import Marks, Site
from benchmarks.ratings.ranking import TOP, figures
from benchmarks.ratings.splits import Split, by_time

Array = np.ndarray
EVERYBODY = "popularity"
RECIPES: dict[str, tuple[str, ...]] = {
    EVERYBODY: (),
    "by age": ("age_band",),
    "by gender": ("gender",),
    "by occupation": ("occupation",),
    "by all three": ("age_band", "gender", "occupation"),
}
PRIORS = (10.0, 30.0, 100.0, 300.0)


def strangers(split: Split) -> Marks:
    """The held marks of members without any known one."""
    return split.held.of(~np.isin(split.held.user, split.learned.user))


def scores(known: Marks, shape: tuple[int, int], declared: pd.DataFrame, groups: Sequence[str], prior: float) -> Array:
    """How likely each user (row) is to rate each film, by logarithms that only their order counts of."""
    rated = known.matrix(shape, np.ones(len(known.user)))
    is_member = np.bincount(known.user, minlength=shape[0]) > 0
    everybody = (np.asarray(rated.sum(axis=0)).ravel() + 1) / (is_member.sum() + 2)
    found = np.tile(np.log(everybody), (shape[0], 1))
    for group in groups:
        code, names = pd.factorize(declared[group])
        belongs = np.zeros((len(names), shape[0]))
        belongs[code[is_member], np.flatnonzero(is_member)] = 1
        share = (belongs @ rated + prior * everybody) / (belongs.sum(axis=1) + prior)[:, None]
        found += np.log(share)[code] - np.log(everybody)
    return found


def lists(known: Marks, shape: tuple[int, int], declared: pd.DataFrame, groups: Sequence[str], prior: float) -> Array:
    """The ten likeliest films of every user, of equals the lower number."""
    return np.argsort(-np.round(scores(known, shape, declared, groups, prior), 9), axis=1, kind="stable")[:, :TOP]


def best_prior(known: Marks, site: Site) -> float:
    """The one with the best NDCG for strangers of an earlier split by time, all groups together."""
    earlier = by_time(known)
    held = strangers(earlier)

    def ndcg(prior: float) -> float:
        groups = RECIPES["by all three"]
        of_prior = lists(earlier.learned, site.marks.shape, site.declared, groups, prior)
        return float(figures(of_prior, held, site.marks.shape)["ndcg"].mean())

    return max(PRIORS, key=ndcg)


def found(site: Site, split: Split) -> tuple[float, dict[str, dict[str, Array]]]:
    """The prior, and of each recipe the figures of every stranger."""
    prior = best_prior(split.learned, site)
    shape, held = site.marks.shape, strangers(split)
    return prior, {
        name: figures(lists(split.learned, shape, site.declared, groups, prior), held, shape)
        for name, groups in RECIPES.items()
    }
