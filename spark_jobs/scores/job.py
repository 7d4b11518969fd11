"""Train and score: where the family's inputs, recipes, judging, tracking and outputs come together.

The Spark session is given, and not used: what is fitted is one row per customer and cut-off (docs/decisions/0010).
"""

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
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.files import write_text
from huaxiang.promotion import Decision, judging
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from spark_jobs.scores import calibration, evaluate, examples, history, inputs, outputs, plots, portable, recipes
from spark_jobs.scores.evaluate import Trial
from spark_jobs.scores.examples import Examples
from spark_jobs.scores.params import ScoreParams
from spark_jobs.scores.recipes import Baseline

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature
    from pyspark.sql import SparkSession

CHURN, CATEGORY = "churn_28d", "category_28d"
TARGETS = (CHURN, CATEGORY)
MODEL_FILE, TREES_FILE = "model.json", "trees.skops"
_CODE = Path(__file__).parent
_NEEDS = ("mlflow", "numpy", "pandas")
_TREE_NEEDS = ("scikit-learn", "skops")


@dataclass(frozen=True)
class Target:
    """What is predicted, in words, and the one-line baseline that has to be beaten."""

    name: str
    description: str
    baseline: Baseline


_TARGETS = {
    CHURN: Target(
        CHURN,
        "How likely a customer is to place no order at all in the 28 days that follow. Baseline: the days since the "
        "last order, one line of SQL, made a probability.",
        Baseline("recency", "recency_days", "days since the last order, made a probability"),
    ),
    CATEGORY: Target(
        CATEGORY,
        "How likely a customer is to buy a category in the 28 days that follow, for the largest categories; one model "
        "over pairs of customer and category. Baseline: the customer's orders with the category so far, one line of "
        "SQL, made a probability.",
        Baseline("past_count", history.PAST_COUNT, "orders with the category so far, made a probability"),
    ),
}


def snapshot_days(as_of: date, params: ScoreParams | None = None) -> list[date]:
    """The cut-offs: every 28 days back from the last day whose following 28 days are known."""
    params = params or ScoreParams()
    return [as_of - timedelta(days=params.horizon_days * number) for number in range(params.cutoffs, 0, -1)]


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """What is fitted is one row per customer: it never does."""
    return False


def train(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: ScoreParams | None = None
) -> dict[str, tracking.Version | None]:
    """Fit all recipes of both targets, judge them walking forward in time, keep each as a run, promote by AUC.

    Returns the new version of each target, None where the champion stays. Raises HuaxiangError when there are too few
    cut-offs, MissingPartition where the training set is missing.
    """
    params = params or ScoreParams()
    features = inputs.read_features(
        inputs.input_path(settings, run, inputs.SNAPSHOTS), snapshot_days(run.as_of, params), params.customers
    )
    purchases = inputs.input_path(settings, run, inputs.PURCHASES)
    order_days = inputs.read_order_days(inputs.input_path(settings, run, inputs.CUSTOMER_DAYS))
    churn_rows = examples.churn(features, order_days, params)
    churn_cutoffs = _cutoffs(churn_rows, CHURN, run, params)

    first = _day(churn_cutoffs[0])  # chosen by what was known then, so that no judged day has a say in it
    categories = inputs.largest_categories(purchases, first, params)
    if not categories:
        raise HuaxiangError(f"scores: no purchase up to {first} names a category: a product catalogue is needed")
    rows = examples.category(features, inputs.read_category_days(purchases, categories), params)
    cutoffs = _cutoffs(rows, CATEGORY, run, params)
    # Both can be fitted: only now is anything registered, so that a home that lacks one is not trained anew every day.
    return {
        CHURN: _train(settings, run, log, _TARGETS[CHURN], churn_rows, churn_cutoffs, params),
        CATEGORY: _train(settings, run, log, _TARGETS[CATEGORY], rows, cutoffs, params),
    }


