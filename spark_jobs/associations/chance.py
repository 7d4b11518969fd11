"""How likely counts at least as high are by chance: Fisher's exact test, one-sided, for many rules at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spark_jobs.associations.rules import Counted

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

DIGITS = 4  # of a p-value that are kept: it may be 1e-200, where decimals would say 0


def p_values(rules: Sequence[Counted], tests: int) -> list[float]:
    """Of each rule, times the number of `tests` (Bonferroni) and at most 1; 0 stands for less than 1e-307.

    Orders are taken as independent of each other; those of one customer are not quite.
    """
    import numpy as np

    if not rules:
        return []
    counts = np.array([(r.order_count, r.antecedent_count, r.consequent_count, r.both_count) for r in rules])
    return [float(f"{min(1.0, p * tests):.{DIGITS - 1}e}") for p in tail(*counts.T)]


def tail(order_count: Any, antecedent_count: Any, consequent_count: Any, both_count: Any) -> Array:
    """P(X >= both_count) of the hypergeometric distribution, element by element.

    What scipy.stats.hypergeom.sf gives, which loops over its arguments; a bootstrap asks a hundred thousand times.
    The terms beyond the first are made from the one before, from the count away from the mean, so that they fall.
    """
    import numpy as np

    n, a, c, k = np.broadcast_arrays(*map(_doubles, (order_count, antecedent_count, consequent_count, both_count)))
    is_upper = k * n > a * c
    at = np.where(is_upper, k, np.maximum(k - 1, 0))
    first = _log_probability(n, a, c, at)
    term, total = np.ones(n.shape), np.ones(n.shape)
    while (term > 1e-17 * total).any():
        with np.errstate(divide="ignore", invalid="ignore"):  # in the direction that is not taken
            up = (a - at) * (c - at) / ((at + 1) * (n - a - c + at + 1))
            down = at * (n - a - c + at) / ((a - at + 1) * (c - at + 1))
        term = term * np.maximum(np.where(is_upper, up, down), 0)
        total = total + term
        at = at + np.where(is_upper, 1, -1)
    summed = np.exp(first + np.log(total))
    return np.clip(np.where(is_upper, summed, np.where(k <= 0, 1.0, 1 - summed)), 0, 1)


def _log_probability(n: Array, a: Array, c: Array, k: Array) -> Array:
    """log P(X = k); where k is impossible (fewer than a + c - n), minus infinity."""
    import numpy as np

    possible = (k >= a + c - n) & (k <= np.minimum(a, c))
    k = np.where(possible, k, np.minimum(a, c))
    found = _log_choose(a, k) + _log_choose(n - a, c - k) - _log_choose(n, c)
    return np.where(possible, found, -np.inf)


def _log_choose(n: Array, k: Array) -> Array:
    from scipy.special import gammaln

    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _doubles(values: Any) -> Array:
    import numpy as np

    return np.asarray(values, dtype=float)
