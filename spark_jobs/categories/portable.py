"""A model of new categories as MLflow serves it and the daily run scores with it: one JSON file and no engine.

A row holds, under each category's name, whether (or how often) a customer bought it; the answer is the categories never
bought that come next, the first ones first. No customer's purchases are in the model.
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
_DECIMALS = 6


def scores(held: np.ndarray, links: np.ndarray | None, rate: np.ndarray) -> np.ndarray:
    """Customers x categories: the links from all that was bought (`held`), plus what is the same for everybody."""
    found = np.zeros(held.shape) if links is None else held.astype(float) @ links
    rounded: np.ndarray = np.round(found + rate, _DECIMALS)
    return rounded


def rate(model: Model, popularity: np.ndarray, start_rate: np.ndarray) -> np.ndarray:
    """What is the same for everybody, of the day's rates."""
    found: np.ndarray = model["popularity_weight"] * popularity + model["start_weight"] * start_rate
    return found


def ranked(found: np.ndarray, is_barred: np.ndarray, popularity: np.ndarray, count: int) -> np.ndarray:
    """For each row the columns of rank 1 ... `count`, -1 where there are fewer; of equal scores the more popular
    column comes first, then the first."""
    order = np.lexsort((np.arange(len(popularity)), -popularity))
    kept = np.where(is_barred, -np.inf, found)[:, order]
    best = np.argsort(-kept, axis=1, kind="stable")[:, :count]
    columns = np.where(np.isfinite(np.take_along_axis(kept, best, axis=1)), order[best], -1)
    short = max(count - columns.shape[1], 0)
    padded: np.ndarray = np.pad(columns, ((0, 0), (0, short)), constant_values=-1)
    return padded


class NewCategories(PythonModel):
    """Answers rows of purchases per category with the categories that come next, by the rates of its training."""

    def load_context(self, context: Any) -> None:
        self.model = json.loads(Path(context.artifacts["model"]).read_text(encoding="utf-8"))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        names = self.model["categories"]
        held = model_input.reindex(columns=names).fillna(0.0).to_numpy(float) > 0
        popularity, start_rate = (np.array(self.model[name]) for name in ("popularity", "start_rate"))
        links = np.array(self.model["links"]) if self.model["links"] else None
        found = scores(held, links, rate(self.model, popularity, start_rate))
        columns = ranked(found, held, popularity, self.model["top"])
        told = np.where(columns >= 0, np.array(names, dtype=object)[columns], None)
        heads = [f"category_{place}" for place in range(1, self.model["top"] + 1)]
        return pd.DataFrame(told, index=model_input.index, columns=heads)


set_model(NewCategories())
