"""The portrait model as MLflow serves it: champions loaded from folders inside it, each answering for the same row."""

from __future__ import annotations

from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

# model -> its answers, and what they are called here
_ANSWERS = {
    "segments": {"segment_id": "segment_id", "segment_name": "segment_name"},
    "churn_28d": {"probability": "churn_probability", "reasons": "churn_reasons"},
}


class Portrait(PythonModel):
    """Feature rows in; segment, probability of staying away, and reasons out. A figure left out counts as unknown."""

    def load_context(self, context: Any) -> None:
        self.models = {name: mlflow.pyfunc.load_model(context.artifacts[name]) for name in _ANSWERS}

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        answers = pd.DataFrame(index=model_input.index)
        for name, model in self.models.items():
            wanted = [column.name for column in model.metadata.signature.inputs]
            found = model.predict(model_input.reindex(columns=wanted, fill_value=np.nan).astype(float))
            for column, called in _ANSWERS[name].items():
                answers[called] = found[column].to_numpy()
        return answers


set_model(Portrait())
