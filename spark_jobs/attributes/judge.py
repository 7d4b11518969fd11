"""Is an attribute inferred better than by always saying its commonest value, and does its confidence come true?

Every customer that declared it is judged by a fit that did not see them. Both are judged on the same customers, so
their difference is paired; its interval comes from drawing customers anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from huaxiang.judging import calibration, resampling
from huaxiang.judging.resampling import Replicates
from huaxiang.tracking.promotion import Interval
from spark_jobs.attributes import inference
from spark_jobs.attributes.params import AttributeParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True)
class Trial:
    """What was said of each customer by fits, and shares of values, that did not see them: one row per customer.

    There is one column per repeat; a customer's figure is the mean over them.
    """

    is_right: Array
    is_baseline_right: Array
    loss: Array
    baseline_loss: Array
    confidence: Array
    is_said: Array


@dataclass(frozen=True)
class Verdict:
    """The figures of an attribute, whether it is inferred, and the sentence that says why (not)."""

    metrics: dict[str, float]
    reliability: list[dict[str, float]]
    is_inferred: bool
    reason: str


def trial(points: Array, codes: Array, values: int, params: AttributeParams) -> Trial:
    """Fit and answer fold by fold, `repeats` times with other folds."""
    import numpy as np

    columns = []
    for repeat in range(params.repeats):
        places = inference.folds(codes, params.folds, params.seed + repeat)
        said, shares = np.zeros((len(codes), values)), np.zeros((len(codes), values))
        for fold in range(params.folds):
            learned = places != fold
            fitted = inference.fit(points[learned], codes[learned], values, params)
            said[~learned] = fitted.probabilities(points[~learned])
            shares[~learned] = np.bincount(codes[learned], minlength=values) / learned.sum()
        columns.append(
            (
                (said.argmax(axis=1) == codes).astype(float),
                (shares.argmax(axis=1) == codes).astype(float),
                inference.log_loss(said, codes),
                inference.log_loss(shares, codes),
                said.max(axis=1),
                says(said, shares, params).astype(float),
            )
        )
    return Trial(*(np.column_stack(parts) for parts in zip(*columns, strict=True)))


def likeness(points: Array, declared: Array, others: Array, params: AttributeParams) -> Array:
    """How much each of the `declared` customers is like the `others`: odds of being one of them, 1 on average.

    Who declared is another customer than who did not; weighted so, their figures are those of customers like the
    others (inverse odds weighting; Westreich et al., 2017). The odds come from fits that did not see the customer.
    """
    import numpy as np
    from threadpoolctl import threadpool_limits

    if not len(others):
        return np.ones(len(declared))
    rows = np.concatenate([declared, others])
    codes = np.repeat([0, 1], [len(declared), len(others)])
    places = inference.folds(codes, params.folds, params.seed)
    logits = np.zeros(len(rows))
    with threadpool_limits(1):
        for fold in range(params.folds):
            learned = places != fold
            weights, intercepts = inference.logistic(points[rows[learned]], codes[learned], 2, params.penalties[0])
            said = points[rows[~learned]] @ weights + intercepts
            logits[~learned] = said[:, 1] - said[:, 0]
    odds = np.exp(np.clip(logits[: len(declared)], -params.clip, params.clip))
    found: Array = odds / odds.mean()
    return found


def verdict(found: Trial, tried: int, params: AttributeParams, likeness: Array | None = None) -> Verdict:
    """Judge a trial; `tried` attributes share the error between them.

    Inferred is an attribute where the lower bounds of the gain in accuracy and in log loss are above 0, where the
    calibration slope of the confidence lies in `slope` or its error is at most `largest_calibration_error`, and where
    the gain in accuracy is also above 0 among those who would get a value, and among customers weighted by their
    `likeness` to those who declared nothing; weighted so, confidence may also be off by no more than that error.
    """
    import numpy as np

    right, confidence = found.is_right.ravel(), found.confidence.ravel()
    table = calibration.reliability(right, confidence, params.bins)
    weights = _draws(len(found.loss), params)
    level = params.error / max(tried, 1)
    metrics: dict[str, float] = {}
    for name, model, baseline, sign in (
        ("accuracy", found.is_right, found.is_baseline_right, 1.0),
        ("log_loss", found.loss, found.baseline_loss, -1.0),
    ):
        metrics |= interval(model, weights, level).figures(name)
        metrics |= interval(baseline, weights, level).figures(f"baseline_{name}")
        metrics |= interval(sign * (model - baseline), weights, level).figures(f"{name}_gain")
    metrics |= {
        "calibration_error": calibration.expected_error(table),
        "calibration_slope": calibration.slope(right, confidence),
        "declared": float(len(found.loss)),
        "published_share": round(float(found.is_said.mean()), params.decimals),
    }
    of = np.ones(found.loss.shape) if likeness is None else np.tile(likeness[:, None], found.loss.shape[1])
    gain = found.is_right - found.is_baseline_right
    metrics |= interval(gain, weights, level, of).figures("carried_accuracy_gain")
    metrics["carried_overconfidence"] = interval(found.confidence - found.is_right, weights, level, of).value
    metrics["carried_customers"] = round(float(of[:, 0].sum() ** 2 / (of[:, 0] ** 2).sum()), 1)
    if found.is_said.any():
        model, baseline, of = found.is_right, found.is_baseline_right, found.is_said
        metrics |= interval(model, weights, level, of).figures("published_accuracy")
        metrics |= interval(baseline, weights, level, of).figures("baseline_published_accuracy")
        metrics |= interval(model - baseline, weights, level, of).figures("published_accuracy_gain")
    assert np.isfinite(list(metrics.values())).all()
    return Verdict(metrics, table, *_decided(metrics, params))


def says(probabilities: Array, shares: Array, params: AttributeParams) -> Array:
    """Of whom a value is said: sure enough, and surer than the value's share alone would make one."""
    import numpy as np

    likeliest = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    share = np.broadcast_to(shares, probabilities.shape)[np.arange(len(likeliest)), likeliest]
    found: Array = (confidence >= params.least_confidence) & (confidence > share)
    return found


