"""Members of whom nothing is known but what they declared: what people of their age, gender and occupation rate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks import groups
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


def lists(known: Marks, shape: tuple[int, int], declared: pd.DataFrame, names: Sequence[str], prior: float) -> Array:
    """The ten films that members of the user's groups likeliest rate, of equals the lower number."""
    rated = known.matrix(shape, np.ones(len(known.user)))
    return groups.best(groups.scores(rated, [pd.factorize(declared[name])[0] for name in names], prior), TOP)


def best_prior(known: Marks, site: Site) -> float:
    """The one with the best NDCG for strangers of an earlier split by time, all groups together."""
    earlier = by_time(known)
    held = strangers(earlier)

    def ndcg(prior: float) -> float:
        of_prior = lists(earlier.learned, site.marks.shape, site.declared, RECIPES["by all three"], prior)
        return float(figures(of_prior, held, site.marks.shape)["ndcg"].mean())

    return max(PRIORS, key=ndcg)


def found(site: Site, split: Split) -> tuple[float, dict[str, dict[str, Array]]]:
    """The prior, and of each recipe the figures of every stranger."""
    prior = best_prior(split.learned, site)
    shape, held = site.marks.shape, strangers(split)
    return prior, {
        name: figures(lists(split.learned, shape, site.declared, names, prior), held, shape)
        for name, names in RECIPES.items()
    }
