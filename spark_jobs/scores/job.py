"""Train and score: where the family's inputs, targets, judging, tracking and outputs come together.

The Spark session is given, and not used: what is fitted is one row per customer and cut-off (docs/decisions/0010).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.errors import HuaxiangError, MissingPartition, MlflowAway
from huaxiang.files import write_text
from huaxiang.judging import splits
from huaxiang.judging.splits import Plan, TooFewCutoffs
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.targets import Target, load_targets, target_names
from huaxiang.tracking.fits import card_of_day
from huaxiang.tracking.promotion import judging
from spark_jobs.scores import evaluate, examples, guards, history, inputs, outputs, portable, tracked, walk
from spark_jobs.scores.examples import Examples
from spark_jobs.scores.params import ScoreParams

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

NEEDS_ALL_TARGETS = False  # a home may lack the source of some for good


def targets(settings: Settings) -> tuple[str, ...]:
    """What the family predicts: the declared targets, of which a home may lack the source of some."""
    return target_names(settings)


def snapshot_days(as_of: date, params: ScoreParams | None = None) -> list[date]:
    """The cut-offs: every 28 days back from the last day whose following 28 days are known."""
    params = params or ScoreParams()
    return [as_of - timedelta(days=params.step_days * number) for number in range(params.cutoffs, 0, -1)]


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """What is fitted is one row per customer: it never does."""
    return False


def train(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: ScoreParams | None = None
) -> dict[str, tracking.Version | None]:
    """Fit all recipes of every target, judge them walking forward in time, keep each as a run, promote by AUC.

    Returns the new version of each trained target, None where the champion stays. A target that cannot be trained here
    is left out with its reason; raises HuaxiangError when that is true of all, MissingPartition where the training set
    is missing.
    """
    params = params or ScoreParams()
    features = inputs.read_features(
        inputs.input_path(settings, run, inputs.SNAPSHOTS), snapshot_days(run.as_of, params), params.customers
    )
    order_days = inputs.read_order_days(inputs.input_path(settings, run, inputs.CUSTOMER_DAYS))
    made: dict[str, tracking.Version | None] = {}
    left_out: dict[str, str] = {}
    for target in load_targets(settings):
        ready = prepared(settings, run, target, features, order_days, params)
        if isinstance(ready, str):
            left_out[target.name] = ready
            log.progress(f"{target.name} is left out: {ready}")
        else:
            made[target.name] = _train(settings, run, log, target, ready, params)
    if not made:
        reasons = dict.fromkeys(f"{name} {reason}" for name, reason in left_out.items())
        raise HuaxiangError(f"scores: no target can be trained up to {run.as_of}: {'; '.join(reasons)}")
    return made


def score(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: ScoreParams | None = None
) -> None:
    """Score every customer of `as_of` with the champions of all targets that have one.

    Writes `customer_scores.parquet` and a card per target. Raises HuaxiangError when there is no champion at all or one
    needs a feature that is not there.
    """
    params = params or ScoreParams()
    features = inputs.read_features(inputs.features_path(settings, run), [run.as_of])
    if features.empty:
        raise MissingPartition(f"scores: the features of {run.as_of} have no customer: is there data up to that day?")
    order_days = inputs.read_order_days(inputs.input_path(settings, run, inputs.CUSTOMER_DAYS))
    folder = settings.home.build(run.id) / "scores"
    parts, cards = [], {}
    champions = _champions(settings, run)
    missing = sorted(set(targets(settings)) - {target.name for target, _ in champions})
    if missing:
        log.progress(f"not scored, since there is no model yet: {', '.join(missing)}; 'huaxiang train' makes them")
    for target, champion in champions:
        model, estimator = portable.load_folder(tracking.model_folder(settings, champion) / "artifacts")
        _require(model, champion, set(features.columns), run)
        frame = _to_score(settings, run, target, model, features, order_days, params)
        answers = portable.answers(model, frame, estimator)
        ids = frame[["customer_id", "category"]]
        parts.append(ids.assign(target=target.name, model_fingerprint=model["fingerprint"], **answers))
        cards[target.name] = _card(model, champion, target, run)
    log.fact("scores", outputs.write_scores(parts, folder / "customer_scores.parquet"))
    for name, card in cards.items():
        write_text(folder / f"model.{name}.json", json.dumps(card, indent=2) + "\n")


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Whether the champion needs a feature that is not among `columns`."""
    model = json.loads(tracking.model_file(settings, champion, "model.json"))
    return not {feature["name"] for feature in model["features"]} <= columns


# Training.


@dataclass(frozen=True)
class Prepared:
    """The rows of a target, the cut-offs that can be used, and which of them are judged."""

    rows: Examples
    cutoffs: list[int]
    plan: Plan


