"""A vector model as MLflow serves it and the daily run uses it: one JSON file and no engine.

A row holds the model's figures, one that is left out counting as typical, and orders under `<category>, <n> days`, one
that is left out counting 0; the answer is the place of the customer on each dimension.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


def levels(model: Mapping[str, Any], values: np.ndarray) -> np.ndarray:
    """log(1 + x) of the inputs, figures first: a missing figure is typical, what is below 0 counts as 0."""
    typical = [one["typical"] for one in model["figures"]] + [0.0] * len(model["columns"])
    found: np.ndarray = np.log1p(np.maximum(np.where(np.isnan(values), typical, values), 0.0))
    return found


def vectors(model: Mapping[str, Any], values: np.ndarray) -> np.ndarray:
    """One row per row of inputs, one column per dimension, rounded."""
    standard = (levels(model, values) - np.asarray(model["means"])) / np.asarray(model["deviations"])
    found = np.clip(standard, -model["clip"], model["clip"]) @ np.asarray(model["loadings"]).T
    return np.round(found, model["decimals"]) + 0.0  # no -0.0


def name_of(column: Mapping[str, Any]) -> str:
    """The name of a count in a row that is asked."""
    return f"{column['category']}, {column['window_days']} days"


class Vectors(PythonModel):
    """Answers rows of figures and orders per category with the customer's vector; empty where none was promoted."""

    def load_context(self, context: Any) -> None:
        self.model = json.loads(Path(context.artifacts["model"]).read_text(encoding="utf-8"))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        answer = pd.DataFrame({"dimension_count": len(self.model["loadings"])}, index=model_input.index)
        if not self.model["loadings"]:
            return answer
        figures = model_input.reindex(columns=[one["name"] for one in self.model["figures"]])
        counts = model_input.reindex(columns=[name_of(one) for one in self.model["columns"]]).fillna(0.0)
        found = vectors(self.model, np.hstack([figures.to_numpy(float), counts.to_numpy(float)]))
        return answer.assign(**{f"dimension_{place}": column for place, column in enumerate(found.T, start=1)})


set_model(Vectors())
