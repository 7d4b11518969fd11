"""Train and score sequences: where the family's inputs, arithmetic, tracking and outputs come together."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.errors import HuaxiangError
from huaxiang.files import write_text
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.tracking.fits import card_of_day
from huaxiang.tracking.promotion import Decision, judging
from spark_jobs.sequences import chains, inputs, outputs, patterns
from spark_jobs.sequences.chains import FREQUENCIES, MARKOV, OWN, RECIPES, Counts
from spark_jobs.sequences.judge import Judged, judge, metrics
from spark_jobs.sequences.params import SequenceParams

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from pyspark.sql import SparkSession

FAMILY = "sequences"
TARGET = "next_category"
NEEDS_ALL_TARGETS = True
MODEL_FILE = "chain.json"
JUDGED_BY = "log_likelihood"
_CODE = Path(__file__).parent
_DESCRIPTION = "The category of a customer's next step, by what came before; judged by the log-likelihood of each step."
_BASELINE = "frequencies: how often each category is in a step, whatever came before"
_BASELINE_SQL = "select category, count(*) / sum(count(*)) over () from steps group by category"
_ALGORITHMS = {
    FREQUENCIES: "unconditional frequencies",
    MARKOV: "markov-chain of order 1, smoothed",
    OWN: "own frequencies, smoothed",
}
# What portable.py imports; versions are those of the lock.
_NEEDS = ("mlflow", "numpy", "pandas")


def targets(settings: Settings) -> tuple[str, ...]:
    """What comes next."""
    return (TARGET,)


def snapshot_days(as_of: date) -> list[date]:
    """Sequences are made of steps; no features are needed."""
    return []


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """Patterns are mined by Spark; the next step is looked up."""
    return action == "train"


def train(
    spark: SparkSession, settings: Settings, run: Run, log: StepLog, params: SequenceParams | None = None
) -> tracking.Version | None:
    """Learn from the days up to `as_of` - 28, judge every recipe on the steps after, keep each as an MLflow run.

    Returns the new version, or None when the champion stays. Raises HuaxiangError when there is too little to judge.
    """
    params = params or SequenceParams()
    began = time.perf_counter()
    path = inputs.steps_path(settings, run)
    rows = inputs.read_steps(path, inputs.days_before(run.as_of, params.window_days), run.as_of)
    first, held_from = rows["happened_on"].min(), inputs.days_before(run.as_of, params.held_days)
    judged, unknown = _judged(rows, held_from, run, params)
    quality = {name: judged.figure(name, JUDGED_BY).value for name in RECIPES}
    found = judging(quality, lambda one, other: judged.difference(one, other, JUDGED_BY), FREQUENCIES)
    now = tracking.incumbent(settings, TARGET)
    decision = found.decide(now.recipe if now else None)
    counts = _learned(rows, None)
    inputs_hash = content_hash(path)
    seconds = round(time.perf_counter() - began, 2)
    said = _report(judged, decision, unknown, (first, held_from), counts, run, params)
    fits = [_fit(settings, run, name, counts, judged, said, inputs_hash, seconds, params) for name in RECIPES]
    cannot = now is not None and now.recipe not in RECIPES
    version, outcome = tracking.record_all(settings, fits, decision, JUDGED_BY, must_replace=cannot, judging=found)
    log.progress(
        f"sequences: {decision.reason} on {int(judged.cases.sum()):,} steps; {tracking.in_words(version, outcome)}"
    )
    return version


def score(
    spark: SparkSession, settings: Settings, run: Run, log: StepLog, params: SequenceParams | None = None
) -> None:
    """Say what each customer's next step will be, by the champion, and mine the frequent sequences of the last days.

    Writes both tables and the card. Raises HuaxiangError when there is no champion or no step.
    """
    params = params or SequenceParams()
    champion = tracking.champion(settings, TARGET)
    if champion is None:
        raise HuaxiangError(f"sequences: no model has been trained yet: run 'huaxiang train --as-of {run.as_of}'")
    model = json.loads(tracking.model_file(settings, champion, MODEL_FILE))
    rows = inputs.read_steps(
        inputs.steps_path(settings, run), inputs.days_before(run.as_of, params.window_days), run.as_of
    )
    folder = settings.home.build(run.id) / FAMILY
    mined_from = inputs.days_before(run.as_of, params.mined_days)
    mined = patterns.mine(spark, rows[rows["happened_on"] >= mined_from], params)
    sequences = outputs.write_sequences(
        mined,
        params.most_sequences,
        (mined_from, run.as_of),
        model["fingerprint"],
        folder / "frequent_sequences.parquet",
    )
    following = outputs.write_next(
        _next(rows, model, params), model["fingerprint"], folder / "customer_next_categories.parquet"
    )
    card = _card(model, champion, run, len(mined.counts), sequences)
    write_text(folder / f"model.{TARGET}.json", json.dumps(card, indent=2) + "\n")
    log.fact("sequences", sequences)
    log.fact("next categories", following)


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Every recipe needs steps only, so it can always score."""
    return False


# Learning and judging.


def _learned(rows: Any, before: date | None) -> Counts:
    """Counts of the steps before that day, or of all."""
    known = rows if before is None else rows[rows["happened_on"] < before]
    categories = sorted(known["category"].unique())
    return chains.learn(chains.baskets(known, categories), categories)


