"""Make the portrait model of the champions: a new version only when one of them is another than before."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from huaxiang import tracking
from huaxiang.settings import Run, Settings

PORTRAIT = "portrait"
PARTS = ("segments", "churn_28d")
_CODE = Path(__file__).with_name("portable.py")
_DESCRIPTION = (
    "What the platform says of one customer, from a row of features: segment, probability of no order in the next 28 "
    "days, and the reasons. It bundles the champions of " + " and ".join(PARTS) + "."
)
_NEEDS = ("mlflow", "numpy", "pandas", "scikit-learn", "skops")


def bundle(settings: Settings, run: Run) -> tracking.Version | None:
    """Register and promote a new version; None when a champion is missing or all are those of the version in use."""
    champions = {name: tracking.champion(settings, name) for name in PARTS}
    parts = {name: champion for name, champion in champions.items() if champion}
    if len(parts) < len(PARTS):
        return None
    said = "".join(f"{name} {part.version} {part.fingerprint}\n" for name, part in parts.items()) + _CODE.read_text()
    fingerprint = hashlib.sha256(said.encode()).hexdigest()[:16]
    now = tracking.champion(settings, PORTRAIT)
    if now and now.fingerprint == fingerprint:
        return None
    folders = {name: tracking.model_folder(settings, part) for name, part in parts.items()}
    fit = tracking.Fit(
        target=PORTRAIT,
        algorithm="bundle",
        recipe="bundle of champions",
        description=_DESCRIPTION,
        fingerprint=fingerprint,
        as_of=str(run.as_of),
        parameters={f"{name}_version": part.version for name, part in parts.items()},
        metrics={},
        notes=(
            "it is as good as its parts: their own cards say how good",
            "a figure that is left out counts as typical",
        ),
        model_code=_CODE,
        model_files={},
        model_folders=folders,
        signature=_signature(folders),
        pip_requirements=tracking.pinned(*_NEEDS),
    )
    made, _ = tracking.record(settings, fit, judged_by="none", must_replace=True)
    return made


def _signature(folders: dict[str, Path]) -> Any:
    """All columns that a part reads, none of them required."""
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    schemas = [Model.load(str(folder)).signature.inputs for folder in folders.values()]
    names = list(dict.fromkeys(column.name for schema in schemas for column in schema))
    inputs: list[Any] = [ColSpec(DataType.double, name, required=False) for name in names]
    outputs: list[Any] = [
        ColSpec(DataType.long, "segment_id"),
        ColSpec(DataType.string, "segment_name"),
        ColSpec(DataType.double, "churn_probability"),
        ColSpec(DataType.string, "churn_reasons"),
    ]
    return ModelSignature(Schema(inputs), Schema(outputs))
