"""Recommendations as MLflow serves them: for one customer's history, the ten best products.

It holds products only: ids, popularity, factors and neighbours, and the arithmetic (ranking.py) the daily run uses.
Input: a row per product bought, `product_id`, and optionally in how many orders (`times`, default 1) and how many days
ago the last was (`days_ago`, default 0). No customer's purchases are in the model.
"""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class Recommender(PythonModel):
    """Ranks by the recipe's weights; unknown products in the history are ignored."""

    def load_context(self, context: Any) -> None:
        name = "huaxiang_ranking"
        loader = SourceFileLoader(name, context.artifacts["ranking"])
        self.code: Any = module_from_spec(ModuleSpec(name, loader))
        sys.modules[name] = self.code  # dataclasses look their module up
        loader.exec_module(self.code)
        self.recipe = json.loads(Path(context.artifacts["recipe"]).read_text(encoding="utf-8"))
        products = self.code.Products.from_bytes(Path(context.artifacts["products"]).read_bytes())
        self.ranker = self.code.Ranker(products, self.recipe["settings"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        bought = pd.DataFrame({"product_id": model_input["product_id"].astype(str)})
        for name, default in (("times", 1), ("days_ago", 0)):
            bought[name] = model_input[name].fillna(default) if name in model_input else default
        bought = bought.groupby("product_id", as_index=False).agg({"times": "sum", "days_ago": "min"})
        ids = self.ranker.products.ids
        bought["item"] = self.code.positions(ids, bought["product_id"].to_numpy(dtype=str))
        known = bought[bought["item"] >= 0].sort_values("item")
        items, times, ages = (known[name].to_numpy() for name in ("item", "times", "days_ago"))
        found = self.ranker.candidates(self.code.History(items, times.astype(float), ages.astype(float)))
        weights = self.code.weights_of(self.recipe["weights"])
        rows, scores = self.ranker.top(found, weights, self.recipe["task"] == "new", self.recipe["top"])
        return pd.DataFrame(
            {"rank": np.arange(1, len(rows) + 1), "product_id": ids[found.items[rows]], "score": scores}
        )


set_model(Recommender())
