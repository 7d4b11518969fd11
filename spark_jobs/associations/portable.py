"""The rules as MLflow serves them: this file and one JSON file, no engine and none of our packages.

Give it what is in a basket, as product types joined by ' + '; it answers with the rule that says most surely what goes
with it. The figures are those of the training; the daily run counts them anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class BasketRules(PythonModel):
    """Of the rules whose antecedent is in the basket and whose consequent is not, the one of highest confidence."""

    def load_context(self, context: Any) -> None:
        said = json.loads(Path(context.artifacts["rules"]).read_text(encoding="utf-8"))
        rules = said["rules"]
        self.rules = sorted(rules, key=lambda rule: (-rule["confidence"], rule["antecedent"], rule["consequent"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        rows = [self._best(set(basket.split(" + "))) for basket in model_input["product_types"].fillna("")]
        return pd.DataFrame(rows, columns=["antecedent", "consequent", "confidence", "lift"], index=model_input.index)

    def _best(self, basket: set[str]) -> tuple:
        for rule in self.rules:
            if basket.issuperset(rule["antecedent"]) and rule["consequent"] not in basket:
                return " + ".join(rule["antecedent"]), rule["consequent"], rule["confidence"], rule["lift"]
        return None, None, None, None


set_model(BasketRules())