def interval(values: Array, weights: Array, level: float, of: Array | None = None) -> Interval:
    """The mean of `values` (of those that `of` marks) and its percentile interval over draws of customers."""
    import numpy as np

    marks = np.ones(values.shape) if of is None else of
    sums, counts = (values * marks).sum(axis=1), marks.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (weights @ sums) / (weights @ counts)
    return Replicates(sums.sum() / counts.sum(), means).interval(level)


def _draws(customers: int, params: AttributeParams) -> Array:
    """How often each customer is drawn: one row per resample."""
    return resampling.draws(customers, params.resamples, params.seed).T[1:].astype("float32")


def _decided(metrics: dict[str, float], params: AttributeParams) -> tuple[bool, str]:
    gain = _said(metrics, "accuracy_gain")
    if metrics["accuracy_gain_low"] <= 0:
        return False, f"not surely righter than the commonest value: {gain}"
    if metrics["log_loss_gain_low"] <= 0:
        return False, f"righter than the commonest value ({gain}), but not surely surer of what is right"
    low, high = params.slope
    is_calibrated = (
        low <= metrics["calibration_slope"] <= high or metrics["calibration_error"] <= params.largest_calibration_error
    )
    if not is_calibrated:
        return False, (
            f"righter than the commonest value ({gain}), but its confidence does not come true: slope "
            f"{metrics['calibration_slope']:.2f}, error {metrics['calibration_error']:.3f}"
        )
    if metrics["carried_accuracy_gain_low"] <= 0:
        return False, (
            f"righter than the commonest value ({gain}), but not surely so of customers like those who declared "
            f"nothing: {_said(metrics, 'carried_accuracy_gain')}"
        )
    if abs(metrics["carried_overconfidence"]) > params.largest_calibration_error:
        return False, (
            f"righter than the commonest value ({gain}), but its confidence is off by "
            f"{100 * metrics['carried_overconfidence']:+.1f} percentage points of customers like those who declared "
            "nothing"
        )
    if not metrics.get("published_share"):
        return False, f"righter than the commonest value ({gain}), but of nobody sure enough"
    if metrics["published_accuracy_gain_low"] <= 0:
        return False, f"righter than the commonest value ({gain}), but not surely so where it would be said"
    return True, f"righter than the commonest value: {gain}; confidence comes true"


def _said(metrics: dict[str, float], name: str) -> str:
    low, high = 100 * metrics[f"{name}_low"], 100 * metrics[f"{name}_high"]
    return f"{100 * metrics[name]:+.1f} percentage points [{low:+.1f}, {high:+.1f}]"
