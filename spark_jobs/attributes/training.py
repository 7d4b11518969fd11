"""Try to infer every attribute: fit, judge, keep the majority and the regression as runs, promote where one is better.

The baseline says of everybody the commonest value, which is no knowledge of a person: where it wins, nothing is said.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.tracking.promotion import Decision, Interval, judging
from spark_jobs.attributes import inference, inputs, judge, plots
from spark_jobs.attributes.judge import Verdict
from spark_jobs.attributes.params import AttributeParams

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from mlflow.models import ModelSignature

    Array = np.ndarray

TARGET = "attributes"
MAJORITY, LOGISTIC = "majority", "logistic"
_ALGORITHMS = {MAJORITY: "commonest value", LOGISTIC: "logistic regression"}
_CODE = Path(__file__).parent
_NEEDS = ("mlflow", "numpy", "pandas")
_DESCRIPTION = (
    "What customers who declared an attribute tell of those who did not: a value is published only where it is surely "
    "righter than always saying the commonest one, and sure enough of the customer. Baseline: the commonest value, "
    "said of everybody; where it wins, nothing is said."
)
_BASELINE = "the commonest value, said of everybody"


@dataclass(frozen=True)
class Tried:
    """An attribute that was tried: its values in order of name, what became of it, and the regression on all rows."""

    name: str
    values: tuple[str, ...]
    shares: tuple[float, ...]
    verdict: Verdict
    fitted: inference.Classifier
    customers: tuple[str, ...]
    codes: Array


def train(
    settings: Settings,
    run: Run,
    log: StepLog,
    figures: pd.DataFrame,
    bought: inputs.Bought,
    declared: pd.DataFrame,
    params: AttributeParams,
) -> tracking.Version | None:
    """Returns the new version, None where the champion stays. A home where too little is declared gets the baseline."""
    began = time.perf_counter()
    places = _learned_from(declared, params)
    figures, declared = figures.iloc[places], declared.iloc[places]
    frame, points = _measured(figures, bought, params)
    asked = [name for name in params.attributes if name in declared.columns]
    rows = {name: known for name in asked if (known := _known(declared[name], params)) is not None}
    tried = [_tried(name, *known, figures, points, len(rows), params) for name, known in rows.items()]
    champion = tracking.incumbent(settings, TARGET)
    metrics = {MAJORITY: _metrics(tried, MAJORITY)}
    if tried:
        metrics[LOGISTIC] = _metrics(tried, LOGISTIC)
    gain = _gain(tried)
    judged = judging(
        {recipe: found.get("accuracy", 0.0) for recipe, found in metrics.items()},
        lambda one, _: gain if one == LOGISTIC else Interval(-gain.value, -gain.high, -gain.low),
        MAJORITY,
    )
    decision = judged.decide(champion.recipe if champion else None)
    seconds = round(time.perf_counter() - began, 2)
    fits = [_fit(settings, run, recipe, frame, tried, metrics, decision, seconds, params) for recipe in metrics]
    columns = {one["name"] for one in frame["figures"]}
    must_replace = False
    if champion is not None:
        known = json.loads(tracking.model_file(settings, champion, "model.json"))
        must_replace = not {one["name"] for one in known["figures"]} <= columns
    version, outcome = tracking.record_all(
        settings, fits, decision, judged_by="accuracy", must_replace=must_replace, judging=judged, columns=columns
    )
    inferred = ", ".join(one.name for one in tried if one.verdict.is_inferred) or "none"
    became = tracking.in_words(version, outcome)
    log.progress(f"attributes: {len(tried)} tried, to be inferred: {inferred}; {became}")
    return version


def _learned_from(declared: pd.DataFrame, params: AttributeParams) -> Array:
    """Positions of at most `customers` who declared something and as many of all, so that memory has a bound."""
    import numpy as np

    ids = declared.index.to_numpy()
    some = np.flatnonzero(declared.notna().any(axis=1).to_numpy())
    found: Array = np.union1d(
        some[inputs.drawn(ids[some], params.customers)], inputs.drawn(ids, params.customers)
    ).astype(int)
    return found


def _known(said: pd.Series, params: AttributeParams) -> tuple[Array, Array, tuple[str, ...], Array] | None:
    """Positions of customers who declared, and of those who did not; the values that enough declared, and each one's.

    None where too few declared.
    """
    import numpy as np
    import pandas as pd

    counts = said.value_counts()
    values = tuple(sorted(str(value) for value, count in counts.items() if count >= params.fewest_of_value))
    places = np.flatnonzero(said.isin(values).to_numpy())
    if len(values) < 2 or len(places) < params.fewest_declared:
        return None
    places = places[inputs.drawn(said.index.to_numpy()[places], params.customers)]
    codes = pd.Categorical(said.iloc[places], list(values)).codes.astype(int)
    others = np.flatnonzero(said.isna().to_numpy())
    others = others[inputs.drawn(said.index.to_numpy()[others], params.customers)]
    return places, others, values, codes


def _tried(
    name: str,
    places: Array,
    others: Array,
    values: tuple[str, ...],
    codes: Array,
    figures: pd.DataFrame,
    points: Array,
    tried: int,
    params: AttributeParams,
) -> Tried:
    import numpy as np

    mine = points[places]
    likeness = judge.likeness(points, places, others, params)
    verdict = judge.verdict(judge.trial(mine, codes, len(values), params), tried, params, likeness)
    return Tried(
        name=name,
        values=values,
        shares=tuple(np.round(np.bincount(codes, minlength=len(values)) / len(codes), params.decimals).tolist()),
        verdict=verdict,
        fitted=inference.fit(mine, codes, len(values), params),
        customers=tuple(figures["customer_id"].to_numpy()[places]),
        codes=codes,
    )


def _measured(figures: pd.DataFrame, bought: inputs.Bought, params: AttributeParams) -> tuple[dict[str, Any], Array]:
    """What a model says of its inputs, and everybody's standardised inputs."""
    import numpy as np

    from spark_jobs.attributes import portable

    categories = inputs.common_categories(bought, len(figures), params)
    names = [name for name in figures.columns if name != "customer_id" and figures[name].notna().any()]
    orders = bought.table(figures["customer_id"].to_numpy(), categories)
    frame: dict[str, Any] = {
        "figures": [{"name": name, "typical": round(float(figures[name].median()), params.decimals)} for name in names],
        "categories": list(categories),
        "clip": float("inf"),
        "means": [0.0] * (len(names) + len(categories)),
        "deviations": [1.0] * (len(names) + len(categories)),
    }
    values = portable.points(frame, figures, orders)
    means, deviations = values.mean(axis=0).round(params.decimals), values.std(axis=0).round(params.decimals)
    frame |= {
        "means": means.tolist(),
        "deviations": np.where(deviations > 0, deviations, 1.0).tolist(),
        "clip": params.clip,
    }
    return frame, portable.points(frame, figures, orders)


