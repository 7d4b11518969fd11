"""The recipes: a one-line baseline, logistic regression, gradient boosting. Each is fitted to the same rows.

A fitted model is a dictionary that JSON can hold (portable.py reads it), and for boosting the trees as a skops file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_jobs.scores import phrases, portable
from spark_jobs.scores.calibration import Sigmoid
from spark_jobs.scores.examples import Examples
from spark_jobs.scores.params import ScoreParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

LOGISTIC, BOOSTING = "logistic", "boosting"
_ALGORITHMS = {LOGISTIC: "logistic regression", BOOSTING: "gradient boosting"}


@dataclass(frozen=True)
class Baseline:
    """One column of the features as it stands, no more: `name` is its recipe."""

    name: str
    column: str
    said: str


@dataclass(frozen=True)
class Fitted:
    """A model before calibration. `trees` is the fitted estimator of a boosting recipe."""

    model: Mapping[str, Any]
    trees: Any = None

    def scores(self, examples: Examples) -> Array:
        """The raw score of every row; higher is more likely."""
        model = dict(self.model)
        frame = examples.features.assign(category=examples.category)
        typical = portable.typical_values(model, portable.categories_of(model, frame))
        return portable.raw_scores(model, portable.values_of(model, frame), typical, self.trees)

    def files(self, sigmoids: Mapping[str, Sigmoid], more: Mapping[str, Any]) -> dict[str, str | bytes]:
        """What MLflow stores: `model.json` with the calibration, and `trees.skops` where there are trees."""
        import json

        calibration = [[sigmoids[name].slope, sigmoids[name].intercept] for name in self.model["categories"]]
        said = {**self.model, "calibration": calibration, **more}
        files: dict[str, str | bytes] = {"model.json": json.dumps(said, indent=1, sort_keys=True) + "\n"}
        if self.trees is not None:
            import skops.io

            files["trees.skops"] = skops.io.dumps(self.trees)
        return files


def algorithm(recipe: str) -> str:
    return _ALGORITHMS.get(recipe, "one column")


def fit(recipe: str, examples: Examples, baseline: Baseline, currency: str, params: ScoreParams) -> Fitted:
    """Fit a recipe to the rows, one thread only: many small fits lose more by waiting for each other than they gain."""
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401 (the limit below reaches only libraries that are loaded)
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        if recipe == baseline.name:
            return Fitted(_one_column(examples, baseline, currency, params))
        model = _measured(examples, currency, params)
        return _logistic(model, examples, params) if recipe == LOGISTIC else _boosting(model, examples, params)


def _measured(examples: Examples, currency: str, params: ScoreParams) -> dict[str, Any]:
    """The model's features: what is typical (the median, per category), and the scaling."""
    categories = sorted(set(examples.category))
    medians = examples.features.groupby(examples.category).median().loc[categories]
    overall = examples.features.median()
    model: dict[str, Any] = {
        "kind": "linear",
        "categories": categories,
        "clip": params.clip,
        "decimals": params.decimals,
        "intercept": 0.0,
        "reason_count": params.reason_count,
        "least_reason": params.least_reason,
        "features": [],
    }
    for name in examples.features.columns:
        if overall.isna()[name]:
            continue
        model["features"].append(
            {
                "name": name,
                "is_log": phrases.unit(name) in params.log_units,
                "typical": [round(float(value), params.decimals) for value in medians[name].fillna(overall[name])],
                "mean": 0.0,
                "deviation": 1.0,
                "weight": 0.0,
                "is_told": True,
                **phrases.phrase(name, currency),
            }
        )
    levels = _levels(model, examples, clip=float("inf"))
    for feature, mean, deviation in zip(model["features"], levels.mean(axis=0), levels.std(axis=0), strict=True):
        feature["mean"] = round(float(mean), params.decimals)
        feature["deviation"] = round(float(deviation), params.decimals) or 1.0
    return model


def _levels(model: dict[str, Any], examples: Examples, clip: float) -> Array:
    frame = examples.features.assign(category=examples.category)
    typical = portable.typical_values(model, portable.categories_of(model, frame))
    return portable.standardised({**model, "clip": clip}, portable.values_of(model, frame), typical)


def _one_column(examples: Examples, baseline: Baseline, currency: str, params: ScoreParams) -> dict[str, Any]:
    from dataclasses import replace

    only = replace(examples, features=examples.features[[baseline.column]])
    model = _measured(only, currency, params)
    model["features"][0] |= {"mean": 0.0, "deviation": 1.0, "weight": 1.0}
    return {**model, "clip": 1e9}


def _logistic(model: dict[str, Any], examples: Examples, params: ScoreParams) -> Fitted:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=params.regularisation, solver="newton-cholesky", max_iter=200)
    fitted.fit(_levels(model, examples, params.clip), examples.label)
    for feature, weight in zip(model["features"], fitted.coef_[0], strict=True):
        feature["weight"] = round(float(weight), params.decimals)
    return Fitted({**model, "intercept": round(float(fitted.intercept_[0]), params.decimals)})


def _boosting(model: dict[str, Any], examples: Examples, params: ScoreParams) -> Fitted:
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    latest = examples.where(latest_rows(examples, params.boosting_rows))
    frame = latest.features.assign(category=latest.category)
    values = portable.values_of(model, frame)
    trees = HistGradientBoostingClassifier(
        learning_rate=params.learning_rate,
        max_iter=params.tree_count,
        max_leaf_nodes=params.leaf_count,
        min_samples_leaf=params.least_leaf_rows,
        l2_regularization=params.leaf_penalty,
        early_stopping=False,
        random_state=params.seed,
    ).fit(values, latest.label)
    # Told are the figures that split off most: the gain of every split, summed.
    gains = np.zeros(values.shape[1])
    for [predictor] in trees._predictors:
        splits = predictor.nodes[~predictor.nodes["is_leaf"].astype(bool)]
        np.add.at(gains, splits["feature_idx"].astype(int), splits["gain"])
    told = set(np.argsort(-gains, kind="stable")[: params.reason_features].tolist())
    features = [{**feature, "is_told": place in told} for place, feature in enumerate(model["features"])]
    return Fitted({**model, "kind": "trees", "features": features}, trees)


def latest_rows(examples: Examples, most: int) -> Array:
    """A mask of the latest whole cut-offs that hold no more than `most` rows together, at least the last one."""
    import numpy as np

    cutoffs, counts = np.unique(examples.cutoff, return_counts=True)
    within = np.cumsum(counts[::-1]) <= most
    within[0] = True
    return np.isin(examples.cutoff, cutoffs[::-1][within])