def _judged(rows: Any, held_from: date, run: Run, params: SequenceParams) -> tuple[Judged, int]:
    import numpy as np

    counts = _learned(rows, held_from)
    found = chains.baskets(rows, counts.categories)
    judged = judge(found, counts, np.datetime64(held_from), RECIPES, params)
    if len(judged.cases) < params.fewest_judged:
        raise HuaxiangError(
            f"sequences: {len(judged.cases)} customers have a step after another one from {held_from} to {run.as_of}; "
            f"{params.fewest_judged} are needed to judge, so wait for more or leave 'sequences' out of models"
        )
    return judged, found.unknown


def _next(rows: Any, model: Mapping[str, Any], params: SequenceParams) -> list[tuple[str, int, str, float]]:
    """For each customer the likeliest categories of the step after the latest one."""
    import numpy as np

    counts = Counts(
        tuple(model["categories"]), np.array(model["single"], dtype=float), np.array(model["after"], dtype=float)
    )
    found = chains.baskets(rows, counts.categories)
    # the latest sequence of a customer is the one whose last step is of the latest day; of several the last by its id
    is_last = np.append(found.sequence[1:] != found.sequence[:-1], True)
    ends = np.flatnonzero(is_last)
    ends = ends[np.lexsort((ends, found.day[ends], found.customer[ends]))]
    places = ends[np.append(found.customer[ends][1:] != found.customer[ends][:-1], True)]
    likely = chains.probabilities(
        model["recipe"], counts, found.held[places], chains.up_to(found, places), model["smoothing"]
    ).round(6)
    best = np.argsort(-likely, axis=1, kind="stable")[:, : params.top]
    return [
        (found.customers[found.customer[place]], rank, counts.categories[column], float(likely[row, column]))
        for row, place in enumerate(places)
        for rank, column in enumerate(best[row], start=1)
    ]


# Tracking, and what is said of the champion.


def _names(counts: Counts, params: SequenceParams) -> tuple[str, ...]:
    """The figures told; where there are no more categories than places, the first places hold them all."""
    places = (f"hit_at_{params.top}",) if len(counts.categories) > params.top else ()
    return (JUDGED_BY, "hit_at_1", *places)


def _report(
    judged: Judged,
    decision: Decision,
    unknown: int,
    days: tuple[date, date],
    counts: Counts,
    run: Run,
    params: SequenceParams,
) -> dict[str, Any]:
    first, held_from = days
    notes = [
        f"{int(judged.cases.sum()):,} steps of {len(judged.cases):,} customers are judged",
        "likely to come next is not the same as caused by what came before",
    ]
    if unknown:
        notes.append(f"{unknown:,} rows are of categories first seen in the judged days: nobody could foresee them")
    return {
        "baseline": {"name": FREQUENCIES, "words": _BASELINE, "sql": _BASELINE_SQL},
        "split": f"Learned from {first} to "
        f"{held_from - timedelta(days=1)}, "
        f"judged by the steps from {held_from} to {run.as_of}; the model that scores learned from all days.",
        "notes": notes,
        "promotion": decision.reason,
        "tried": [
            {
                "recipe": name,
                "metrics": metrics(judged, name, _names(counts, params)),
                "outcome": decision.outcome(name),
            }
            for name in RECIPES
        ],
    }


def _fit(
    settings: Settings,
    run: Run,
    recipe: str,
    counts: Counts,
    judged: Judged,
    said: Mapping[str, Any],
    inputs_hash: str,
    seconds: float,
    params: SequenceParams,
) -> tracking.Fit:
    figures = metrics(judged, recipe, _names(counts, params))
    fingerprint = _fingerprint(settings, run, recipe, inputs_hash, params)
    model = {
        "recipe": recipe,
        "smoothing": params.smoothing,
        "fingerprint": fingerprint,
        "training_as_of": str(run.as_of),
        "categories": list(counts.categories),
        "single": [int(one) for one in counts.single],
        "after": [[int(one) for one in row] for row in counts.after],
        "report": {**said, "recipe": recipe, "metrics": figures},
    }
    return tracking.Fit(
        target=TARGET,
        algorithm=_ALGORITHMS[recipe],
        description=_DESCRIPTION,
        recipe=recipe,
        baseline=_BASELINE,
        split=said["split"],
        fingerprint=fingerprint,
        as_of=str(run.as_of),
        parameters={
            "as_of": str(run.as_of),
            "known_at": str(run.known_at),
            "steps_hash": inputs_hash,
            "recipe": recipe,
            **asdict(params),
        },
        metrics={**figures, "fit_seconds": seconds, "customers": float(len(judged.cases))},
        notes=tuple(said["notes"]),
        model_code=_CODE / "portable.py",
        model_files={MODEL_FILE: json.dumps(model, ensure_ascii=False) + "\n"},
        signature=_signature(),
        pip_requirements=tracking.pinned(*_NEEDS),
        tables={"tried": said["tried"]},
    )


def _fingerprint(settings: Settings, run: Run, recipe: str, inputs_hash: str, params: SequenceParams) -> str:
    """Hash of inputs, parameters and code: equal for the same fit in another home."""
    parts = {
        "steps": inputs_hash,
        "as_of": str(run.as_of),
        "recipe": recipe,
        "params": asdict(params),
        "code": code_hash(settings.project, ("spark_jobs/sequences",)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _signature() -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    answered: Sequence[Any] = [ColSpec(DataType.string, "category"), ColSpec(DataType.double, "probability")]
    return ModelSignature(Schema([ColSpec(DataType.string, "categories")]), Schema([*answered]))


def _card(model: Mapping[str, Any], version: tracking.Version, run: Run, found: int, released: int) -> dict[str, Any]:
    """`model.next_category.json`: what the report and the manifest say of the model."""
    return {
        **card_of_day(model, version, run.as_of),
        "sequences_found": found,
        "sequences_released": released,
    }