def score(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: ScoreParams | None = None
) -> None:
    """Score every customer of `as_of` with the champions of both targets.

    Writes `customer_scores.parquet` and a card per target. Raises HuaxiangError when there is no champion or it needs a
    feature that is not there.
    """
    params = params or ScoreParams()
    features = inputs.read_features(inputs.features_path(settings, run), [run.as_of])
    if features.empty:
        raise MissingPartition(f"scores: the features of {run.as_of} have no customer: is there data up to that day?")
    folder = settings.home.build(run.id) / "scores"
    parts, cards = [], {}
    for target in TARGETS:
        champion = tracking.champion(settings, target)
        if champion is None:
            raise HuaxiangError(
                f"scores: no model of {target} has been trained yet: run 'huaxiang train --as-of {run.as_of}'"
            )
        model = json.loads(tracking.model_file(settings, champion, MODEL_FILE))
        _require(model, champion, set(features.columns), run)
        frame = _to_score(settings, run, target, model, features, params)
        trees = None
        if model["kind"] == "trees":
            trees = portable.load_trees(tracking.model_path(settings, champion, TREES_FILE).read_bytes())
        answers = portable.answers(model, frame, trees)
        ids = frame[["customer_id", "category"]]
        parts.append(ids.assign(target=target, model_fingerprint=model["fingerprint"], **answers))
        cards[target] = _card(model, champion, run)
    log.fact("scores", outputs.write_scores(parts, folder / "customer_scores.parquet"))
    for target, card in cards.items():
        write_text(folder / f"model.{target}.json", json.dumps(card, indent=2) + "\n")


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Whether the champion needs a feature that is not among `columns`."""
    model = json.loads(tracking.model_file(settings, champion, MODEL_FILE))
    return not {feature["name"] for feature in model["features"]} <= columns


# Training.


def _train(
    settings: Settings,
    run: Run,
    log: StepLog,
    target: Target,
    rows: Examples,
    cutoffs: Sequence[int],
    params: ScoreParams,
) -> tracking.Version | None:
    baseline = target.baseline.name
    trial = evaluate.walk_forward(rows, cutoffs, target.baseline, settings.currency, params)
    metrics = {recipe: evaluate.metrics(trial, recipe, baseline, params) for recipe in trial.judged}
    champion = tracking.incumbent(settings, target.name)
    judged = judging({recipe: found["auc"] for recipe, found in metrics.items()}, trial.difference, baseline)
    decision = judged.decide(champion.recipe if champion else None)
    tried = [
        {"recipe": recipe, "metrics": found, "outcome": _outcome(recipe, decision)} for recipe, found in metrics.items()
    ]
    data = _hash(rows, cutoffs)
    fits = [
        _fit(settings, run, target, recipe, trial, metrics[recipe], tried, cutoffs, data, params)
        for recipe in trial.judged
    ]
    columns = set(rows.features.columns)
    must_replace = champion is not None and cannot_score(settings, champion, columns)
    version, outcome = tracking.record_all(
        settings, fits, decision, judged_by="auc", must_replace=must_replace, judging=judged, columns=columns
    )
    said = {
        "won": f"version {version.version} is the champion" if version else "",
        "unchanged": "the champion is this very model and stays",
        "lost": "clearly worse than the champion, which stays",
        "waits": "MLflow is away, so it waits and nothing is promoted",
    }
    log.progress(f"{target.name}: {decision.reason}; {said[outcome]}")
    return version


def _fit(
    settings: Settings,
    run: Run,
    target: Target,
    recipe: str,
    trial: Trial,
    metrics: Mapping[str, float],
    tried: list[dict[str, Any]],
    cutoffs: Sequence[int],
    data: str,
    params: ScoreParams,
) -> tracking.Fit:
    judged = trial.judged[recipe]
    fingerprint = _fingerprint(settings, target, recipe, data, params)
    split, notes = _split(trial, cutoffs), _notes(target, recipe)
    categories = evaluate.per_category(trial, recipe, target.baseline.name, params) if target.name == CATEGORY else []
    tables = {
        "by_cutoff": [
            {**row, "cutoff": str(_day(row["cutoff"]))}
            for row in evaluate.per_cutoff(trial, recipe, target.baseline.name)
        ],
        "reliability": calibration.reliability(trial.rows.label, judged.probabilities, params.bins),
        "gains": evaluate.gains(trial.rows.label, judged.probabilities),
        **({"by_category": categories} if categories else {}),
    }
    more = {
        "target": target.name,
        "recipe": recipe,
        "training_as_of": str(run.as_of),
        "fingerprint": fingerprint,
        "report": {
            "recipe": recipe,
            "metrics": dict(metrics),
            "baseline": {"name": target.baseline.name, "said": target.baseline.said},
            "split": split,
            "notes": list(notes),
            "tried": tried,
            **tables,
        },
    }
    files = judged.fitted.files(judged.sigmoids, more)
    return tracking.Fit(
        target=target.name,
        algorithm=recipes.algorithm(recipe),
        recipe=recipe,
        description=target.description,
        baseline=target.baseline.said,
        split=split,
        fingerprint=fingerprint,
        as_of=str(run.as_of),
        parameters=_parameters(run, cutoffs, judged.fitted.model, data, params),
        metrics={**metrics, "fit_seconds": judged.fit_seconds},
        notes=notes,
        model_code=_CODE / "portable.py",
        model_files=files,
        signature=_signature(judged.fitted.model),
        pip_requirements=tracking.pinned(*_NEEDS, *(_TREE_NEEDS if judged.fitted.trees is not None else ())),
        tables=tables,
        series={"auc_by_cutoff": {place: row["auc"] for place, row in enumerate(tables["by_cutoff"], start=1)}},
        pictures=_pictures(trial, recipe, target.baseline.name, tried, categories, params),
    )


def _cutoffs(rows: Examples, target: str, run: Run, params: ScoreParams) -> list[int]:
    """The usable cut-offs of the training. Raises HuaxiangError where they do not suffice to learn and to judge."""
    wanted = [inputs.day_number(day) for day in snapshot_days(run.as_of, params)]
    found = examples.usable_cutoffs(rows, wanted, params)
    needed = params.test_cutoffs + 2  # one to learn from and one to calibrate on before the first that is judged
    if len(found) < needed:
        raise HuaxiangError(
            f"scores: {target} needs {needed} cut-offs {params.horizon_days} days apart, each with "
            f"{params.fewest_customers} customers and both outcomes; up to {run.as_of} there are {len(found)}: train "
            "when there is more history"
        )
    return found


def _to_score(
    settings: Settings, run: Run, target: str, model: Mapping[str, Any], features: pd.DataFrame, params: ScoreParams
) -> pd.DataFrame:
    """The rows to score, with `customer_id` and `category`."""
    if target == CHURN:
        return features.assign(category="")
    days = inputs.read_category_days(inputs.input_path(settings, run, inputs.PURCHASES), model["categories"])
    rows = examples.category(features, days, params)
    # A figure that is empty for everybody today is still one the champion knows.
    known = rows.features.reindex(columns=[feature["name"] for feature in model["features"]])
    return known.assign(customer_id=rows.customer_id, category=rows.category)


# What is kept.


def _outcome(recipe: str, decision: Decision) -> str:
    if recipe == decision.winner:
        return "won"
    return "challenger" if recipe == decision.challenger else "lost"


def _hash(rows: Examples, cutoffs: Sequence[int]) -> str:
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


def _fingerprint(settings: Settings, target: Target, recipe: str, data: str, params: ScoreParams) -> str:
    """Hash of inputs, parameters and code: equal for the same fit in another home."""
    parts = {
        "target": target.name,
        "recipe": recipe,
        "data": data,
        "currency": settings.currency,
        "params": asdict(params),
        "code": code_hash(settings.project, ("spark_jobs",)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _parameters(
    run: Run, cutoffs: Sequence[int], model: Mapping[str, Any], data: str, params: ScoreParams
) -> dict[str, object]:
    features = ", ".join(feature["name"] for feature in model["features"])
    return {
        "as_of": str(run.as_of),
        "known_at": str(run.known_at),
        "learned_from": ", ".join(str(_day(cutoff)) for cutoff in cutoffs),
        "feature_count": len(model["features"]),
        "features": features if len(features) < 500 else features[:496] + " ...",
        "data_hash": data,
        **{name: ", ".join(value) if isinstance(value, tuple) else value for name, value in asdict(params).items()},
    }


def _split(trial: Trial, cutoffs: Sequence[int]) -> str:
    judged = sorted({cutoff for cutoff, _ in trial.groups})
    return (
        f"Judged at {len(judged)} cut-offs, {_day(judged[0])} to {_day(judged[-1])}, on the 28 days after each; fitted "
        f"before each on cut-offs from {_day(cutoffs[0])} whose 28 days were over by then, calibrated on earlier ones "
        f"only. Intervals: bootstrap over customers. The model kept is fitted on all {len(cutoffs)} cut-offs."
    )


def _notes(target: Target, recipe: str) -> tuple[str, ...]:
    event = "an order" if target.name == CHURN else "a purchase"
    notes = [
        f"whoever has never ordered has no score; {event} elsewhere is not seen",
        "a reason says what moved the model, not what would change the customer",
        "the Brier score is better when lower, so its difference to the baseline should be negative",
    ]
    if recipe == recipes.BOOSTING:
        notes.append("reasons set one figure at a time to typical; where figures act together they do not add up")
    return tuple(notes)


def _signature(model: Mapping[str, Any]) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    inputs_: list[Any] = [ColSpec(DataType.double, one["name"], required=False) for one in model["features"]]
    if model["categories"] != [""]:
        inputs_.append(ColSpec(DataType.string, "category"))
    outputs_: list[Any] = [ColSpec(DataType.double, "probability"), ColSpec(DataType.string, "reasons")]
    return ModelSignature(Schema(inputs_), Schema(outputs_))


def _pictures(
    trial: Trial,
    recipe: str,
    baseline: str,
    tried: Sequence[Mapping[str, Any]],
    categories: Sequence[Mapping[str, Any]],
    params: ScoreParams,
) -> dict[str, Any]:
    labels = trial.rows.label
    shown = {name: trial.judged[name].probabilities for name in dict.fromkeys((baseline, recipe))}
    costs = [
        {"recipe": one["recipe"], "seconds": trial.judged[one["recipe"]].fit_seconds, **one["metrics"]} for one in tried
    ]
    pictures = {
        "calibration": plots.reliability(
            {name: calibration.reliability(labels, values, params.bins) for name, values in shown.items()}, recipe
        )
    }
    if recipe == baseline:
        return pictures
    pictures |= {
        "gains": plots.gains({name: evaluate.gains(labels, values) for name, values in shown.items()}, recipe),
        "quality_and_cost": plots.quality_and_cost(costs),
        "by_cutoff": plots.by_cutoff(evaluate.per_cutoff(trial, recipe, baseline), recipe, baseline),
    }
    if categories:
        pictures["by_category"] = plots.by_category(categories)
    return pictures


# The champion.


def _require(model: Mapping[str, Any], champion: tracking.Version, columns: set[str], run: Run) -> None:
    missing = sorted({one["name"] for one in model["features"]} - columns - set(history.COLUMNS))
    if missing:
        raise HuaxiangError(
            f"scores: the champion of {champion.target} (version {champion.version}) needs '{missing[0]}', which the "
            f"features of {run.as_of} do not have: run 'huaxiang train --as-of {run.as_of}'"
        )


def _card(model: Mapping[str, Any], version: tracking.Version, run: Run) -> dict[str, Any]:
    """`model.<target>.json`: what the report and the manifest say of the model."""
    return {
        "model": version.target,
        "version": version.version,
        "run_id": version.run_id,
        "fingerprint": model["fingerprint"],
        "training_as_of": model["training_as_of"],
        "scored_as_of": str(run.as_of),
        **model["report"],
        "features": [feature["name"] for feature in model["features"]],
    }


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)
