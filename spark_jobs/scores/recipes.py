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


def measured(examples: Examples, currency: str, params: ScoreParams) -> dict[str, Any]:
    """What all recipes start from: the features, what is typical of each (the median, per category), their scaling."""
    import pandas as pd

    codes, categories = pd.factorize(examples.category, sort=True)
    medians = examples.features.groupby(codes).median()
    overall = examples.features.median()
    model: dict[str, Any] = {
        "kind": "linear",
        "categories": categories.tolist(),
        "clip": float("inf"),
        "decimals": params.decimals,
        "intercept": 0.0,
        "reason_count": params.reason_count,
        "least_reason": params.least_reason,
        "features": [
            {
                "name": name,
                "is_log": phrases.unit(name) in params.log_units,
                "typical": [round(float(value), params.decimals) for value in medians[name].fillna(overall[name])],
                "mean": 0.0,
                "deviation": 1.0,
                "weight": 0.0,
                "is_told": name not in params.untold_features,
                **phrases.phrase(name, currency),
            }
            for name in examples.features.columns
            if not pd.isna(overall[name])
        ],
    }
    levels = _levels(model, examples)
    for place, feature in enumerate(model["features"]):
        feature["mean"] = round(float(levels[:, place].mean()), params.decimals)
        feature["deviation"] = round(float(levels[:, place].std()), params.decimals) or 1.0
    return {**model, "clip": params.clip}


def fit(recipe: str, model: Mapping[str, Any], examples: Examples, baseline: Baseline, params: ScoreParams) -> Fitted:
    """Fit a recipe to the rows that `model` was measured on, by one thread.

    More threads gain little on small fits and, beside other work on the machine, lose tenfold by waiting for each
    other; and sums in one order give the same figures on every machine.
    """
    import sklearn.ensemble
    import sklearn.linear_model  # noqa: F401 (the limit below reaches only libraries that are loaded)
    from threadpoolctl import threadpool_limits

    if recipe == baseline.name:
        return Fitted(_one_column(model, baseline))
    with threadpool_limits(1):
        return _logistic(model, examples, params) if recipe == LOGISTIC else _boosting(model, examples, params)


def _levels(model: Mapping[str, Any], examples: Examples) -> Array:
    said = dict(model)
    frame = examples.features.assign(category=examples.category)
    typical = portable.typical_values(said, portable.categories_of(said, frame))
    return portable.standardised(said, portable.values_of(said, frame), typical)


def _one_column(model: Mapping[str, Any], baseline: Baseline) -> dict[str, Any]:
    [feature] = [feature for feature in model["features"] if feature["name"] == baseline.column]
    return {**model, "clip": 1e9, "features": [{**feature, "mean": 0.0, "deviation": 1.0, "weight": 1.0}]}


def _logistic(model: Mapping[str, Any], examples: Examples, params: ScoreParams) -> Fitted:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1 / (params.penalty * len(examples.label)), solver="newton-cholesky", max_iter=200)
    fitted.fit(_levels(model, examples), examples.label)
    features = [
        {**feature, "weight": round(float(weight), params.decimals)}
        for feature, weight in zip(model["features"], fitted.coef_[0], strict=True)
    ]
    return Fitted({**model, "features": features, "intercept": round(float(fitted.intercept_[0]), params.decimals)})


def _boosting(model: Mapping[str, Any], examples: Examples, params: ScoreParams) -> Fitted:
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    values = portable.values_of(dict(model), examples.features)
    trees = HistGradientBoostingClassifier(
        learning_rate=params.learning_rate,
        max_iter=params.tree_count,
        max_leaf_nodes=params.leaf_count,
        min_samples_leaf=params.least_leaf_rows,
        l2_regularization=params.leaf_penalty,
        early_stopping=False,
        random_state=params.seed,
    ).fit(values, examples.label)
    # Told are the figures that the trees gain most by: the gain of every split, summed by feature.
    gains = np.array([0.0 if feature["is_told"] else -1.0 for feature in model["features"]])
    for [predictor] in trees._predictors:
        splits = predictor.nodes[~predictor.nodes["is_leaf"].astype(bool)]
        np.add.at(gains, splits["feature_idx"].astype(int), splits["gain"] * (gains[splits["feature_idx"]] >= 0))
    told = set(np.argsort(-gains, kind="stable")[: params.reason_features].tolist())
    features = [
        {**feature, "is_told": feature["is_told"] and place in told} for place, feature in enumerate(model["features"])
    ]
    return Fitted({**model, "kind": "trees", "features": features}, trees)
