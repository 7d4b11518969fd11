"""Train: judge every recipe against RFM, keep each as a run, promote by the rule."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.tracking.promotion import Decision, judging
from spark_jobs.vectors import basis, plots, portable, told
from spark_jobs.vectors.inputs import Known, day_of
from spark_jobs.vectors.judge import RFM, Task, Trial, trial
from spark_jobs.vectors.params import VectorParams

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

TARGET = "customer_vectors"
_ALGORITHMS = {
    RFM: "the figures themselves",
    "svd": "truncated singular value decomposition",
    "balanced_svd": "truncated singular value decomposition of balanced blocks (multiple factor analysis)",
}
_CODE = Path(portable.__file__)
_NEEDS = ("mlflow", "numpy", "pandas")
_BASELINE = "recency, frequency and money of 7, 28, 91 and 364 days, in the same logistic regression"
_DESCRIPTION = (
    "Customers as short vectors of what they buy, published only where they are surely better than RFM on every task "
    f"that decides. Baseline: {_BASELINE}; where it wins, no vector is published."
)
_NOTES = (
    "published only where a vector is surely better than RFM on every task that decides, however good the mean is",
    "categories that tell of health, alcohol, tobacco, babies, intimacy, religion or origin are not looked at",
    "another training may turn, reorder or replace dimensions: compare vectors of one fingerprint only",
)
_NO_MODEL: dict[str, Any] = {"figures": [], "columns": [], "means": [], "deviations": [], "loadings": []}


@dataclass(frozen=True)
class _Kept:
    """All that the fits of one training tell."""

    settings: Settings
    run: Run
    models: Mapping[str, Mapping[str, Any]]
    metrics: Mapping[str, Mapping[str, float]]
    decision: Decision
    split: str
    trial: Trial | None
    data: str
    params: VectorParams


def train(
    settings: Settings,
    run: Run,
    log: StepLog,
    known: Known,
    tasks: Sequence[Task],
    lacking: Mapping[str, str],
    params: VectorParams,
) -> tracking.Version | None:
    """Returns the new version, None where the champion stays. `lacking`: why a task is not among `tasks`.

    Where a task that decides is lacking, or too little is bought, RFM is the only recipe: nothing can be promoted.
    """
    why = _why_not(known, tasks, lacking, params)
    found = None if why else trial(known, tasks, params)
    metrics: dict[str, dict[str, float]] = {RFM: {}}
    models: dict[str, basis.Model] = {RFM: _NO_MODEL}
    if found:
        metrics = {recipe: told.metrics(found, recipe) for recipe in (RFM, *params.recipes)}
        models |= {recipe: basis.fit(known, recipe, found.counts[recipe], params) for recipe in params.recipes}
    judged = judging(
        {recipe: one.get("auc", 0.0) for recipe, one in metrics.items()}, found.difference if found else _never, RFM
    )
    champion = tracking.incumbent(settings, TARGET)
    decision = judged.decide(champion.recipe if champion else None)
    split = f"Nothing was judged: {why}." if why else _split(found, params) if found else ""
    kept = _Kept(settings, run, models, metrics, decision, split, found, _hash(known, tasks), params)
    columns = set(known.figures.columns)
    must_replace = False
    if champion is not None:
        needed = json.loads(tracking.model_file(settings, champion, "model.json"))["figures"]
        must_replace = not {one["name"] for one in needed} <= columns
    version, outcome = tracking.record_all(
        settings,
        [_fit(kept, recipe) for recipe in metrics],
        decision,
        judged_by="auc",
        must_replace=must_replace,
        judging=judged,
        columns=columns,
    )
    log.progress(f"customer vectors: {why or decision.reason}; {tracking.in_words(version, outcome)}")
    return version


def _why_not(known: Known, tasks: Sequence[Task], lacking: Mapping[str, str], params: VectorParams) -> str:
    """Why no vector can be judged here; '' where one can."""
    for name in params.tasks:
        if name in lacking:
            return f"{name} {lacking[name]}"
    first = min(day for task in tasks for day in task.cutoffs)
    enough = known.where(known.day == first)
    columns = basis.columns_of(enough, params)
    if len(columns) < params.fewest_columns:
        return f"{len(columns)} categories and windows are bought often enough, and {params.fewest_columns} are needed"
    return ""


def _never(one: str, other: str) -> Any:
    raise KeyError((one, other))  # a single recipe is never compared


def _split(found: Trial, params: VectorParams) -> str:
    judged = sorted({day for task in found.tasks if task.name in found.deciding for day in task.plan.judged})
    chosen = ", ".join(f"{recipe.replace('_', ' ')} {count}" for recipe, count in found.counts.items())
    return (
        f"Judged at {len(judged)} cut-offs, {day_of(judged[0])} to {day_of(judged[-1])}, by the same logistic "
        "regression of RFM and of the vector; regression and dimensions were fitted before each on cut-offs whose "
        f"window was over by then. Dimensions, chosen on earlier cut-offs: {chosen}. Intervals: {params.resamples} "
        "draws of customers, paired. The model kept is fitted on all cut-offs."
    )


def _fit(kept: _Kept, recipe: str) -> tracking.Fit:
    model, metrics, params = kept.models[recipe], kept.metrics[recipe], kept.params
    fingerprint = _fingerprint(kept, recipe)
    by_dimension = told.dimensions(model, params) if "correlations" in model else []
    by_task = told.by_task(kept.trial, kept.metrics) if kept.trial else []
    # Of RFM, too, the dimensions of the best that lost are told: what was tried stays visible.
    shown = by_dimension or _best_tried(kept)
    rounded = {
        name: model[name] if isinstance(model[name], list) else model[name].round(params.decimals).tolist()
        for name in ("means", "deviations", "loadings")
    }
    said = {
        "target": TARGET,
        "recipe": recipe,
        "training_as_of": str(kept.run.as_of),
        "fingerprint": fingerprint,
        "windows": list(params.windows),
        "figures": model["figures"],
        "columns": model["columns"],
        "clip": params.clip,
        "decimals": params.decimals,
        **rounded,
        "dimensions": by_dimension,
        "report": {
            "recipe": recipe,
            "metrics": {name: value for name, value in metrics.items() if "with_rfm" not in name},
            "judged_by": "auc",
            "baseline": {"name": RFM, "said": _BASELINE},
            "split": kept.split,
            "notes": list(_NOTES),
            "promotion": kept.decision.reason,
            "tried": [
                {"recipe": name, "metrics": dict(one), "outcome": kept.decision.outcome(name)}
                for name, one in kept.metrics.items()
                if one
            ],
            "by_task": by_task,
            "by_dimension": shown,
        },
    }
    cost = kept.trial.cost[recipe] if kept.trial else None
    costs = {"fit_seconds": round(cost.seconds, 2)} if cost else {}
    costs |= {"fit_memory_mb": cost.memory_mb} if cost and cost.memory_mb is not None else {}
    tables: dict[str, Any] = {"by_task": by_task, "by_dimension": by_dimension}
    tables["numbers_tried"] = [row for row in kept.trial.tried if row["recipe"] == recipe] if kept.trial else []
    return tracking.Fit(
        target=TARGET,
        algorithm=_ALGORITHMS[recipe],
        recipe=recipe,
        description=_DESCRIPTION,
        baseline=_BASELINE,
        split=kept.split,
        fingerprint=fingerprint,
        as_of=str(kept.run.as_of),
        parameters={
            "as_of": str(kept.run.as_of),
            "known_at": str(kept.run.known_at),
            "data_hash": kept.data,
            "column_count": len(model["figures"]) + len(model["columns"]),
            "penalty": params.scores.penalty,
            **{
                name: ", ".join(map(str, value)) if isinstance(value, tuple) else value
                for name, value in asdict(params).items()
            },
        },
        metrics={**metrics, **costs},
        notes=_NOTES,
        model_code=_CODE,
        model_files={"model.json": json.dumps(said, indent=1, sort_keys=True) + "\n"},
        signature=_signature(model),
        pip_requirements=tracking.pinned(*_NEEDS),
        tables={name: rows for name, rows in tables.items() if rows},
        pictures={"gain": plots.gains([row for row in by_task if row["recipe"] == recipe])} if by_dimension else {},
    )


def _best_tried(kept: _Kept) -> list[dict[str, Any]]:
    others = [recipe for recipe in kept.models if recipe != RFM]
    if not others:
        return []
    best = max(others, key=lambda recipe: kept.metrics[recipe]["auc"])
    return told.dimensions(kept.models[best], kept.params)


def _signature(model: Mapping[str, Any]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    names = [one["name"] for one in model["figures"]] + [portable.name_of(one) for one in model["columns"]]
    given: list[Any] = [ColSpec(DataType.string, "customer_id", required=False)]  # a schema must not be empty
    given += [ColSpec(DataType.double, name, required=False) for name in names]
    answered: list[Any] = [ColSpec(DataType.long, "dimension_count")]
    answered += [ColSpec(DataType.double, f"dimension_{place + 1}") for place in range(len(model["loadings"]))]
    return ModelSignature(Schema(given), Schema(answered))


def _hash(known: Known, tasks: Sequence[Task]) -> str:
    """Hash of all that is learned from."""
    digest = hashlib.sha256(json.dumps([known.columns, list(known.customers)]).encode())
    for values in (known.day, known.figures.to_numpy(float), known.counts.data, known.counts.indices):
        digest.update(values.tobytes())
    for task in tasks:
        digest.update(json.dumps([task.name, list(task.cutoffs)]).encode() + task.label.tobytes())
    return f"{len(known.day)}:{digest.hexdigest()[:16]}"


def _fingerprint(kept: _Kept, recipe: str) -> str:
    """Hash of inputs, parameters and code: equal for the same fit in another home."""
    parts = {
        "target": TARGET,
        "recipe": recipe,
        "data": kept.data,
        "params": [asdict(kept.params), asdict(kept.params.scores)],
        "code": code_hash(kept.settings.project, ("spark_jobs", "src/huaxiang/judging")),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
