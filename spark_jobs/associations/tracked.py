"""What MLflow keeps of a training of rules: the model, its figures, parameters and pictures, as one run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from spark_jobs import engine
from spark_jobs.associations import inputs, plots, rules
from spark_jobs.associations.mining import Mined
from spark_jobs.associations.model import AssociationModel
from spark_jobs.associations.params import AssociationParams

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

TARGET = "associations"
RECIPE = "frequent-sets"
MODEL_FILE = "rules.json"
_CODE = Path(__file__).parent
_ALGORITHMS = {engine.LAPTOP: "apriori", engine.SPARK: "spark-fp-growth"}
_DESCRIPTION = (
    "Which product types are bought together more often than by chance: rules grown from frequent sets, counted "
    "exactly, tested by Fisher's exact test. A single rule has no baseline but independence, a lift of 1."
)
_BASELINE = "as many random pairs of the same product types; for a single rule independence, a lift of 1"
_LIMIT = (
    "The test takes orders as independent; several orders of one customer are not quite. "
    "A rule says what is bought together, not what causes it."
)
# What portable.py imports; versions are those of the lock.
_NEEDS = ("mlflow", "pandas")


def record(
    settings: Settings,
    run: Run,
    path: Path,
    mined: Mined,
    metrics: Mapping[str, float],
    seconds: float,
    where: str,
    params: AssociationParams,
) -> tuple[tracking.Version | None, str]:
    """Keep the training as a run; its rules become champion unless surely fewer of them hold than of the champion's."""
    model = _model(settings, run, path, mined, metrics, params)
    fit = tracking.Fit(
        target=TARGET,
        algorithm=_ALGORITHMS[where],
        recipe=RECIPE,
        description=_DESCRIPTION,
        baseline=_BASELINE,
        split=model.report["split"],
        fingerprint=model.fingerprint,
        as_of=str(run.as_of),
        parameters=_parameters(run, mined, params),
        metrics={**metrics, "fit_seconds": seconds},
        notes=tuple(model.report["notes"]),
        model_code=_CODE / "portable.py",
        model_files={MODEL_FILE: model.to_json()},
        signature=_signature(),
        pip_requirements=tracking.pinned(*_NEEDS),
        tables={"rules": [_row(*one) for one in zip(mined.rules, mined.p_values, strict=True)]},
        pictures={"support_confidence": plots.scatter(mined.rules), "top_lift": plots.top(mined.rules)},
    )
    return tracking.record(settings, fit, judged_by="held_share")


def _model(
    settings: Settings,
    run: Run,
    path: Path,
    mined: Mined,
    metrics: Mapping[str, float],
    params: AssociationParams,
) -> AssociationModel:
    days = inputs.window(run.as_of, params)
    notes = [_LIMIT, _large_orders(metrics["baseline_later_lift"])]
    if mined.sampled_share < 1:
        notes.append(
            f"Candidates were mined from {mined.sampled_share:.0%} of {mined.orders:,} orders and counted on all; a "
            "rule at the very limit of support can be missing."
        )
    return AssociationModel(
        training_as_of=str(run.as_of),
        fingerprint=_fingerprint(settings, path, run.as_of, params),
        tests=mined.tests,
        rules=tuple(one.rule for one in mined.rules),
        figures=tuple(_figures(one) for one in mined.rules),
        report={
            "recipe": RECIPE,
            "metrics": dict(metrics),
            "baseline": {"name": _BASELINE},
            "split": (
                f"Mined from {days.first} to {days.mined_to}, checked from {days.held_from} to {days.last}; released "
                "figures are counted up to the day of the release."
            ),
            "notes": notes,
        },
    )


def _fingerprint(settings: Settings, path: Path, as_of: date, params: AssociationParams) -> str:
    """Hash of inputs, parameters and code: equal for the same training in another home."""
    parts = {
        "purchases": content_hash(path),
        "as_of": str(as_of),
        "params": asdict(params),
        "code": code_hash(settings.project, ("spark_jobs",)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _parameters(run: Run, mined: Mined, params: AssociationParams) -> dict[str, object]:
    dates = {"as_of": str(run.as_of), "known_at": str(run.known_at)}
    return {**dates, "sampled_share": mined.sampled_share, **asdict(params)}


def _figures(one: rules.Counted) -> dict[str, float]:
    return {name: round(getattr(one, name), 6) for name in ("support", "confidence", "lift", "leverage")}


def _row(one: rules.Counted, p_value: float) -> dict[str, Any]:
    return {"rule": str(one.rule), "both_count": one.both_count, **_figures(one), "p_value": p_value}


def _signature() -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    texts: Sequence[Any] = [ColSpec(DataType.string, name) for name in ("antecedent", "consequent")]
    figures: Sequence[Any] = [ColSpec(DataType.double, name) for name in ("confidence", "lift")]
    return ModelSignature(Schema([ColSpec(DataType.string, "product_types")]), Schema([*texts, *figures]))


def _large_orders(lift: float) -> str:
    return (
        f"Large orders hold some of everything, so the median lift of random pairs is {lift:.1f} too: read a rule "
        "beside that figure, not beside 1."
    )
