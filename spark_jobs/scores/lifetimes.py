"""BG/NBD: how often customers order and when they stop, where nobody says goodbye; learned from orders, not labels.

Fader, Hardie and Lee, "Counting your customers the easy way: an alternative to the Pareto/NBD model" (2005). While
active, a customer orders as a Poisson process whose rate is gamma(r, alpha) over customers, and after each repeated
order stops for good with a chance that is beta(a, b) over customers. Four numbers are all that is learned; portable.py
scores with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.scores.params import ScoreParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

COLUMNS = ("order_count", "recency_days", "tenure_days")
_FARTHEST = 12.0  # of a parameter's logarithm: where nobody stops, a and b could rise together for ever


@dataclass(frozen=True)
class Lifetimes:
    """Rates of orders a day are gamma(r, alpha) over customers, chances to stop after an order beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


def fit(values: Array, label: Array, params: ScoreParams) -> Lifetimes:
    """The most likely parameters for rows of COLUMNS; what came after, the labels, is not looked at.

    Rows may be one customer at several cut-offs, so this maximises a composite likelihood: it finds the same parameters
    and would only be too sure of them. Raises ArithmeticError where there is no maximum.
    """
    import numpy as np
    from scipy.optimize import minimize

    orders, recency, tenure = values.T
    again, last = np.maximum(orders - 1, 0.0), np.maximum(tenure - recency, 0.0)
    start = np.log([1.0, max(tenure.mean(), 1.0) / max(again.mean(), 0.01), 0.5, 5.0])

    def loss(logs: Array) -> float:
        return -float(log_likelihood(Lifetimes(*np.exp(logs)), again, last, tenure).mean())

    found = minimize(loss, start, method="L-BFGS-B", bounds=[(-_FARTHEST, _FARTHEST)] * 4)
    if not np.isfinite(found.fun):
        raise ArithmeticError("no parameters make these orders likely")
    return Lifetimes(*(round(float(one), params.decimals) for one in np.exp(found.x)))


def log_likelihood(given: Lifetimes, again: Array, last: Array, tenure: Array) -> Array:
    """Per customer: of `again` orders after the first, the last of them on day `last`, seen for `tenure` days.

    Equation (6) of the paper: either still active, silent since the last order, or stopped right after it.
    """
    import numpy as np
    from scipy.special import betaln, gammaln

    shape = given.r + again
    rate = gammaln(shape) - gammaln(given.r) + given.r * np.log(given.alpha)
    active = betaln(given.a, given.b + again) - shape * np.log(given.alpha + tenure)
    stopped = betaln(given.a + 1, given.b + np.maximum(again, 1.0) - 1) - shape * np.log(given.alpha + last)
    either = np.logaddexp(active, np.where(again > 0, stopped, -np.inf))
    found: Array = rate - betaln(given.a, given.b) + either
    return found
