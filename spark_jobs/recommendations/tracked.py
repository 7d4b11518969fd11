"""What MLflow keeps of a training: a run per recipe, each with a model that can be served."""

from __future__ import annotations

import hashlib
import json
import resource
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.settings import Run, Settings
from huaxiang.tracking.fits import MEASURED
from huaxiang.tracking.promotion import Decision, judging
from spark_jobs.recommendations import plots, serving, training
from spark_jobs.recommendations.judging import BASELINES, BLEND, HYBRID
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.training import Report, Training

TARGETS = {"any": "recommend_any", "new": "recommend_new"}
FORMAT = 4  # of the model's files
_WHAT = {
    "any": "Ten products a customer will most likely buy in the next 28 days, of all products",
    "new": "Ten products a customer will most likely buy for the first time in the next 28 days",
}
BASELINE_SQL = {
    "any": "select product_id from purchases where customer_id = ? group by 1 "
    "order by count(*) desc, max(ordered_on) desc, 1 limit 10",
    "new": "select product_id from purchases where ordered_on > as_of - 91 and product_id not in (those of customer ?) "
    "group by 1 order by count(distinct customer_id) desc, 1 limit 10",
}
_BASELINE_WORDS = {
    "any": "own_history: what the customer bought in most orders so far",
    "new": "popularity: what most customers bought in the last 91 days, without what this customer ever bought",
}
_ONLY_MEASURED = (
    "measured only: it answers from other customers' purchases, so a model of it would hold them, and none is kept"
)
_ALGORITHMS = {
    BLEND: "blend of ALS, item-based, own history and popularity",
    HYBRID: "hist-gradient-boosting over all components",
}


def record(
    settings: Settings, run: Run, inputs_hash: str, trained: Training, task: str, params: RecommendationParams
) -> tuple[Decision, tracking.Version | None, str]:
    """Keep every recipe of a task as a run and let the best one score, by `promotion.decide`."""
    report = trained.reports[task]
    now = tracking.incumbent(settings, TARGETS[task])
    quality = {name: found.value for name, found in report.quality().items()}
    judged = judging(quality, report.difference, BASELINES[task])
    decision = judged.decide(now.recipe if now else None)
    said = _report(run, report, decision, params)
    names = sorted(report.recipes, key=lambda name: name != decision.winner)  # so that it gets the lower version number
    fits = [
        _fit(settings, run, inputs_hash, trained, task, name, decision, said, params)
        for name in (*names, *report.measured)
    ]
    cannot_score = now is not None and not can_score(settings, now)
    version, outcome = tracking.record_all(
        settings, fits, decision, _judged_by(params), must_replace=cannot_score, judging=judged
    )
    return decision, version, outcome


def can_score(settings: Settings, version: tracking.Version) -> bool:
    """Whether the version's files are such as this code reads."""
    try:
        return json.loads(tracking.model_file(settings, version, "recipe.json")).get("format") == FORMAT
    except OSError:
        return False


def _fit(
    settings: Settings,
    run: Run,
    inputs_hash: str,
    trained: Training,
    task: str,
    name: str,
    decision: Decision,
    said: Mapping[str, Any],
    params: RecommendationParams,
) -> tracking.Fit:
    report = trained.reports[task]
    weights = report.recipes.get(name, {})
    found = report.metrics(name)
    is_candidate = name in report.recipes
    fingerprint = _fingerprint(settings, run, inputs_hash, task, name, params)
    recipe = {
        "format": FORMAT,
        "task": task,
        "recipe": name,
        "weights": dict(weights),
        "settings": training.settings_of(params),
        "top": params.top,
        "fingerprint": fingerprint,
        "training_as_of": str(run.as_of),
        "report": {**said, "metrics": {**found, "customers": report.customers}},
    }
    return tracking.Fit(
        target=TARGETS[task],
        algorithm=_ALGORITHMS.get(name, name.replace("_", "-")),
        description=f"{_WHAT[task]}. Judged by NDCG at {params.top} over all products known by the cut-off.",
        recipe=name,
        baseline=_BASELINE_WORDS[task],
        split=said["split"],
        fingerprint=fingerprint,
        as_of=str(run.as_of),
        parameters=_parameters(run, inputs_hash, weights, params),
        metrics={
            **found,
            "customers": float(report.customers),
            "fit_seconds": round(_seconds(trained, name, weights), 2),
            "peak_mb": round(_peak_mb(), 1),
        },
        notes=(*said["notes"], *([] if is_candidate else [_ONLY_MEASURED])),
        model_code=serving.CODE if is_candidate else None,
        model_files=serving.files(
            recipe, trained.products.parts(weights), trained.hybrids[task] if name == HYBRID else None
        )
        if is_candidate
        else {},
        signature=serving.signature() if is_candidate else None,
        pip_requirements=serving.requirements(name == HYBRID) if is_candidate else (),
        tables={"tried": said["tried"]} | ({"weights_tried": report.weights_tried} if name == BLEND else {}),
        series={"hr_at": dict(enumerate(report.curves[name], start=1))},
        pictures=_pictures(trained, report, decision.winner) if name == decision.winner else {},
    )


