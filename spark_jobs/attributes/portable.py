"""An attribute model as MLflow serves it and the daily run scores with it: one JSON file and no engine.

A row holds the figures and, under `category:<name>`, the orders with each category. The answer has a value and a
confidence per inferred attribute, empty where the model is not sure enough, and how many values there are.
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


def points(model: Model, figures: pd.DataFrame, orders: np.ndarray) -> np.ndarray:
    """The standardised inputs: the model's figures, then log(1 + orders) with each of its categories.

    Unknown figures become typical; log(1 + x) of a negative figure counts as 0.
    """
    columns = [np.nan_to_num(figures[one["name"]].to_numpy(float), nan=one["typical"]) for one in model["figures"]]
    values = np.column_stack([*columns, orders]) if columns else orders
    logs = np.log1p(np.maximum(values, 0.0))
    return np.clip((logs - np.array(model["means"])) / np.array(model["deviations"]), -model["clip"], model["clip"])


def answers(attribute: Model, found: np.ndarray, least_confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Of every row the likeliest value and its probability; None and NaN where it is not to be said."""
    # Column by column: the last bit of a matrix product depends on the library behind NumPy.
    logits = np.tile(np.array(attribute["intercepts"], dtype=float), (len(found), 1))
    for column, weights in zip(found.T, attribute["weights"], strict=True):
        logits += column[:, None] * np.array(weights)
    logits = logits / attribute["temperature"]
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = np.round(powers / powers.sum(axis=1, keepdims=True), 6)
    likeliest = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    is_said = (confidence >= least_confidence) & (confidence > np.array(attribute["shares"])[likeliest])
    values = np.array(attribute["values"], dtype=object)[likeliest]
    values[~is_said] = None
    return values, np.where(is_said, confidence, np.nan)


class Attributes(PythonModel):
    """Answers rows of figures and category orders with the inferred attributes."""

    def load_context(self, context: Any) -> None:
        self.model = json.loads(Path(context.artifacts["model"]).read_text(encoding="utf-8"))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        inferred = [one for one in self.model["attributes"] if one["is_inferred"]]
        answer = pd.DataFrame({"inferred_count": 0}, index=model_input.index)
        if inferred:
            names = [f"category:{name}" for name in self.model["categories"]]
            found = points(self.model, model_input, model_input[names].fillna(0.0).to_numpy(float))
            for one in inferred:
                values, confidence = answers(one, found, self.model["least_confidence"])
                answer[one["name"]], answer[f"{one['name']}_confidence"] = values, confidence
                answer["inferred_count"] += answer[one["name"]].notna().astype(int)
        return answer


set_model(Attributes())
