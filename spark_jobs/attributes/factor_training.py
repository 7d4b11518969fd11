"""Find the behavioural lifestyle factors, judge how surely they come back, keep the fit as a run, promote it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.judging.resampling import Replicates
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.tracking.promotion import Interval
from spark_jobs.attributes import factors, inputs, plots
from spark_jobs.attributes.params import AttributeParams

if TYPE_CHECKING:
    import numpy as np
    from mlflow.models import ModelSignature

    Array = np.ndarray

TARGET = "lifestyle_factors"
RECIPE = "nmf"
_CODE = Path(__file__).parent
_NEEDS = ("mlflow", "numpy", "pandas")
_DESCRIPTION = (
    "Behavioural lifestyle factors: groups of categories that the same customers buy, by non-negative matrix "
    "factorisation. No claim about personality, values or attitudes is made: a factor says what is bought together by "
    "a customer, and nothing else. Baseline: the same done to categories shuffled among customers."
)
_BASELINE = "the same factorisation of categories shuffled among customers, each by itself"
_NOTES = (
    "a behavioural lifestyle factor says what is bought; no claim about personality, values or attitudes is made",
    "categories that tell of health, alcohol, tobacco, babies, intimacy, religion or origin are not looked at",
    "a factor that does not come back in random halves of the customers is not published",
    "names are the first categories of a factor; another training may number and name factors anew",
)


def train(
    settings: Settings, run: Run, log: StepLog, bought: inputs.Bought, params: AttributeParams
) -> tracking.Version | None:
    """Returns the new version, None where the champion stays. A home with too few categories gets no factors."""
    import numpy as np

    began = time.perf_counter()
    everybody = np.array(bought.customers, dtype=object)
    categories = inputs.common_categories(bought, len(everybody), params)
    orders = bought.table(everybody, categories)
    enough = np.flatnonzero(orders.sum(axis=1) >= params.fewest_purchases)
    enough = enough[inputs.drawn(everybody[enough], params.factor_customers)]
    orders = orders[enough]
    is_enough = len(categories) >= params.fewest_categories and len(orders) >= params.fewest_factor_customers
    found = factors.find(orders, params) if is_enough else None
    told = _told(found, categories, params) if found else []
    metrics = _metrics(found, told) if found else {}
    digest = hashlib.sha256(json.dumps([list(categories), everybody[enough].tolist()]).encode() + orders.tobytes())
    data = f"{len(orders)}:{digest.hexdigest()[:16]}"
    record = _fit(
        settings,
        run,
        categories if found else (),
        found,
        told,
        {**metrics, "fit_seconds": round(time.perf_counter() - began, 2)},
        data,
        len(orders),
        params,
    )
    version, outcome = tracking.record(settings, record, judged_by="explained_share")
    stable = sum(one["is_published"] for one in told)
    log.progress(f"lifestyle factors: {stable} of {len(told)} are stable; {tracking.in_words(version, outcome)}")
    return version


def _told(found: factors.Factors, categories: tuple[str, ...], params: AttributeParams) -> list[dict[str, Any]]:
    import numpy as np

    told = []
    for place, loadings in enumerate(found.loadings):
        first = np.argsort(-loadings, kind="stable")[: params.told_categories]
        top = [
            {"category": categories[one], "weight": round(float(loadings[one]), params.decimals)}
            for one in first
            if loadings[one] > 0
        ]
        stability, share = float(found.stability[place]), float(found.found_share[place])
        told.append(
            {
                "factor": place + 1,
                "name": ", ".join(one["category"].lower() for one in top[:3]),
                "stability": round(stability, params.decimals),
                "found_share": round(share, params.decimals),
                "baseline_stability": round(float(np.median(found.baseline_phis[:, place])), params.decimals),
                "is_published": stability >= params.least_phi and share >= params.least_found,
                "top": top,
                "loadings": loadings.round(params.decimals).tolist(),
            }
        )
    return told


def _metrics(found: factors.Factors, told: list[dict[str, Any]]) -> dict[str, float]:
    """Over the splits: mean phi of all factors, and the share of the other half's purchases that is explained."""
    pairs = {
        "tucker_phi": (found.phis.mean(axis=1), found.baseline_phis.mean(axis=1)),
        "explained_share": (found.explained, found.baseline_explained),
    }
    metrics: dict[str, float] = {}
    for name, (model, baseline) in pairs.items():
        metrics |= _over_splits(model).figures(name)
        metrics |= _over_splits(baseline).figures(f"baseline_{name}")
        metrics |= _over_splits(model - baseline).figures(f"{name}_gain")
    return metrics | {
        "factors": float(len(told)),
        "factors_published": float(sum(one["is_published"] for one in told)),
    }


