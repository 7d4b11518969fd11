"""A score model as MLflow serves it and the daily run scores with it: one JSON file, and a skops file for trees.

One row in gives a calibrated probability and what moved it most, in words. A reason is a feature's contribution on the
logit of the probability, against the customer whose figures are all typical (the medians of the training).

- Of a linear model the contributions are exact: with the typical customer's logit they add up to the row's.
- Of trees each is what the logit loses when that one figure is set to typical and all others stay (ablation). This says
  truly which way the figure moves the probability; where figures act together, the contributions do not add up.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

Model = dict[str, Any]
# All a skops file of ours may hold beyond numpy and scikit-learn's plain types; anything else is refused, not run.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


def load_trees(content: bytes) -> Any:
    """The estimator of a skops file. Raises skops' UntrustedTypesFoundException for a type that is not ours."""
    import skops.io

    return skops.io.loads(content, trusted=TRUSTED)


def categories_of(model: Model, frame: pd.DataFrame) -> np.ndarray:
    """Which of `model["categories"]` each row asks for, as positions. Raises ValueError for one it does not know."""
    known = model["categories"]
    if known == [""]:
        return np.zeros(len(frame), dtype=int)
    positions = pd.Categorical(frame["category"], known).codes.astype(int)
    if (positions < 0).any():
        raise ValueError(f"category: the model knows only {', '.join(known)}")
    return positions


def typical_values(model: Model, categories: np.ndarray) -> np.ndarray:
    """The typical figures beside each row: one column per feature."""
    return np.array([feature["typical"] for feature in model["features"]], dtype=float).T[categories]


def values_of(model: Model, frame: pd.DataFrame) -> np.ndarray:
    """The model's features as doubles, one column each, in its order; what is not known is NaN."""
    values = np.empty((len(frame), len(model["features"])), order="F")
    for place, feature in enumerate(model["features"]):
        values[:, place] = pd.to_numeric(frame[feature["name"]]).astype(float)
    return values


def standardised(model: Model, values: np.ndarray, typical: np.ndarray) -> np.ndarray:
    """Unknown figures become typical; then log(1 + x) where the feature says so, standard deviations, clipped."""
    found = np.empty(values.shape, order="F")
    for place, feature in enumerate(model["features"]):
        column = np.where(np.isnan(values[:, place]), typical[:, place], values[:, place])
        if feature["is_log"]:
            column = np.log1p(np.maximum(column, 0.0))
        scaled = (column - feature["mean"]) / feature["deviation"]
        found[:, place] = np.clip(scaled, -model["clip"], model["clip"])
    return found


def raw_scores(model: Model, values: np.ndarray, typical: np.ndarray, trees: Any = None) -> np.ndarray:
    """The score before calibration: a weighted sum, or what the trees add up to."""
    if model["kind"] == "trees":
        from threadpoolctl import threadpool_limits

        # More threads than free cores wait for each other, up to a hundred times as long as one works.
        with threadpool_limits(1):
            found: np.ndarray = trees.decision_function(values)
        return found
    scores = np.full(len(values), float(model["intercept"]))
    # Column by column: the last bit of a matrix product depends on the library behind NumPy.
    for column, feature in zip(standardised(model, values, typical).T, model["features"], strict=True):
        scores += column * feature["weight"]
    return scores


def probabilities(model: Model, scores: np.ndarray, categories: np.ndarray) -> np.ndarray:
    """Calibrated and rounded; each category has a sigmoid of its own."""
    slopes, intercepts = np.array(model["calibration"], dtype=float).T
    logits = slopes[categories] * scores + intercepts[categories]
    return np.round(1.0 / (1.0 + np.exp(-logits)), model["decimals"])


def contributions(
    model: Model, values: np.ndarray, categories: np.ndarray, trees: Any = None
) -> tuple[list[int], np.ndarray]:
    """Positions of the told features, and what each adds to the logit: one row per row, one column per position."""
    typical = typical_values(model, categories)
    slopes = np.array(model["calibration"], dtype=float)[:, 0][categories]
    if model["kind"] == "trees":
        places = [place for place, feature in enumerate(model["features"]) if feature["is_told"]]
        scores = raw_scores(model, values, typical, trees)
        moved = np.zeros((len(values), len(places)))
        for column, place in enumerate(places):
            changed = values.copy()
            changed[:, place] = np.where(np.isnan(values[:, place]), np.nan, typical[:, place])
            moved[:, column] = scores - raw_scores(model, changed, typical, trees)
        return places, moved * slopes[:, None]
    weights = np.array([feature["weight"] for feature in model["features"]])
    moved = (standardised(model, values, typical) - standardised(model, typical, typical)) * weights
    places = [place for place, feature in enumerate(model["features"]) if feature["is_told"]]
    return places, (moved * slopes[:, None])[:, places]


def reasons(model: Model, values: np.ndarray, categories: np.ndarray, trees: Any = None) -> list[str]:
    """For each row what moved its probability most, in words, the strongest first."""
    places, moved = contributions(model, values, categories, trees)
    typical = typical_values(model, categories)
    told = [model["features"][place] for place in places]
    order = np.argsort(-np.abs(moved), axis=1, kind="stable")
    texts = []
    for row, ranked in enumerate(order):
        said: list[str] = []
        for column in ranked:
            if len(said) == model["reason_count"] or abs(moved[row, column]) < model["least_reason"]:
                break
            value, usual = values[row, places[column]], typical[row, places[column]]
            shown, usual_shown = _figure(told[column], value), _figure(told[column], usual)
            if shown != usual_shown:
                direction = "raises" if moved[row, column] > 0 else "lowers"
                said.append(f"{_phrase(told[column], shown)} (typical: {usual_shown}) {direction} it")
        texts.append("; ".join(said) or "all figures are near the typical ones")
    return texts


def answers(model: Model, frame: pd.DataFrame, trees: Any = None) -> pd.DataFrame:
    """`probability` and `reasons` for each row of raw features."""
    categories = categories_of(model, frame)
    values = values_of(model, frame)
    scores = raw_scores(model, values, typical_values(model, categories), trees)
    return pd.DataFrame(
        {
            "probability": probabilities(model, scores, categories),
            "reasons": reasons(model, values, categories, trees),
        },
        index=frame.index,
    )


class Scores(PythonModel):
    """Answers feature rows (with a column `category` where the model has categories) with probability and reasons."""

    def load_context(self, context: Any) -> None:
        self.model = json.loads(Path(context.artifacts["model"]).read_text(encoding="utf-8"))
        trees = context.artifacts.get("trees")
        self.trees = load_trees(Path(trees).read_bytes()) if trees else None

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        return answers(self.model, model_input, self.trees)


def _figure(feature: dict[str, Any], value: float) -> str:
    if np.isnan(value):
        return "unknown"
    if feature["unit"] == "share":
        return f"{100 * value:.1f} %"
    if feature["unit"] == "money":
        return str(feature["money"]).format(f"{value:,.2f}")
    if feature["unit"] == "ratio":
        return f"{value:.2f} ×"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def _phrase(feature: dict[str, Any], shown: str) -> str:
    return str(feature["one"] if shown == "1" else feature["other"]).format(shown)


set_model(Scores())
