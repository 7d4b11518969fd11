"""What MLflow keeps of a training of segments: a run per recipe, with its model, figures and pictures."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from spark_jobs.segments import champions, naming, outputs, plots, shapes
from spark_jobs.segments.model import SegmentModel
from spark_jobs.segments.params import SegmentParams
from spark_jobs.segments.training import Fitted, Trained

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

_CODE = Path(__file__).parent
_DESCRIPTION = (
    "Which group of like customers a customer belongs to: Spark K-Means on scaled shopping features, as many segments "
    "as are found again when customers are drawn anew, beside a Gaussian mixture and HDBSCAN; names are tested "
    "differences. Baseline: five groups by RFM."
)
# What portable.py imports; versions are those of the lock.
_NEEDS = ("mlflow", "numpy", "pandas")


def record(
    settings: Settings, run: Run, path: Path, trained: Trained, must_replace: bool, params: SegmentParams
) -> tuple[tracking.Version | None, str]:
    """Keep every recipe as a run, and act on the decision. Returns the new champion or None, and the outcome."""
    features_hash = content_hash(path)
    fits = [_fit(run, features_hash, trained, fitted, params) for fitted in trained.fits]
    return tracking.record_all(
        settings,
        fits,
        trained.decision,
        judged_by="silhouette",
        must_replace=must_replace,
        judging=trained.judging,
        columns=trained.columns,
        left_out={
            one["recipe"]: one["reason"]
            for one in trained.winner.model.report["tried"]
            if one["recipe"] not in {fitted.recipe for fitted in trained.fits}
        },
    )


def _fit(run: Run, features_hash: str, trained: Trained, fitted: Fitted, params: SegmentParams) -> tracking.Fit:
    model = fitted.model
    reasons = [one["reason"] for one in model.report["tried"] if one["recipe"] == fitted.recipe and one["reason"]]
    return tracking.Fit(
        target=champions.TARGET,
        algorithm=fitted.algorithm,
        recipe=fitted.recipe,
        description=_DESCRIPTION,
        baseline="five groups by RFM score",
        split="No split in time: customers are drawn anew to see whether the same segments are found again.",
        fingerprint=model.fingerprint,
        as_of=str(run.as_of),
        parameters=_parameters(run, features_hash, fitted, params),
        metrics=fitted.metrics,
        notes=(*trained.choice.notes, *(f"it cannot compete: {reason}" for reason in reasons)),
        model_code=_CODE / "portable.py",
        model_files={champions.MODEL_FILE: model.to_json()},
        signature=_signature(model),
        pip_requirements=tracking.pinned(*_NEEDS),
        tables={"k_table": model.report["k_table"], "segments": [asdict(segment) for segment in model.segments]},
        series=_series(trained) if fitted.recipe == shapes.K_MEANS else {},
        pictures=_pictures(trained, fitted),
    )


def _series(trained: Trained) -> dict[str, dict[int, float]]:
    candidates = trained.choice.candidates
    return {
        "k_silhouette": {candidate.k: candidate.silhouette.value for candidate in candidates},
        "k_stability": {candidate.k: candidate.stability.value for candidate in candidates},
        "k_least_found_again": {candidate.k: candidate.least_found_again for candidate in candidates},
    }


def _parameters(run: Run, features_hash: str, fitted: Fitted, params: SegmentParams) -> dict[str, object]:
    said = asdict(params)
    weights = {f"weight_{feature['name']}": feature["weight"] for feature in said.pop("features")}
    weights |= {f"outliers_{name}": value for name, value in said.pop("outliers").items()}
    used = ", ".join(scaling.name for scaling in fitted.model.scalings)
    dates = {"as_of": str(run.as_of), "known_at": str(run.known_at)}
    k = len(fitted.model.segments)
    return {**dates, "k": k, "features": used, "features_hash": features_hash, **said, **weights}


def _signature(model: SegmentModel) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    inputs: list[Any] = [ColSpec(DataType.double, scaling.name, required=False) for scaling in model.scalings]
    outputs: list[Any] = [
        ColSpec(DataType.long, "segment_id"),
        ColSpec(DataType.string, "segment_name"),
        ColSpec(DataType.double, "distance"),
    ]
    return ModelSignature(Schema(inputs or [ColSpec(DataType.string, "customer_id")]), Schema(outputs))


def _pictures(trained: Trained, fitted: Fitted) -> dict[str, Any]:
    """Pictures of means and shares of the customers that were judged; nothing in them is about one customer."""
    if len(fitted.model.segments) < 2:
        return {}
    names = {segment.segment_id: f"{segment.segment_id}  {segment.name}" for segment in fitted.model.segments}
    customers = fitted.customers
    columns = [name for name in naming.PLAIN if name in customers.columns]
    rows = outputs.means(customers, columns).set_index("segment_id")
    rows.index = rows.index.map(names)
    shares = rows.pop("customer_count")
    deviations = customers[columns].std(ddof=0).replace(0.0, 1.0)
    rows[columns] = (rows[columns] - customers[columns].mean()) / deviations
    return {
        **(
            {"by_k": plots.by_k(trained.choice.candidates, trained.choice.k)} if fitted.recipe == shapes.K_MEANS else {}
        ),
        "profile": plots.profile(rows[columns].astype(float)),
        "sizes": plots.sizes(shares / shares.sum()),
    }