def _over_splits(values: Array) -> Interval:
    return Replicates(float(values.mean()), values).interval()


def _fit(
    settings: Settings,
    run: Run,
    categories: tuple[str, ...],
    found: factors.Factors | None,
    told: list[dict[str, Any]],
    metrics: Mapping[str, float],
    data: str,
    customers: int,
    params: AttributeParams,
) -> tracking.Fit:
    fingerprint = _fingerprint(settings, data, params)
    split = (
        f"The number of factors was chosen on {params.splits} random halvings of {customers:,} customers, and each "
        f"factor judged on {params.judged_splits} others. Intervals: over those."
        if found
        else f"Too few customers or categories for factors: {params.fewest_factor_customers} customers with "
        f"{params.fewest_purchases} purchases of {params.fewest_categories} categories are needed."
    )
    by_factor = [
        {name: one[name] for name in ("factor", "name", "stability", "found_share", "baseline_stability")}
        | {"is_published": one["is_published"], "categories": [top["category"] for top in one["top"]]}
        for one in told
    ]
    model = {
        "target": TARGET,
        "recipe": RECIPE,
        "training_as_of": str(run.as_of),
        "fingerprint": fingerprint,
        "fewest_purchases": params.fewest_purchases,
        "categories": list(categories),
        "rarity": found.rarity.round(params.decimals).tolist() if found else [],
        "factors": told,
        "report": {
            "recipe": RECIPE,
            "metrics": dict(metrics),
            "judged_by": "explained_share",
            "baseline": {"name": "shuffled", "said": _BASELINE},
            "split": split,
            "notes": list(_NOTES),
            "tried": [{"recipe": RECIPE, "metrics": dict(metrics), "outcome": "won"}] if found else [],
            "by_factor": by_factor,
            "numbers_tried": list(found.tried) if found else [],
        },
    }
    return tracking.Fit(
        target=TARGET,
        algorithm="non-negative matrix factorisation",
        recipe=RECIPE,
        description=_DESCRIPTION,
        baseline=_BASELINE,
        split=split,
        fingerprint=fingerprint,
        as_of=str(run.as_of),
        parameters={
            "as_of": str(run.as_of),
            "known_at": str(run.known_at),
            "data_hash": data,
            "category_count": len(categories),
            **{
                name: ", ".join(map(str, value)) if isinstance(value, tuple) else value
                for name, value in asdict(params).items()
            },
        },
        metrics=metrics,
        notes=_NOTES,
        model_code=_CODE / "portable_factors.py",
        model_files={"model.json": json.dumps(model, indent=1, sort_keys=True) + "\n"},
        signature=_signature(categories, told),
        pip_requirements=tracking.pinned(*_NEEDS),
        tables={"by_factor": by_factor, "numbers_tried": list(found.tried) if found else []},
        pictures={"stability": plots.stability(by_factor, params.least_phi)} if by_factor else {},
    )


def _fingerprint(settings: Settings, data: str, params: AttributeParams) -> str:
    """Hash of inputs, parameters and code: equal for the same fit in another home."""
    parts = {
        "target": TARGET,
        "data": data,
        "params": asdict(params),
        "code": code_hash(settings.project, ("spark_jobs",)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _signature(categories: tuple[str, ...], told: list[dict[str, Any]]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    given: list[Any] = [ColSpec(DataType.string, "customer_id", required=False)]  # a schema must not be empty
    given += [ColSpec(DataType.double, name, required=False) for name in categories]
    answered: list[Any] = [ColSpec(DataType.string, "leading_factor")]
    answered += [ColSpec(DataType.double, f"factor_{one['factor']}") for one in told]
    return ModelSignature(Schema(given), Schema(answered))
