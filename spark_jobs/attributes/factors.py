"""Behavioural lifestyle factors: which categories are bought by the same customers, as non-negative parts.

NMF (Lee and Seung, 1999) of each customer's log counts, weighted by how rare a category is and brought to length 1, so
that a factor speaks of the mix and not of the amount. A factor is worth telling where it comes back in random halves
of the customers: Tucker's congruence phi of matched factors (Lorenzo-Seva and ten Berge, 2006), matched by the
Hungarian method. The baseline is the same done to categories shuffled among customers, each by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_jobs.attributes.params import AttributeParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True)
class Factors:
    """Factors found: one row of `loadings` each, of length 1; `phis` has a row per judged split."""

    loadings: Array  # factors x categories
    rarity: Array  # of the categories: log(customers / buyers)
    phis: Array  # splits x factors
    baseline_phis: Array  # splits x factors, of shuffled categories
    explained: Array  # of every split: share of the other half's purchases that one half's factors explain
    baseline_explained: Array  # the same, of shuffled categories
    tried: tuple[dict[str, Any], ...]  # one row per number of factors
    least_phi: float

    @property
    def found_share(self) -> Array:
        """Of every factor: the share of splits in which it came back."""
        found: Array = (self.phis >= self.least_phi).mean(axis=0)
        return found

    @property
    def stability(self) -> Array:
        """Of every factor: the median phi over the splits."""
        import numpy as np

        found: Array = np.median(self.phis, axis=0)
        return found


def find(orders: Array, params: AttributeParams) -> Factors:
    """Choose the number of factors of which most come back, and judge each of them on other splits.

    `orders` has a row per customer, a column per category.
    """
    import numpy as np
    import scipy.optimize  # noqa: F401 (the limit below reaches only libraries that are loaded)
    import sklearn.decomposition  # noqa: F401
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        seen = rarity(orders)
        table = weighted(orders, seen)
        tried = []
        for count in params.factor_counts:
            whole = decomposed(table, count)
            seeds = range(params.seed, params.seed + params.splits)
            found = [phi(whole, *(decomposed(half, count) for half in _halves(table, seed))) for seed in seeds]
            middle = np.median(found, axis=0)
            tried.append(
                {
                    "factors": count,
                    "stable": int((middle >= params.least_phi).sum()),
                    "weakest_phi": round(float(middle.min()), params.decimals),
                }
            )
        count = chosen(tried)
        loadings = _by_weight(decomposed(table, count), table)
        phis, baseline, told, baseline_told = [], [], [], []
        for split in range(params.judged_splits):
            seed = params.seed + params.splits + split
            halves = [decomposed(half, count) for half in _halves(table, seed)]
            phis.append(phi(loadings, *halves))
            told.append(explained(_halves(table, seed)[1], halves[0]))
            shuffled = weighted(_shuffled(orders, seed), seen)
            halves = [decomposed(half, count) for half in _halves(shuffled, seed)]
            baseline.append(phi(*halves))
            baseline_told.append(explained(_halves(shuffled, seed)[1], halves[0]))
    return Factors(
        loadings=loadings,
        rarity=seen,
        phis=np.array(phis),
        baseline_phis=np.array(baseline),
        explained=np.array(told),
        baseline_explained=np.array(baseline_told),
        tried=tuple(tried),
        least_phi=params.least_phi,
    )


def rarity(orders: Array) -> Array:
    """Of every category log(customers / buyers): what all buy says nothing."""
    import numpy as np

    found: Array = np.log(len(orders) / np.maximum((orders > 0).sum(axis=0), 1))
    return found


def weighted(orders: Array, seen: Array) -> Array:
    """log(1 + orders) times rarity, each customer brought to length 1; a row of zeros stays one."""
    import numpy as np

    table = np.log1p(orders) * seen
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    found: Array = table / np.where(lengths > 0, lengths, 1.0)
    return found


def decomposed(table: Array, count: int) -> Array:
    """The loadings of so many factors, each of length 1; the start is fixed by the data (NNDSVD)."""
    import warnings

    import numpy as np
    from sklearn.decomposition import NMF

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it stopped early: what is not settled shows as not stable
        fitted = NMF(count, init="nndsvda", max_iter=300, tol=1e-3, random_state=0).fit(table)
    lengths = np.linalg.norm(fitted.components_, axis=1, keepdims=True)
    found: Array = fitted.components_ / np.where(lengths > 0, lengths, 1.0)
    return found


def phi(first: Array, *others: Array) -> Array:
    """Tucker's phi of each row of `first` (rows of length 1) with the row of another that it is matched to.

    With two others, the two halves: phi between its counterparts there, which saw none of the same customers.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    matched = [other[linear_sum_assignment(-(first @ other.T))[1]] for other in others]
    one, two = (first, matched[0]) if len(matched) == 1 else matched
    found: Array = np.clip((one * two).sum(axis=1), 0.0, 1.0)
    return found


def explained(table: Array, loadings: Array) -> float:
    """The share of the table's sum of squares that the nearest weights of the loadings make up for."""
    from spark_jobs.attributes.portable_factors import weights

    rest = table - weights(table, loadings) @ loadings
    return float(1.0 - (rest**2).sum() / (table**2).sum())


def chosen(tried: Sequence[dict[str, Any]]) -> int:
    """The number of factors of which most come back; of equally many the smallest, which has least beside them."""
    return int(max(tried, key=lambda row: (row["stable"], -row["factors"]))["factors"])


def _by_weight(loadings: Array, table: Array) -> Array:
    """The factors in order of what they carry, the heaviest first."""
    import numpy as np

    from spark_jobs.attributes.portable_factors import weights

    carried = weights(table, loadings).sum(axis=0)
    return loadings[np.argsort(-carried, kind="stable")]


def _halves(table: Array, seed: int) -> tuple[Array, Array]:
    import numpy as np

    places = np.random.default_rng(seed).permutation(len(table))
    half = len(table) // 2
    return table[np.sort(places[:half])], table[np.sort(places[half:])]


def _shuffled(orders: Array, seed: int) -> Array:
    import numpy as np

    rng = np.random.default_rng(seed)
    return np.column_stack([rng.permutation(column) for column in orders.T])