def _report(run: Run, report: Report, decision: Decision, params: RecommendationParams) -> dict[str, Any]:
    """What the card says of the training, the same for every recipe."""
    (tuning, *earlier), reporting = training.cut_offs(run.as_of, params)
    return {
        "baseline": {
            "name": BASELINES[report.task],
            "words": _BASELINE_WORDS[report.task],
            "sql": BASELINE_SQL[report.task],
        },
        "split": f"Weights tuned on what was bought after {tuning} up to {reporting}, learned from the days up to "
        f"{tuning}, the hybrid's also on the windows after {', '.join(map(str, earlier))} where there are enough "
        f"purchases before; figures are of what was bought after {reporting} up to {run.as_of}, learned from the days "
        f"up to {reporting}; the model that scores learned from all days up to {run.as_of}.",
        "notes": _notes(report, params),
        "promotion": decision.reason,
        "tried": [
            {
                "recipe": name,
                "weights": dict(report.recipes.get(name, {})),
                "metrics": report.metrics(name),
                "outcome": MEASURED if name in report.measured else decision.outcome(name),
            }
            for name in (*report.recipes, *report.measured)
        ],
    }


def _notes(report: Report, params: RecommendationParams) -> list[str]:
    bought = "anything" if report.task == "any" else "something they had never bought"
    return [
        f"{report.customers:,} customers are judged: those who bought {bought} in the {params.window_days} days",
        "a product first sold in those days cannot be recommended and counts as missed",
        "these categories are never recommended, by no recipe: " + ", ".join(params.excluded_categories),
        "likely to be bought is not the same as bought because it was recommended: only a test with a control group "
        "can tell",
    ]


def _pictures(trained: Training, report: Report, winner: str) -> dict[str, Any]:
    seconds = {name: _seconds(trained, name, weights) for name, weights in report.recipes.items()}
    curves = {name: report.curves[name] for name in report.recipes}
    rows = ("als", "popularity") if report.task == "any" else ("item_based", "popularity")
    return {
        "quality_against_seconds": plots.quality_against_seconds(
            report.quality(), seconds, winner, f"NDCG at {report.k}"
        ),
        "hit_rate_by_length": plots.hit_rate_by_length(curves, winner),
        "weights_tried": plots.weights_tried(report.weights_tried, *rows),
    }


def _seconds(trained: Training, name: str, weights: Mapping[str, float]) -> float:
    """What a recipe with these weights takes to fit: counting, and the parts it looks at; the hybrid's earlier windows
    too, with all that was fitted and ranked in them. One that is only measured: what its lists took."""
    if not weights:
        return trained.seconds[name]
    looked_at = ["counts", *(part for part in ("als", "svd", "item_based", "ease") if weights.get(part))]
    return sum(trained.seconds[part] for part in (*looked_at, *([HYBRID] if name == HYBRID else [])))


def _fingerprint(
    settings: Settings, run: Run, inputs_hash: str, task: str, name: str, params: RecommendationParams
) -> str:
    """Hash of inputs, parameters and code: equal for the same fit in another home."""
    parts = {
        "purchases": inputs_hash,
        "as_of": str(run.as_of),
        "task": task,
        "recipe": name,
        "params": asdict(params),
        "code": code_hash(settings.project, ("spark_jobs/recommendations",)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _parameters(
    run: Run, inputs_hash: str, weights: Mapping[str, float], params: RecommendationParams
) -> dict[str, Any]:
    said = {name: ", ".join(map(str, v)) if isinstance(v, tuple) else v for name, v in asdict(params).items()}
    dates = {"as_of": str(run.as_of), "known_at": str(run.known_at), "purchases_hash": inputs_hash}
    return {**dates, **said, **{f"weight_{name}": value for name, value in weights.items()}}


def _judged_by(params: RecommendationParams) -> str:
    return f"ndcg_at_{params.top}"


def _peak_mb() -> float:
    """Peak memory of the driver's Python so far, in MiB (the kernel counts KiB on Linux, bytes on macOS)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