def _metrics(tried: list[Tried], recipe: str) -> dict[str, float]:
    """`accuracy` is the mean over the attributes of what is published: the regression's where it is inferred."""
    found: dict[str, float] = {}
    if not tried:
        return found
    model = [one.verdict.metrics for one in tried]
    used = ["accuracy" if recipe == LOGISTIC and one.verdict.is_inferred else "baseline_accuracy" for one in tried]
    found |= _mean([_interval(said, name) for said, name in zip(model, used, strict=True)]).figures("accuracy")
    found |= _mean([_interval(said, "baseline_accuracy") for said in model]).figures("baseline_accuracy")
    found |= (_gain(tried) if recipe == LOGISTIC else Interval(0.0, 0.0, 0.0)).figures("accuracy_gain")
    for one, said in zip(tried, model, strict=True):
        for figure in ("accuracy", "log_loss"):
            name, baseline = f"{figure}_of_{one.name}", _interval(said, f"baseline_{figure}")
            is_model = recipe == LOGISTIC
            found |= (_interval(said, figure) if is_model else baseline).figures(name)
            found |= baseline.figures(f"baseline_{name}")
            found |= (_interval(said, f"{figure}_gain") if is_model else Interval(0, 0, 0)).figures(f"{name}_gain")
    return found


def _gain(tried: list[Tried]) -> Interval:
    """What the published values gain over the majority, on the mean over attributes; its bounds hold jointly."""
    gains = [
        _interval(one.verdict.metrics, "accuracy_gain") if one.verdict.is_inferred else Interval(0.0, 0.0, 0.0)
        for one in tried
    ]
    return _mean(gains) if gains else Interval(0.0, 0.0, 0.0)


def _mean(intervals: list[Interval]) -> Interval:
    count = len(intervals)
    return Interval(
        round(sum(one.value for one in intervals) / count, 6),
        round(sum(one.low for one in intervals) / count, 6),
        round(sum(one.high for one in intervals) / count, 6),
    )


def _interval(said: Mapping[str, float], name: str) -> Interval:
    return Interval(said[name], said[f"{name}_low"], said[f"{name}_high"])


# What is kept.


