"""Turn raw scores into probabilities by a sigmoid or a rising line, and say how far they can be taken at their word.

Platt, "Probabilistic outputs for support vector machines" (1999); Zadrozny and Elkan, "Transforming classifier scores
into accurate multiclass probability estimates" (2002) for isotonic regression, here joined by straight lines between
the middles of its steps as Oron and Flournoy (2017) do. Both rise with the score, so the order of customers stays
and AUC with it; only beyond its ends, among the few highest and lowest scores, is the line flat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

_LEAST_SLOPE = 1e-3  # a score that says nothing, or the contrary, hardly moves the probability
_MOST_STEPS, _FEWEST_ROWS = 30, 60  # of an isotonic line: groups of rows with neighbouring scores, and rows of each
_LEAST_GAIN = 0.005  # a line is taken when it lowers the Brier score by that share, else the plainer sigmoid
_FEWEST_EVENTS = 200  # and only where it is fitted on so many events: it bends after few
SIGMOID, ISOTONIC = "sigmoid", "isotonic"


@dataclass(frozen=True)
class Sigmoid:
    """probability = 1 / (1 + exp(-(slope * score + intercept)))."""

    slope: float
    intercept: float

    def __call__(self, scores: Array) -> Array:
        return _probability(self.slope * scores + self.intercept)


@dataclass(frozen=True)
class Isotonic:
    """The logit of the probability, by straight lines between these points; flat beyond the first and the last."""

    scores: tuple[float, ...]
    logits: tuple[float, ...]

    def __call__(self, scores: Array) -> Array:
        import numpy as np

        return _probability(np.interp(scores, self.scores, self.logits))


Calibration = Sigmoid | Isotonic
Fit = Callable[["Array", "Array"], Calibration]


def chosen(scores: Array, labels: Array, days: Array, codes: Array) -> str:
    """SIGMOID or ISOTONIC: which one, fitted per code on all days but the last, is better on that last day.

    With one day only, with few events, and where both are as good, it is the sigmoid.
    """
    import numpy as np

    last = days == days.max() if len(days) else np.zeros(0, dtype=bool)
    if last.all() or labels[~last].sum() < _FEWEST_EVENTS * len(np.unique(codes)):
        return SIGMOID
    errors = {}
    for kind, fit in FITS.items():
        found = np.zeros(int(last.sum()))
        for code in np.unique(codes):
            learned, judged = ~last & (codes == code), codes[last] == code
            if learned.any() and judged.any():
                found[judged] = fit(scores[learned], labels[learned])(scores[last][judged])
        errors[kind] = float(((found - labels[last]) ** 2).mean())
    return ISOTONIC if errors[ISOTONIC] < (1 - _LEAST_GAIN) * errors[SIGMOID] else SIGMOID


def fit_isotonic(scores: Array, labels: Array, decimals: int = 6) -> Isotonic:
    """Isotonic regression of the events on the scores, of groups of rows with neighbouring scores."""
    import numpy as np
    from sklearn.isotonic import isotonic_regression

    order = np.argsort(scores, kind="stable")
    count = max(1, min(_MOST_STEPS, len(order) // _FEWEST_ROWS))
    starts = scores[order][np.arange(1, count) * len(order) // count]
    # A group begins where a score does: equal scores are never parted.
    groups = np.split(order, np.unique(np.searchsorted(scores[order], starts[starts > scores.min()])))
    middles = np.array([scores[rows].mean() for rows in groups])
    sizes = np.array([len(rows) for rows in groups])
    shares = isotonic_regression(np.array([labels[rows].mean() for rows in groups]), sample_weight=sizes)
    steps = np.split(np.arange(len(groups)), np.flatnonzero(np.diff(shares) > 1e-12) + 1)
    least = 1 / (len(labels) + 2)  # of no event among so many nobody knows more
    heights = np.clip([shares[step[0]] for step in steps], least, 1 - least)
    points = [float(np.average(middles[step], weights=sizes[step])) for step in steps]
    logits = np.log(heights / (1 - heights))
    return Isotonic(tuple(round(one, decimals) for one in points), tuple(round(float(one), decimals) for one in logits))


def fit_sigmoid(scores: Array, labels: Array, decimals: int = 6) -> Sigmoid:
    """The most likely sigmoid, by Newton's method, with Platt's softened labels, so that it exists for any labels."""
    import numpy as np

    positives = labels.sum()
    high = (positives + 1) / (positives + 2)
    low = 1 / (len(labels) - positives + 2)
    targets = np.where(labels > 0, high, low)
    centre, spread = scores.mean(), scores.std() or 1.0
    points = np.column_stack([(scores - centre) / spread, np.ones(len(scores))])
    weights = np.array([0.0, np.log((positives + 1) / (len(labels) - positives + 1))])
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-points @ weights))
        hessian = (points * (p * (1 - p))[:, None]).T @ points + 1e-6 * np.eye(2)
        change = np.linalg.solve(hessian, points.T @ (targets - p))
        weights = weights + np.clip(change, -2, 2)
        if np.abs(change).max() < 1e-9:
            break
    slope = max(weights[0] / spread, _LEAST_SLOPE)
    return Sigmoid(round(float(slope), decimals), round(float(weights[1] - weights[0] / spread * centre), decimals))


FITS: dict[str, Fit] = {SIGMOID: fit_sigmoid, ISOTONIC: fit_isotonic}


def reliability(labels: Array, probabilities: Array, bins: int) -> list[dict[str, float]]:
    """For equally large groups of rising probability: mean probability, share of events, rows."""
    import numpy as np

    order = np.argsort(probabilities, kind="stable")
    return [
        {
            "probability": round(float(probabilities[rows].mean()), 6),
            "share": round(float(labels[rows].mean()), 6),
            "rows": len(rows),
        }
        for rows in np.array_split(order, bins)
        if len(rows)
    ]


def expected_error(table: list[dict[str, float]]) -> float:
    """Expected calibration error: mean distance of probability and share over the groups, weighed by rows."""
    rows = sum(row["rows"] for row in table)
    return round(sum(row["rows"] * abs(row["probability"] - row["share"]) for row in table) / rows, 6)


def slope(labels: Array, probabilities: Array) -> float:
    """Calibration slope: 1 is right, below 1 too sure of itself (Cox, 1958)."""
    import numpy as np

    clipped = np.clip(probabilities, 1e-6, 1 - 1e-6)
    return fit_sigmoid(np.log(clipped / (1 - clipped)), labels).slope


def _probability(logits: Array) -> Array:
    import numpy as np

    return 1.0 / (1.0 + np.exp(-np.clip(logits, -500, 500)))
