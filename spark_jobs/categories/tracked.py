"""What MLflow keeps of a training: a run per recipe, each with a model that can be served."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.tracking.promotion import Decision, judging
from spark_jobs.categories import recipes
from spark_jobs.categories.judge import Judged
from spark_jobs.categories.params import CategoryParams
from spark_jobs.categories.recipes import BLEND, EASE, ITEM_BASED, POPULARITY, RECIPES, START_RATE, SVD, Fitted

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

TARGET = "recommend_category"
FORMAT = 1  # of the model's file
_CODE = Path(__file__).parent
_NEEDS = ("mlflow", "numpy", "pandas")
_ALGORITHMS = {
    POPULARITY: "popularity",
    START_RATE: "share of the others who started it of late",
    ITEM_BASED: "item-based cosine",
    SVD: "truncated SVD",
    EASE: "EASE",
    BLEND: "EASE with the start rate",
}
_DESCRIPTION = (
    "Ten categories a customer has never bought and will most likely start in the next 28 days. Categories that tell "
    "of health, alcohol, tobacco, babies, intimacy, religion or origin are neither recommended nor a reason."
)
_BASELINE = "popularity: what most customers bought in the last 91 days, without what this customer ever bought"
_BASELINE_SQL = (
    "select category from purchases where ordered_on > as_of - 91 and category not in (those of customer ?) "
    "group by 1 order by count(distinct customer_id) desc, 1 limit 10"
)


def record(
    settings: Settings, run: Run, log: StepLog, judged: Judged, fitted: Fitted, path: Path, params: CategoryParams
) -> tracking.Version | None:
    """Keep every recipe as a run and let the best one score, by `promotion.decide`. None where the champion stays."""
    now = tracking.incumbent(settings, TARGET)
    compared = judging({name: judged.ndcg(name) for name in RECIPES}, judged.difference, POPULARITY)
    decision = compared.decide(now.recipe if now else None)
    said = _report(run, judged, decision, params)
    inputs_hash = content_hash(path)
    fits = [_fit(settings, run, name, judged, fitted, decision, said, inputs_hash, params) for name in RECIPES]
    version, outcome = tracking.record_all(
        settings,
        fits,
        decision,
        _judged_by(params),
        must_replace=now is not None and not can_score(settings, now),
        judging=compared,
    )
    found = judged.metrics(decision.winner)
    log.progress(
        f"{TARGET}: {decision.winner}, HR@{params.top} {found[f'hr_at_{params.top}']:.4f}, baseline "
        f"{found[f'baseline_hr_at_{params.top}']:.4f}; {tracking.in_words(version, outcome)}"
    )
    return version


def can_score(settings: Settings, version: tracking.Version) -> bool:
    """Whether the version's file is such as this code reads."""
    try:
        return bool(json.loads(tracking.model_file(settings, version, "model.json")).get("format") == FORMAT)
    except OSError:
        return False


def _fit(
    settings: Settings,
    run: Run,
    name: str,
    judged: Judged,
    fitted: Fitted,
    decision: Decision,
    said: Mapping[str, Any],
    inputs_hash: str,
    params: CategoryParams,
) -> tracking.Fit:
    found = judged.metrics(name)
    links = recipes.links_of(name, fitted)
    of_popularity, of_start = recipes.weights(name, judged.start_weight)
    fingerprint = _fingerprint(settings, run, inputs_hash, name, params)
    model = {
        "format": FORMAT,
        "target": TARGET,
        "recipe": name,
        "training_as_of": str(run.as_of),
        "fingerprint": fingerprint,
        "categories": list(fitted.categories),
        "links": [] if links is None else links.tolist(),
        "popularity": fitted.rates.popularity.tolist(),
        "start_rate": fitted.rates.start_rate.tolist(),
        "popularity_weight": of_popularity,
        "start_weight": of_start,
        "top": params.top,
        "report": {
            **said,
            "recipe": name,
            "metrics": {**found, "customers": judged.customers},
            "by_cut_off": judged.by_cut_off(name),
        },
    }
    return tracking.Fit(
        target=TARGET,
        algorithm=_ALGORITHMS[name],
        recipe=name,
        description=_DESCRIPTION,
        baseline=_BASELINE,
        split=said["split"],
        fingerprint=fingerprint,
        as_of=str(run.as_of),
        parameters={
            "as_of": str(run.as_of),
            "known_at": str(run.known_at),
            "purchases_hash": inputs_hash,
            "category_count": len(fitted.categories),
            **({"start_weight": of_start} if name == BLEND else {}),
            **{key: ", ".join(map(str, one)) if isinstance(one, tuple) else one for key, one in asdict(params).items()},
        },
        metrics={**found, "customers": float(judged.customers), "fit_seconds": round(_seconds(name, fitted), 2)},
        notes=tuple(said["notes"]),
        model_code=_CODE / "portable.py",
        model_files={"model.json": json.dumps(model, sort_keys=True) + "\n"},
        signature=_signature(fitted.categories, params.top),
        pip_requirements=tracking.pinned(*_NEEDS),
        tables={
            "by_cut_off": judged.by_cut_off(name),
            **({"weights_tried": list(judged.weights_tried)} if name == BLEND else {}),
        },
    )


def _report(run: Run, judged: Judged, decision: Decision, params: CategoryParams) -> dict[str, Any]:
    """What the card says of the training, the same for every recipe."""
    return {
        "judged_by": _judged_by(params),
        "baseline": {"name": POPULARITY, "words": _BASELINE, "sql": _BASELINE_SQL},
        "split": f"Judged on what was started in the {params.window_days} days after "
        f"{', '.join(map(str, judged.judged_on))}, each time learned from the days up to then; the weight of the start "
        f"rate in the blend was tuned after {', '.join(map(str, judged.tuned_on))}. Intervals: {params.bootstraps} "
        f"draws of customers, each with all their cut-offs. The model that scores learned from all days up to "
        f"{run.as_of}.",
        "notes": [
            f"{judged.customers:,} customers are judged, at every cut-off those who had bought something by then and "
            "started a category after it",
            "categories that tell of health, alcohol, tobacco, babies, intimacy, religion or origin are neither "
            "recommended nor a reason, nor judged",
            "a category first sold after the cut-off, or bought by few, cannot be recommended and counts as missed",
            "likely to be started is not the same as started because it was recommended: only a test with a control "
            "group can tell",
        ],
        "promotion": decision.reason,
        "tried": [
            {"recipe": name, "metrics": judged.metrics(name), "outcome": decision.outcome(name)} for name in RECIPES
        ],
    }


def _seconds(name: str, fitted: Fitted) -> float:
    """What a recipe takes to fit: the rates, and its links."""
    return sum(fitted.seconds.get(part, 0.0) for part in (recipes.RATES, recipes.LINKED.get(name, "")))


def _signature(categories: tuple[str, ...], top: int) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    given: list[Any] = [ColSpec(DataType.double, name, required=False) for name in categories]
    answered: list[Any] = [ColSpec(DataType.string, f"category_{place}") for place in range(1, top + 1)]
    return ModelSignature(Schema(given), Schema(answered))


def _fingerprint(settings: Settings, run: Run, inputs_hash: str, name: str, params: CategoryParams) -> str:
    """Hash of inputs, parameters and code: equal for the same fit in another home."""
    parts = {
        "purchases": inputs_hash,
        "as_of": str(run.as_of),
        "recipe": name,
        "params": asdict(params),
        "code": code_hash(settings.project, ("spark_jobs",)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _judged_by(params: CategoryParams) -> str:
    return f"ndcg_at_{params.top}"
