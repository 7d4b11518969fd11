"""Recommendations as MLflow serves them: for one customer's history, the ten best products.

It holds products only: ids, popularity, factors and neighbours, and the arithmetic (the package ranking) the daily run
uses.
Input: a row per product bought, `product_id`, and optionally in how many orders (`times`, default 1; of the last 91
days `times_lately`) and how many days ago the last and the first were (`days_ago`, default 0; `first_days_ago`). No
customer's purchases are in the model.
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
        bought = pd.DataFrame({"product_id": model_input["product_id"].astype(str)})
        for name in ("times", "days_ago", "times_lately", "first_days_ago"):
            bought[name] = model_input.get(name, np.nan)
        bought["times"] = bought["times"].fillna(1)
        bought["days_ago"] = bought["days_ago"].fillna(0)
        bought["first_days_ago"] = bought["first_days_ago"].fillna(bought["days_ago"])
        is_late = bought["days_ago"] < self.recipe["popularity_days"]
        bought["times_lately"] = bought["times_lately"].fillna(bought["times"].where(is_late, 0))
        how = {"times": "sum", "days_ago": "min", "times_lately": "sum", "first_days_ago": "max"}
        bought = bought.groupby("product_id", as_index=False).agg(how)
        ids = self.ranker.products.ids
        bought["item"] = self.code.positions(ids, bought["product_id"].to_numpy(dtype=str))
        known = bought[bought["item"] >= 0].sort_values("item")
        columns = (known[name].to_numpy(dtype=float) for name in how)
        found = self.ranker.candidates(self.code.History(known["item"].to_numpy(), *columns))
        [scores] = self.ranker.scores([found], self.code.weights_of(self.recipe["weights"]))
        rows = self.ranker.top(found, scores, self.recipe["task"] == "new", self.recipe["top"])
        return pd.DataFrame(
            {"rank": np.arange(1, len(rows) + 1), "product_id": ids[found.items[rows]], "score": scores[rows]}
        )


set_model(Recommender())
