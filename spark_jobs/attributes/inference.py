"""Infer one attribute: multinomial logistic regression, its penalty and temperature chosen on folds inside its rows.

Temperature: Guo et al., "On Calibration of Modern Neural Networks" (2017): logits divided by one number leave the
likeliest value what it is, and make the probabilities true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.attributes.params import AttributeParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True)
class Classifier:
    """P(value) = softmax((x @ weights + intercepts) / temperature): one column per value."""

    weights: Array
    intercepts: Array
    temperature: float
    penalty: float

    def probabilities(self, points: Array) -> Array:
        return softmax(points @ self.weights + self.intercepts, self.temperature)


def fit(points: Array, codes: Array, values: int, params: AttributeParams) -> Classifier:
    """Fit to standardised `points`; `codes` are positions of the values 0 ... `values` - 1.

    Every value must occur. One thread: sums in one order give the same figures.
    """
    import numpy as np
    import sklearn.linear_model  # noqa: F401 (the limit below reaches only libraries that are loaded)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        places = folds(codes, params.inner_folds, params.seed + 1)
        found = []
        for penalty in params.penalties:
            logits = np.zeros((len(codes), values))
            for fold in range(params.inner_folds):
                learned = places != fold
                weights, intercepts = logistic(points[learned], codes[learned], values, penalty)
                logits[~learned] = points[~learned] @ weights + intercepts
            temperature = best_temperature(logits, codes)
            found.append((log_loss(softmax(logits, temperature), codes).mean(), penalty, temperature))
        _, penalty, temperature = min(found)
        weights, intercepts = logistic(points, codes, values, penalty)
    return Classifier(weights, intercepts, temperature, penalty)


def logistic(points: Array, codes: Array, values: int, penalty: float) -> tuple[Array, Array]:
    """Coefficients, one column per value, and intercepts; `penalty` weighs the squares beside a row's loss."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1 / (penalty * len(codes)), tol=1e-3, max_iter=300).fit(points, codes)
    if values == 2:  # one row of coefficients stands for the second value
        half = fitted.coef_[0] / 2
        return np.column_stack([-half, half]), np.array([-fitted.intercept_[0] / 2, fitted.intercept_[0] / 2])
    return fitted.coef_.T, fitted.intercept_


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    import numpy as np

    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    found: Array = powers / powers.sum(axis=1, keepdims=True)
    return found


def log_loss(probabilities: Array, codes: Array) -> Array:
    """Of every row: minus the logarithm of the probability that the true value was given."""
    import numpy as np

    found: Array = -np.log(np.clip(probabilities[np.arange(len(codes)), codes], 1e-12, 1.0))
    return found


def best_temperature(logits: Array, codes: Array) -> float:
    """The likeliest of a fixed row of temperatures, from ten times as sure to five times less so."""
    import numpy as np

    tried = np.round(np.geomspace(0.1, 5.0, 80), 4)
    losses = [log_loss(softmax(logits, temperature), codes).mean() for temperature in tried]
    return float(tried[int(np.argmin(losses))])


def folds(codes: Array, count: int, seed: int) -> Array:
    """The fold of every row: values are dealt out evenly, in an order drawn from the seed."""
    import numpy as np

    shuffled = np.random.default_rng(seed).permutation(len(codes))
    by_value = shuffled[np.argsort(codes[shuffled], kind="stable")]
    found = np.empty(len(codes), dtype=int)
    found[by_value] = np.arange(len(codes)) % count
    return found
