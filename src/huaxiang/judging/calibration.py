"""Turn raw scores into probabilities by Platt's sigmoid, and say how far they can be taken at their word.

Platt, "Probabilistic outputs for support vector machines" (1999). The sigmoid rises with the score, so it keeps the
order of customers: AUC is the same before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

_LEAST_SLOPE = 1e-3  # a score that says nothing, or the contrary, hardly moves the probability


@dataclass(frozen=True)
class Sigmoid:
    """probability = 1 / (1 + exp(-(slope * score + intercept)))."""

    slope: float
    intercept: float

    def __call__(self, scores: Array) -> Array:
        import numpy as np

        return 1.0 / (1.0 + np.exp(-(self.slope * scores + self.intercept)))


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