def prepared(
    settings: Settings, run: Run, target: Target, features: pd.DataFrame, order_days: pd.DataFrame, params: ScoreParams
) -> Prepared | str:
    """What a target is trained on, or why it cannot be."""
    numbers = [inputs.day_number(day) for day in snapshot_days(run.as_of, params)]
    wanted = [number for number in numbers if number + target.window_days <= inputs.day_number(run.as_of)]
    categories: tuple[str, ...] = ()
    if target.is_by_category:
        # Chosen by what was known at the first cut-off that has customers, so that no judged day has a say in it.
        counts = features["as_of"].value_counts()
        first = next((day for day in wanted if counts.get(day, 0) >= params.fewest_customers), wanted[0])
        purchases = inputs.input_path(settings, run, inputs.PURCHASES)
        categories = inputs.largest_categories(purchases, _day(first), target.event.largest, params)
    facts = inputs.read_facts(settings, run, target, categories, order_days)
    if isinstance(facts, str):
        return facts
    rows = examples.of_target(target, features, facts, params)
    if target.baseline.column not in rows.features.columns:
        wrong = f"'{target.baseline.column}' is no figure that is learned from here"
        return str(target.declaration.wrong(wrong, f"take one of {', '.join(rows.features.columns)}", "baseline"))
    cutoffs = examples.usable_cutoffs(rows, wanted, params)
    try:
        plan = splits.plan(
            cutoffs, target.window_days, params.judged_cutoffs, params.fewest_judged, params.calibration_cutoffs
        )
    except TooFewCutoffs as error:
        return (
            f"has {len(cutoffs)} usable cut-offs, {params.step_days} days apart, each with {params.fewest_customers} "
            f"customers and {params.fewest_events} of either outcome: {error}; train when there is more history"
        )
    return Prepared(rows, cutoffs, plan)


def _train(
    settings: Settings, run: Run, log: StepLog, target: Target, prepared: Prepared, params: ScoreParams
) -> tracking.Version | None:
    rows, cutoffs, plan, baseline = prepared.rows, prepared.cutoffs, prepared.plan, target.baseline
    found = guards.guarded(rows, cutoffs, plan, target.name, settings.currency, params)
    trial = walk.walk_forward(rows, cutoffs, plan, baseline, settings.currency, params)
    metrics = {recipe: evaluate.metrics(trial, recipe, baseline.name, params) for recipe in trial.judged}
    champion = tracking.incumbent(settings, target.name)
    now = champion.recipe if champion else None
    aucs = evaluate.contenders({recipe: one["auc"] for recipe, one in metrics.items()}, trial.difference, now)
    judged = judging(aucs, trial.difference, baseline.name)
    decision = judged.decide(now)
    kept = tracked.Kept(settings, run, target, trial, plan, cutoffs, metrics, decision, found, params)
    columns = set(rows.features.columns)
    must_replace = champion is not None and cannot_score(settings, champion, columns)
    version, outcome = tracking.record_all(
        settings,
        tracked.fits(kept, rows),
        decision,
        judged_by="auc",
        must_replace=must_replace,
        judging=judged,
        columns=columns,
        left_out=trial.left_out,
    )
    log.progress(f"{target.name}: {decision.reason}; {tracking.in_words(version, outcome)}")
    if len(plan.judged) < params.judged_cutoffs:
        log.progress(
            f"{target.name}: judged at {len(plan.judged)} cut-offs only, since the history holds no more; "
            f"{params.judged_cutoffs} are wanted"
        )
    for name, reason in trial.left_out.items():
        log.progress(f"{target.name}: {name} is left out: {reason}")
    for note in found.notes():
        log.progress(f"{target.name}: {note}")
    return version


# Scoring.


def _champions(settings: Settings, run: Run) -> list[tuple[Target, tracking.Version]]:
    """The champion of every target that has one. Raises HuaxiangError when none has, MlflowAway when nobody can say."""
    found, away = [], None
    for target in load_targets(settings):
        try:
            champion = tracking.champion(settings, target.name)
        except MlflowAway as error:
            away = error
            continue
        if champion is not None:
            found.append((target, champion))
    if not found:
        raise away or HuaxiangError(
            f"scores: no model of {', '.join(targets(settings))} has been trained yet: run 'huaxiang train --as-of "
            f"{run.as_of}'"
        )
    return found


def _to_score(
    settings: Settings,
    run: Run,
    target: Target,
    model: Mapping[str, Any],
    features: pd.DataFrame,
    order_days: pd.DataFrame,
    params: ScoreParams,
) -> pd.DataFrame:
    """The rows to score, with `customer_id` and `category`."""
    facts = inputs.read_facts(settings, run, target, model["categories"], order_days)
    if isinstance(facts, str):
        raise HuaxiangError(f"scores: {target.name} has a model, but {facts}: is the source still in huaxiang.yml?")
    rows = examples.of_target(target, features, replace(facts, order_days=order_days.iloc[:0]), params)
    # A figure that is empty for everybody today is still one the champion knows.
    known = rows.features.reindex(columns=[feature["name"] for feature in model["features"]])
    return known.assign(customer_id=rows.customer_id, category=rows.category)


def _require(model: Mapping[str, Any], champion: tracking.Version, columns: set[str], run: Run) -> None:
    missing = sorted({one["name"] for one in model["features"]} - columns - history.KNOWN)
    if missing:
        raise HuaxiangError(
            f"scores: the champion of {champion.target} (version {champion.version}) needs '{missing[0]}', which the "
            f"features of {run.as_of} do not have: run 'huaxiang train --as-of {run.as_of}'"
        )


def _card(model: Mapping[str, Any], version: tracking.Version, target: Target, run: Run) -> dict[str, Any]:
    """`model.<target>.json`: what the report and the manifest say of the model."""
    return {
        "title": target.title,
        "description": target.sentence,
        **card_of_day(model, version, run.as_of),
        "features": [feature["name"] for feature in model["features"]],
    }


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)
