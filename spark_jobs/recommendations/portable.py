"""Recommendations as MLflow serves them: for one customer's history, the ten best products.

It holds products only: ids, popularity, factors and neighbours, and the arithmetic (the package ranking) the daily run
uses.
Input: a row per order and product bought in it, `product_id`, and optionally how many days ago it was (`days_ago`,
default 0). No customer's purchases are in the model.
"""

from __future__ import annotations

import json
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class Recommender(PythonModel):
    """Ranks by the recipe's weights; unknown products in the history are ignored."""

    def load_context(self, context: Any) -> None:
        folder = Path(context.artifacts["recipe"]).parent
        name = f"huaxiang_ranking_{uuid4().hex}"  # another model in this process may carry other code
        spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
        if spec is None or spec.loader is None:
            raise ImportError(f"{folder}: the model's files of code are missing; log the model again")
        self.code: Any = module_from_spec(spec)
        sys.modules[name] = self.code  # its own modules look it up
        spec.loader.exec_module(self.code)
        self.recipe = json.loads(Path(context.artifacts["recipe"]).read_text(encoding="utf-8"))
        model = None
        if "ranker" in context.artifacts:
            import skops.io

            model = skops.io.load(context.artifacts["ranker"], trusted=self.code.TRUSTED)
        products = self.code.Products.from_bytes(Path(context.artifacts["products"]).read_bytes())
        self.ranker = self.code.Ranker(products, self.recipe["settings"], model)

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        days_ago = model_input.get("days_ago", pd.Series(0.0, model_input.index)).fillna(0).to_numpy(dtype=float)
        ids = self.ranker.products.ids
        items = self.code.positions(ids, model_input["product_id"].to_numpy(dtype=str))
        is_known = items >= 0
        found = self.ranker.candidates(self.code.History.of(items[is_known], days_ago[is_known]))
        [scores] = self.ranker.scores([found], self.code.weights_of(self.recipe["weights"]))
        rows = self.ranker.top(found, scores, self.recipe["task"] == "new", self.recipe["top"])
        return pd.DataFrame(
            {"rank": np.arange(1, len(rows) + 1), "product_id": ids[found.items[rows]], "score": scores[rows]}
        )


set_model(Recommender())
