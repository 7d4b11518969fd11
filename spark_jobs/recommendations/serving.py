"""What MLflow serves of a recipe: the files of the model, what it is asked and answers, what it needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from spark_jobs.recommendations import hybrid
from spark_jobs.recommendations.ranking import Products

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

_FOLDER = Path(__file__).parent
CODE = _FOLDER / "portable.py"
# What portable.py imports; versions are those of the lock.
_NEEDS = ("mlflow", "numpy", "pandas")
_NEEDS_OF_TREES = ("scikit-learn", "skops")


def files(recipe: Mapping[str, Any], products: Products, trees: Any = None) -> dict[str, str | bytes]:
    """The recipe, its products, the code that ranks them, and the learned ranker of a hybrid."""
    return {
        "products.npz": products.to_bytes(),
        "recipe.json": json.dumps(recipe, indent=2, sort_keys=True) + "\n",
        **{path.name: path.read_bytes() for path in sorted((_FOLDER / "ranking").glob("*.py"))},
        **({} if trees is None else {"ranker.skops": hybrid.to_bytes(trees)}),
    }


def requirements(has_trees: bool) -> tuple[str, ...]:
    """The packages the model needs, as they are installed here."""
    return tracking.pinned(*_NEEDS, *(_NEEDS_OF_TREES if has_trees else ()))


def signature() -> ModelSignature:
    """A row per order and product; a row per product listed."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    asked: list[Any] = [
        ColSpec(DataType.string, "product_id"),
        ColSpec(DataType.double, "days_ago", required=False),
    ]
    answered: list[Any] = [
        ColSpec(DataType.long, "rank"),
        ColSpec(DataType.string, "product_id"),
        ColSpec(DataType.double, "score"),
    ]
    return ModelSignature(Schema(asked), Schema(answered))
