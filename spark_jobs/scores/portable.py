"""A score model as MLflow serves it and the daily run scores with it: one JSON file, and a skops file for an estimator.

One row in gives a calibrated probability and what moved it most, in words. A reason is a feature's contribution on the
logit of the probability, against the customer whose figures are all typical (the medians of the training).

- Of a weighted sum the contributions are exact: with the typical customer's logit they add up to the row's.
- Of any other model each is what the logit loses when that one figure is set to typical and all others stay (ablation).
  This says truly which way the figure moves the probability. What the told figures leave over, since others count too
  and figures act together, is told like one of them: with it they add up to the row's logit.
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
# All a skops file of ours may hold beyond numpy and scikit-learn's plain types; anything else is refused, not run. A
# forged tree could crash the process, not take it over; a champion is kept sealed, so a changed file is not read.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor", "sklearn.tree._tree.Tree"]
ESTIMATOR = "estimator.skops"
_SUREST = 1e-4  # a share of 0 or 1 among few rows is not taken at its word
_REST = "the other figures, and how all act together,"


def load_estimator(content: bytes) -> Any:
    """The estimator of a skops file. Raises skops' UntrustedTypesFoundException for a type that is not ours."""
    import skops.io

    return skops.io.loads(content, trusted=TRUSTED)


def load_folder(folder: Path) -> tuple[Model, Any]:
    """The model of a folder of files, and its estimator, None for a weighted sum."""
    model = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    # Champions of earlier days have it under the second name.
    files = [path for path in (folder / ESTIMATOR, folder / "trees.skops") if path.exists()]
    return model, load_estimator(files[0].read_bytes()) if files else None


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


def raw_scores(model: Model, values: np.ndarray, typical: np.ndarray, estimator: Any = None) -> np.ndarray:
    """The score before calibration; higher is more likely."""
    if model["kind"] == "bgnbd":
        return silence_logits(model, np.where(np.isnan(values), typical, values))
    if model["kind"] == "average":
        parts = zip(model["parts"], estimator, strict=True)
        scores = [raw_scores({**model, "kind": kind}, values, typical, part) for kind, part in parts]
        return np.asarray(np.mean(scores, axis=0))
    levels = values if model["kind"] == "trees" else standardised(model, values, typical)
    return scores_of(model, levels, estimator)


def scores_of(model: Model, seen: np.ndarray, estimator: Any = None) -> np.ndarray:
    """The score of what the model sees: figures as they are for trees, standardised ones for all others."""
    if model["kind"] != "linear":
        from threadpoolctl import threadpool_limits

        # More threads than free cores wait for each other, up to a hundred times as long as one works.
        with threadpool_limits(1):
            return estimated(estimator, seen)
    scores = np.full(len(seen), float(model["intercept"]))
    # Column by column: the last bit of a matrix product depends on the library behind NumPy.
    for column, feature in zip(seen.T, model["features"], strict=True):
        scores += column * feature["weight"]
    return scores


def silence_logits(model: Model, figures: np.ndarray) -> np.ndarray:
    """Logit of no order in the model's window by BG/NBD (lifetimes.py), of order_count, recency_days, tenure_days.

    With the odds of having stopped, `gone`, and the chance that an active customer is silent for the window, no order
    comes with (gone + silent) / (1 + gone), so with odds of (gone + silent) / (1 - silent).
    """
    orders, recency, tenure = figures.T
    r, alpha, a, b = (model["bgnbd"][name] for name in ("r", "alpha", "a", "b"))
    again, last = np.maximum(orders - 1, 0.0), np.maximum(tenure - recency, 0.0)
    shape = r + again
    gone = np.log(a / (b + np.maximum(again, 1.0) - 1)) + shape * np.log((alpha + tenure) / (alpha + last))
    silent = shape * np.log((alpha + tenure) / (alpha + tenure + model["window_days"]))
    found: np.ndarray = np.logaddexp(np.where(again > 0, gone, -np.inf), silent) - np.log(-np.expm1(silent))
    return found


def estimated(estimator: Any, seen: np.ndarray) -> np.ndarray:
    """An estimator's score on the scale of a logit, as far as it has one."""
    if hasattr(estimator, "decision_function"):
        found: np.ndarray = estimator.decision_function(seen)
        return found
    if hasattr(estimator, "predict_joint_log_proba"):  # naive Bayes: its probabilities round to 0 and 1
        against, event = estimator.predict_joint_log_proba(seen).T
        return event - against
    is_classifier = hasattr(estimator, "predict_proba")
    chances = estimator.predict_proba(seen)[:, 1] if is_classifier else estimator.predict(seen)
    chances = np.clip(chances, _SUREST, 1 - _SUREST)
    return np.log(chances / (1 - chances))


