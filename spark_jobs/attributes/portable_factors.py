"""A factor model as MLflow serves it and the daily run scores with it: one JSON file and no engine.

A row holds, under each category's name, the orders with it; the answer is the weight of each factor, and which of the
published ones weighs most.
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
_ROUNDS = 100


def weights(table: np.ndarray, loadings: np.ndarray) -> np.ndarray:
    """The non-negative weights with which the loadings come nearest to each row (coordinate descent)."""
    gram, products = loadings @ loadings.T, table @ loadings.T
    found = np.zeros((len(table), len(loadings)))
    for _ in range(_ROUNDS):
        for place in range(len(loadings)):
            if gram[place, place] > 0:
                change = (products[:, place] - found @ gram[:, place]) / gram[place, place]
                found[:, place] = np.maximum(found[:, place] + change, 0.0)
    return found


def answers(model: Model, orders: np.ndarray) -> np.ndarray:
    """One row per customer, one column per factor: its weight, rounded; 0 where too little was bought."""
    table = np.log1p(orders) * np.array(model["rarity"])
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    loadings = np.array([one["loadings"] for one in model["factors"]], dtype=float)
    found = weights(table / np.where(lengths > 0, lengths, 1.0), loadings)
    found[orders.sum(axis=1) < model["fewest_purchases"]] = 0.0
    return np.round(found, 6)


class Factors(PythonModel):
    """Answers rows of orders per category with the weight of each factor."""

    def load_context(self, context: Any) -> None:
        self.model = json.loads(Path(context.artifacts["model"]).read_text(encoding="utf-8"))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        answer = pd.DataFrame({"leading_factor": None}, index=model_input.index, dtype=object)
        if self.model["factors"]:
            orders = model_input[self.model["categories"]].fillna(0.0).to_numpy(float)
            found = answers(self.model, orders)
            is_told = np.array([one["is_published"] for one in self.model["factors"]])
            told = np.where(is_told, found, 0.0)
            names = np.array([one["name"] for one in self.model["factors"]], dtype=object)[told.argmax(axis=1)]
            names[told.max(axis=1) <= 0] = None
            answer["leading_factor"] = names
            for one, column in zip(self.model["factors"], found.T, strict=True):
                answer[f"factor_{one['factor']}"] = column
        return answer


set_model(Factors())
