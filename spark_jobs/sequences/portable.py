"""What comes next, as MLflow serves it: one JSON file of counts of categories, no engine and none of our packages.

Give it what was in the last step as categories joined by ' + '; it answers with the likeliest next category. The
recipe `own` takes the last step for all that was done so far.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class NextCategory(PythonModel):
    """The likeliest next category and its probability; nothing where no category is known."""

    def load_context(self, context: Any) -> None:
        said = json.loads(Path(context.artifacts["chain"]).read_text(encoding="utf-8"))
        self.names = said["categories"]
        self.place = {name: place for place, name in enumerate(self.names)}
        self.recipe, self.smoothing = said["recipe"], said["smoothing"]
        single, self.after = np.array(said["single"]), np.array(said["after"])
        self.base = (single + 1) / (single.sum() + len(single))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        rows = [self._next(text.split(" + ")) for text in model_input["categories"].fillna("")]
        return pd.DataFrame(rows, columns=["category", "probability"], index=model_input.index)

    def _next(self, step: list[str]) -> tuple:
        known = [self.place[name] for name in step if name in self.place]
        if not known:
            return None, None
        likely = self.base
        if self.recipe == "markov":
            after = self.after[known]
            likely = ((after + self.smoothing * self.base) / (after.sum(axis=1, keepdims=True) + self.smoothing)).mean(
                0
            )
        elif self.recipe == "own":
            own = np.bincount(known, minlength=len(self.names))
            likely = (own + self.smoothing * self.base) / (own.sum() + self.smoothing)
        best = int(np.argmax(likely))
        return self.names[best], float(likely[best])


set_model(NextCategory())