def logits(model: Model, scores: np.ndarray, categories: np.ndarray) -> np.ndarray:
    """The calibrated logit; each category has a sigmoid, or a rising line, of its own."""
    if "isotonic" in model:
        found = np.empty(len(scores))
        for category, line in enumerate(model["isotonic"]):
            rows = categories == category
            found[rows] = np.interp(scores[rows], line["scores"], line["logits"])
        return found
    slopes, intercepts = np.array(model["calibration"], dtype=float).T
    return slopes[categories] * scores + intercepts[categories]


def probabilities(model: Model, scores: np.ndarray, categories: np.ndarray) -> np.ndarray:
    """Calibrated and rounded; nobody is ever quite sure."""
    least = 10.0 ** -model["decimals"]
    found = 1.0 / (1.0 + np.exp(-np.clip(logits(model, scores, categories), -500, 500)))
    return np.round(np.clip(found, least, 1 - least), model["decimals"])


def is_weighted_sum(model: Model) -> bool:
    """Whether the calibrated logit is a sum over the figures."""
    return model["kind"] == "linear" and "isotonic" not in model


def contributions(
    model: Model, values: np.ndarray, categories: np.ndarray, estimator: Any = None
) -> tuple[list[int], np.ndarray]:
    """Positions of the told features, and what each adds to the logit: one row per row, one column per position."""
    typical = typical_values(model, categories)
    places = [place for place, feature in enumerate(model["features"]) if feature["is_told"]]
    if is_weighted_sum(model):
        weights = np.array([feature["weight"] for feature in model["features"]])
        moved = (standardised(model, values, typical) - standardised(model, typical, typical)) * weights
        slopes = np.array(model["calibration"], dtype=float)[:, 0][categories]
        return places, (moved * slopes[:, None])[:, places]

    def reached(figures: np.ndarray) -> np.ndarray:
        return logits(model, raw_scores(model, figures, typical, estimator), categories)

    whole = reached(values)
    moved = np.zeros((len(values), len(places)))
    for column, place in enumerate(places):
        changed = values.copy()
        changed[:, place] = np.where(np.isnan(values[:, place]), np.nan, typical[:, place])
        moved[:, column] = whole - reached(changed)
    return places, moved


def remainder(
    model: Model, values: np.ndarray, categories: np.ndarray, moved: np.ndarray, estimator: Any = None
) -> np.ndarray:
    """What lies between the typical customer's logit plus the contributions `moved`, and the row's."""
    each = np.arange(len(model["categories"]))
    usual = typical_values(model, each)
    base = logits(model, raw_scores(model, usual, usual, estimator), each)[categories]
    scores = raw_scores(model, values, usual[categories], estimator)
    rest: np.ndarray = logits(model, scores, categories) - base - moved.sum(axis=1)
    return rest


def reasons(model: Model, values: np.ndarray, categories: np.ndarray, estimator: Any = None) -> list[str]:
    """For each row what moved its probability most, in words: the strongest figure first, what they leave over last."""
    places, moved = contributions(model, values, categories, estimator)
    if not is_weighted_sum(model):
        moved = np.column_stack([moved, remainder(model, values, categories, moved, estimator)])
    typical = typical_values(model, categories)
    told = [model["features"][place] for place in places]
    order = np.argsort(-np.abs(moved), axis=1, kind="stable")
    texts = []
    for row, ranked in enumerate(order):
        said: list[str] = []
        rest: list[str] = []
        for column in ranked:
            if len(said) + len(rest) == model["reason_count"] or abs(moved[row, column]) < model["least_reason"]:
                break
            raises = moved[row, column] > 0
            if column == len(places):
                rest = [f"{_REST} {'raise' if raises else 'lower'} it"]
                continue
            value, usual = values[row, places[column]], typical[row, places[column]]
            shown, usual_shown = _figure(told[column], value), _figure(told[column], usual)
            if shown != usual_shown:
                direction = "raises" if raises else "lowers"
                said.append(f"{_phrase(told[column], shown)} (typical: {usual_shown}) {direction} it")
        texts.append("; ".join(said + rest) or "all figures are near the typical ones")
    return texts


def answers(model: Model, frame: pd.DataFrame, estimator: Any = None) -> pd.DataFrame:
    """`probability` and `reasons` for each row of raw features."""
    categories = categories_of(model, frame)
    values = values_of(model, frame)
    scores = raw_scores(model, values, typical_values(model, categories), estimator)
    return pd.DataFrame(
        {
            "probability": probabilities(model, scores, categories),
            "reasons": reasons(model, values, categories, estimator),
        },
        index=frame.index,
    )


class Scores(PythonModel):
    """Answers feature rows (with a column `category` where the model has categories) with probability and reasons."""

    def load_context(self, context: Any) -> None:
        self.model, self.estimator = load_folder(Path(context.artifacts["model"]).parent)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        return answers(self.model, model_input, self.estimator)


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
