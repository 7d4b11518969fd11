"""The segment model as MLflow serves it: this file and one JSON file, no engine and none of our packages.

Why not MLflow's Spark flavour: that stores a whole pipeline, takes seconds to load, needs a session, and its labels
could not carry stable ids and names. The JSON holds the same centres; the daily run reads it and scores inside Spark,
anyone else calls `mlflow.pyfunc.load_model("models:/segments@champion").predict(frame)` with the raw feature columns.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class NearestCentre(PythonModel):
    """Scales the features as the fit did and takes the nearest centre; of equally near ones the lowest id."""

    def load_context(self, context: Any) -> None:
        self.model = json.loads(Path(context.artifacts["segments"]).read_text(encoding="utf-8"))

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        decimals, segments = self.model["decimals"], self.model["segments"]
        points = np.zeros((len(model_input), len(self.model["scalings"])))
        for place, scaling in enumerate(self.model["scalings"]):
            values = model_input[scaling["name"]].astype(float).fillna(scaling["fill"]).to_numpy()
            if scaling["is_skewed"]:
                values = np.log1p(np.maximum(values, scaling["least"]) * scaling["scale"])
            standard = (values - scaling["mean"]) / scaling["deviation"]
            clipped = np.clip(standard, -scaling["clip"], scaling["clip"])
            points[:, place] = np.round(clipped * scaling["weight"], decimals)
        centres = np.array([segment["centre"] for segment in segments]).reshape(len(segments), points.shape[1])
        widths = np.ones_like(centres)
        for place, segment in enumerate(segments):
            widths[place] = segment.get("spread") or 1.0
        offsets = np.array([segment.get("offset", 0.0) for segment in segments])
        squares = (((points[:, None, :] - centres) / widths) ** 2).sum(axis=2) + offsets
        distances = np.round(np.sqrt(squares), decimals)
        nearest = distances.argmin(axis=1)  # the first of equal ones; segments are in the order of their ids
        return pd.DataFrame(
            {
                "segment_id": [segments[place]["segment_id"] for place in nearest],
                "segment_name": [segments[place]["name"] for place in nearest],
                "distance": distances[np.arange(len(points)), nearest],
            },
            index=model_input.index,
        )


set_model(NearestCentre())
