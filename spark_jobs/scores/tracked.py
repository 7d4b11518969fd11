"""What a training keeps in MLflow: a fit per recipe, with its parameters, figures, tables, pictures and model card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.judging import calibration
from huaxiang.judging.splits import Plan
from huaxiang.settings import Run, Settings
from huaxiang.targets import Target
from huaxiang.tracking.promotion import Decision
from spark_jobs.scores import evaluate, plots, recipes
from spark_jobs.scores.examples import Examples
from spark_jobs.scores.guards import Guarded
from spark_jobs.scores.params import ScoreParams
from spark_jobs.scores.recipes import RECIPES
from spark_jobs.scores.walk import Trial

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

_CODE = Path(__file__).with_name("portable.py")
_NEEDS = ("mlflow", "numpy", "pandas")
_ESTIMATOR_NEEDS = ("scikit-learn", "skops")


@dataclass(frozen=True)
class Kept:
    """A judged training of a target: all that its fits tell."""

    settings: Settings
    run: Run
    target: Target
    trial: Trial
    plan: Plan
    cutoffs: Sequence[int]
    metrics: Mapping[str, Mapping[str, float]]
    decision: Decision
    guarded: Guarded
    params: ScoreParams

    @property
    def baseline(self) -> str:
        return self.target.baseline.name

    @property
    def tried(self) -> list[dict[str, Any]]:
        """Every recipe with its figures and what became of it; those left out have their reason and no figure."""
        told = [
            {
                "recipe": recipe,
                "metrics": dict(found),
                "outcome": self.decision.outcome(recipe),
            }
            for recipe, found in self.metrics.items()
        ]
        return told + [
            {"recipe": recipe, "metrics": {}, "outcome": f"left out, {reason}"}
            for recipe, reason in self.trial.left_out.items()
        ]


def fits(kept: Kept, rows: Examples) -> list[tracking.Fit]:
    """One fit per recipe that was judged."""
    data = data_hash(rows, kept.cutoffs)
    return [_fit(kept, recipe, data) for recipe in kept.trial.judged]


def data_hash(rows: Examples, cutoffs: Sequence[int]) -> str:
    """Hash of all that is learned from: equal rows give equal hashes, whatever else the training set holds."""
    import numpy as np

    used = np.isin(rows.cutoff, cutoffs)
    digest = hashlib.sha256("\n".join(rows.features.columns).encode())
    digest.update(np.ascontiguousarray(rows.features.to_numpy()[used]).round(6).tobytes())
    for values in (rows.cutoff, rows.label):
        digest.update(np.ascontiguousarray(values[used]).tobytes())
    for texts in (rows.customer_id, rows.category):
        digest.update("\n".join(texts[used].tolist()).encode())
    return f"{int(used.sum())}:{digest.hexdigest()[:16]}"


def _fit(kept: Kept, recipe: str, data: str) -> tracking.Fit:
    target, trial, params = kept.target, kept.trial, kept.params
    judged, metrics = trial.judged[recipe], kept.metrics[recipe]
    split, notes = _split(kept), _notes(kept, recipe)
    categories = evaluate.per_category(trial, recipe, kept.baseline, params) if target.is_by_category else []
    by_cutoff = evaluate.per_cutoff(trial, recipe, kept.baseline)
    tables = {
        "by_cutoff": [{**row, "cutoff": str(_day(row["cutoff"]))} for row in by_cutoff],
        "reliability": calibration.reliability(trial.rows.label, judged.probabilities, params.bins),
        "gains": evaluate.gains(trial.rows.label, judged.probabilities),
        **({"by_category": categories} if categories else {}),
    }
    fingerprint = _fingerprint(kept, recipe, data)
    more = {
        "target": target.name,
        "recipe": recipe,
        "training_as_of": str(kept.run.as_of),
        "fingerprint": fingerprint,
        "report": {
            "recipe": recipe,
            "metrics": dict(metrics),
            "baseline": {"name": kept.baseline, "said": target.baseline.says},
            "split": split,
            "notes": list(notes),
            "promotion": kept.decision.reason,
            "tried": kept.tried,
            **tables,
        },
    }
    needs = (*_NEEDS, *(_ESTIMATOR_NEEDS if judged.fitted.estimator is not None else ()))
    costs = {"fit_seconds": round(judged.cost.seconds, 2)}
    costs |= {} if judged.cost.memory_mb is None else {"fit_memory_mb": judged.cost.memory_mb}
    return tracking.Fit(
        target=target.name,
        algorithm=recipes.algorithm(recipe),
        recipe=recipe,
        description=f"{target.sentence} Baseline: {target.baseline.says}.",
        baseline=target.baseline.says,
        split=split,
        fingerprint=fingerprint,
        as_of=str(kept.run.as_of),
        parameters=_parameters(kept, recipe, data),
        metrics={**metrics, "shuffled_auc": kept.guarded.shuffled_auc, **costs},
        notes=notes,
        model_code=_CODE,
        model_files=judged.fitted.files(judged.calibrations, more),
        signature=_signature(judged.fitted.model),
        pip_requirements=tracking.pinned(*needs),
        tables=tables,
        series={"auc_by_cutoff": {place: row["auc"] for place, row in enumerate(by_cutoff, start=1)}},
        pictures=_pictures(kept, recipe, categories),
    )


def _fingerprint(kept: Kept, recipe: str, data: str) -> str:
    """Hash of inputs, parameters and code: equal for the same fit in another home."""
    parts = {
        "target": kept.target.declaration.said,
        "recipe": recipe,
        "data": data,
        "currency": kept.settings.currency,
        "params": asdict(kept.params),
        "code": code_hash(kept.settings.project, ("spark_jobs", "src/huaxiang/judging")),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _parameters(kept: Kept, recipe: str, data: str) -> dict[str, object]:
    judged = kept.trial.judged[recipe]
    names = [feature["name"] for feature in judged.fitted.model["features"]]
    features = ", ".join(names)
    params = asdict(kept.params)
    return {
        "as_of": str(kept.run.as_of),
        "known_at": str(kept.run.known_at),
        "learned_from": ", ".join(str(_day(cutoff)) for cutoff in kept.cutoffs),
        "window_days": kept.target.window_days,
        "most_rows_of_a_fit": RECIPES[recipe].rows(kept.params) if recipe in RECIPES else 0,
        "calibrated_by": judged.calibrated_by,
        "feature_count": len(names),
        "features": features if len(features) < 500 else features[:496] + " ...",
        "data_hash": data,
        **{name: ", ".join(value) if isinstance(value, tuple) else value for name, value in params.items()},
    }


def _split(kept: Kept) -> str:
    judged, window = kept.plan.judged, kept.target.window_days
    return (
        f"Judged at {len(judged)} cut-offs, {_day(judged[0])} to {_day(judged[-1])}, on the {window} days after each; "
        f"fitted before each on cut-offs from {_day(kept.cutoffs[0])} whose {window} days were over by then, "
        f"calibrated on earlier ones only. Intervals: bootstrap over customers. The model kept is fitted on all "
        f"{len(kept.cutoffs)} cut-offs."
    )


_SEEN = {"no_purchase": "an order elsewhere", "redemption": "a coupon redeemed elsewhere"}


def _notes(kept: Kept, recipe: str) -> tuple[str, ...]:
    unseen = _SEEN.get(kept.target.event.kind, "a purchase elsewhere")
    notes = [
        f"whoever has never ordered has no score; {unseen} is not seen",
        "a reason says what moved the model, not what would change the customer",
        "the Brier score is better when lower, so its difference to the baseline should be negative",
        *kept.guarded.notes(),
    ]
    if kept.trial.judged[recipe].fitted.model["kind"] != "linear":
        notes.append("reasons set one figure at a time to typical; what they leave over is told as one of them")
    return tuple(notes)


def _signature(model: Mapping[str, Any]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    inputs: list[Any] = [ColSpec(DataType.double, one["name"], required=False) for one in model["features"]]
    if model["categories"] != [""]:
        inputs.append(ColSpec(DataType.string, "category"))
    outputs: list[Any] = [ColSpec(DataType.double, "probability"), ColSpec(DataType.string, "reasons")]
    return ModelSignature(Schema(inputs), Schema(outputs))


def _pictures(kept: Kept, recipe: str, categories: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of the recipes that won, came second or have the best figure, and of the baseline; drawing all costs more than
    fitting them."""
    best = max(kept.metrics, key=lambda name: kept.metrics[name]["auc"])
    if recipe not in (kept.decision.winner, kept.decision.challenger, kept.baseline, best):
        return {}
    trial, baseline, params = kept.trial, kept.baseline, kept.params
    labels = trial.rows.label
    shown = {name: trial.judged[name].probabilities for name in dict.fromkeys((baseline, recipe))}
    pictures = {
        "calibration": plots.reliability(
            {name: calibration.reliability(labels, values, params.bins) for name, values in shown.items()}, recipe
        )
    }
    if recipe == baseline:
        return pictures
    costs = [
        {"recipe": name, "seconds": trial.judged[name].cost.seconds, **found} for name, found in kept.metrics.items()
    ]
    pictures |= {
        "gains": plots.gains({name: evaluate.gains(labels, values) for name, values in shown.items()}, recipe),
        "quality_and_cost": plots.quality_and_cost(costs),
        "by_cutoff": plots.by_cutoff(evaluate.per_cutoff(trial, recipe, baseline), recipe, baseline),
    }
    if categories:
        pictures["by_category"] = plots.by_category(categories)
    return pictures


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)