def _fit(
    settings: Settings,
    run: Run,
    recipe: str,
    frame: Mapping[str, Any],
    tried: list[Tried],
    metrics: Mapping[str, Mapping[str, float]],
    decision: Decision,
    seconds: float,
    params: AttributeParams,
) -> tracking.Fit:
    data = _hash(frame, tried)
    fingerprint = _fingerprint(settings, recipe, data, params)
    notes, split = _notes(tried), _split(tried, params)
    table = [_row(one) for one in tried]
    used = any(one.verdict.is_inferred for one in tried) and recipe == LOGISTIC
    model = {
        "target": TARGET,
        "recipe": recipe,
        "training_as_of": str(run.as_of),
        "fingerprint": fingerprint,
        "least_confidence": params.least_confidence,
        # Of a model that infers nothing nothing is kept that it would need.
        **(frame if used else {**frame, "figures": [], "categories": [], "means": [], "deviations": []}),
        "attributes": [_told(one, recipe, params) for one in tried],
        "report": {
            "recipe": recipe,
            "metrics": {name: value for name, value in metrics[recipe].items() if "log_loss" not in name},
            "judged_by": "accuracy",
            "baseline": {"name": MAJORITY, "said": _BASELINE},
            "split": split,
            "notes": list(notes),
            "tried": [
                {"recipe": name, "metrics": dict(found), "outcome": decision.outcome(name)}
                for name, found in metrics.items()
            ],
            "by_attribute": table,
        },
    }
    return tracking.Fit(
        target=TARGET,
        algorithm=_ALGORITHMS[recipe],
        recipe=recipe,
        description=_DESCRIPTION,
        baseline=_BASELINE,
        split=split,
        fingerprint=fingerprint,
        as_of=str(run.as_of),
        parameters={
            "as_of": str(run.as_of),
            "known_at": str(run.known_at),
            "data_hash": data,
            "figure_count": len(frame["figures"]),
            "category_count": len(frame["categories"]),
            **{
                name: ", ".join(map(str, value)) if isinstance(value, tuple) else value
                for name, value in asdict(params).items()
            },
        },
        metrics={**metrics[recipe], "fit_seconds": seconds if recipe == LOGISTIC else 0.0},
        notes=notes,
        model_code=_CODE / "portable.py",
        model_files={"model.json": json.dumps(model, indent=1, sort_keys=True) + "\n"},
        signature=_signature(frame if used else {"figures": [], "categories": []}, tried),
        pip_requirements=tracking.pinned(*_NEEDS),
        tables={
            "by_attribute": table,
            "reliability": {one.name: one.verdict.reliability for one in tried},
        },
        pictures={"gain": plots.gains(table)} if table else {},
    )


def _told(one: Tried, recipe: str, params: AttributeParams) -> dict[str, Any]:
    is_inferred = recipe == LOGISTIC and one.verdict.is_inferred
    weights = one.fitted.weights.round(params.decimals).tolist() if is_inferred else []
    return {
        "name": one.name,
        "values": list(one.values),
        "shares": list(one.shares),
        "is_inferred": is_inferred,
        "reason": one.verdict.reason,
        "weights": weights,
        "intercepts": one.fitted.intercepts.round(params.decimals).tolist() if is_inferred else [],
        "temperature": one.fitted.temperature,
    }


def _row(one: Tried) -> dict[str, Any]:
    return {
        "attribute": one.name,
        "values": len(one.values),
        **one.verdict.metrics,
        "is_inferred": one.verdict.is_inferred,
        "reason": one.verdict.reason,
    }


def _notes(tried: list[Tried]) -> tuple[str, ...]:
    notes = [
        "those who declared are other customers than the rest: what holds among them need not hold of all",
        "what is sensitive is never inferred, nor are purchases looked at that say too much of a person",
        "an attribute with no sure gain stays unknown; that it was tried and lost is shown all the same",
        "the log loss is better when lower",
    ]
    return (*notes, *(f"{one.name.replace('_', ' ')}: {one.verdict.reason}" for one in tried))


def _split(tried: list[Tried], params: AttributeParams) -> str:
    if not tried:
        return f"No attribute is declared by {params.fewest_declared} customers with two values or more."
    return (
        f"Each customer who declared is judged by fits that did not see them: {params.folds} folds, {params.repeats} "
        f"times. Intervals: {params.resamples} draws of customers, for {len(tried)} attributes together at 95 %."
    )


def _signature(frame: Mapping[str, Any], tried: list[Tried]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    names = [one["name"] for one in frame["figures"]] + [f"category:{name}" for name in frame["categories"]]
    given: list[Any] = [ColSpec(DataType.string, "customer_id", required=False)]  # a schema must not be empty
    given += [ColSpec(DataType.double, name, required=False) for name in names]
    answered: list[Any] = [ColSpec(DataType.long, "inferred_count")]
    answered += [
        column
        for one in tried
        if one.verdict.is_inferred
        for column in (ColSpec(DataType.string, one.name), ColSpec(DataType.double, f"{one.name}_confidence"))
    ]
    return ModelSignature(Schema(given), Schema(answered))


def _hash(frame: Mapping[str, Any], tried: list[Tried]) -> str:
    """Hash of all that is learned from."""
    digest = hashlib.sha256(json.dumps(frame, sort_keys=True).encode())
    for one in tried:
        digest.update(json.dumps([one.name, one.values, one.customers, one.codes.tolist()]).encode())
        digest.update(one.fitted.weights.round(4).tobytes())
    return digest.hexdigest()[:16]


def _fingerprint(settings: Settings, recipe: str, data: str, params: AttributeParams) -> str:
    """Hash of inputs, parameters and code: equal for the same fit in another home."""
    parts = {
        "target": TARGET,
        "recipe": recipe,
        "data": data,
        "params": asdict(params),
        "code": code_hash(settings.project, ("spark_jobs",)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
