"""Train and score: where the family's inputs, tasks, judging, tracking and outputs come together.

The Spark session is given, and not used: what is fitted is one row per customer and cut-off (docs/decisions/0035).
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.targets import load_targets
from huaxiang.tracking.fits import card_of_day
from spark_jobs.scores import inputs as scores_inputs
from spark_jobs.scores import job as scores
from spark_jobs.vectors import outputs, portable, training
from spark_jobs.vectors.inputs import read_known
from spark_jobs.vectors.judge import Task
from spark_jobs.vectors.params import VectorParams

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

TARGET = training.TARGET
NEEDS_ALL_TARGETS = True
MODEL_FILE = "model.json"
_CHUNK = 20_000  # customers at a time, so that memory does not grow with their number


def targets(settings: Settings) -> tuple[str, ...]:
    """The vectors: one model, whatever it is judged on."""
    return (TARGET,)


def snapshot_days(as_of: date) -> list[date]:
    """The cut-offs of the scores."""
    return scores.snapshot_days(as_of, VectorParams().scores)


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """What is fitted is one row per customer: it never does."""
    return False


def train(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: VectorParams | None = None
) -> dict[str, tracking.Version | None]:
    """Judge every recipe of a vector against RFM, keep each as a run, promote what is surely better on every task.

    Returns the new version, None where the champion stays. Raises MissingPartition where the training set is missing.
    """
    params = params or VectorParams()
    features = scores_inputs.read_features(
        scores_inputs.input_path(settings, run, scores_inputs.SNAPSHOTS),
        scores.snapshot_days(run.as_of, params.scores),
        params.customers,
    )
    purchases = scores_inputs.input_path(settings, run, scores_inputs.PURCHASES)
    known = read_known(purchases, _asked(features, params.figures), params.windows)
    tasks, lacking = _tasks(settings, run, features, params)
    return {TARGET: training.train(settings, run, log, known, tasks, lacking, params)}


def score(spark: SparkSession | None, settings: Settings, run: Run, log: StepLog) -> None:
    """Place every customer of `as_of` on the champion's dimensions; where RFM won, publish the model's card alone.

    Raises HuaxiangError when there is no champion or it needs a figure that is not there.
    """
    champion = tracking.champion(settings, TARGET)
    if champion is None:
        raise HuaxiangError(
            f"vectors: no model of {TARGET} has been trained yet: run 'huaxiang train --as-of {run.as_of}'"
        )
    model = json.loads(tracking.model_file(settings, champion, MODEL_FILE))
    folder = settings.home.build(run.id) / "vectors"
    if model["loadings"]:
        log.fact("customer vectors", _write(settings, run, model, champion))
    else:
        outputs.remove(folder)
        log.fact("customer vectors", "none is better than RFM")
    write_text(folder / "model.json", json.dumps(card_of_day(model, champion, run.as_of), indent=2) + "\n")


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Whether the champion needs a figure that is not among `columns`; a category nobody buys any more counts 0."""
    model = json.loads(tracking.model_file(settings, champion, MODEL_FILE))
    return not {one["name"] for one in model["figures"]} <= columns


def _asked(features: pd.DataFrame, figures: tuple[str, ...]) -> pd.DataFrame:
    """Customers and days with those of the figures that this home has."""
    return features[["customer_id", "as_of", *(name for name in figures if name in features.columns)]]


def _tasks(
    settings: Settings, run: Run, features: pd.DataFrame, params: VectorParams
) -> tuple[list[Task], dict[str, str]]:
    """The targets that can be judged here, labelled, and why the others cannot."""
    declared = {target.name: target for target in load_targets(settings)}
    order_days = scores_inputs.read_order_days(scores_inputs.input_path(settings, run, scores_inputs.CUSTOMER_DAYS))
    found, lacking = [], {}
    for name in (*params.tasks, *params.told_tasks):
        if name not in declared:
            lacking[name] = "is not declared in targets/"
            continue
        ready = scores.prepared(settings, run, declared[name], features, order_days, params.scores)
        if isinstance(ready, str):
            lacking[name] = ready
        else:
            found.append(Task(name, declared[name].title, ready.cutoffs, ready.plan, ready.rows.label))
    return found, lacking


def _write(settings: Settings, run: Run, model: dict[str, Any], champion: tracking.Version) -> int:
    import numpy as np

    features = scores_inputs.read_features(scores_inputs.features_path(settings, run), [run.as_of])
    if features.empty:
        raise MissingPartition(f"vectors: the features of {run.as_of} have no customer: is there data up to that day?")
    figures = tuple(one["name"] for one in model["figures"])
    missing = sorted(set(figures) - set(features.columns))
    if missing:
        raise HuaxiangError(
            f"vectors: the champion of {TARGET} (version {champion.version}) needs '{missing[0]}', which the features "
            f"of {run.as_of} do not have: run 'huaxiang train --as-of {run.as_of}'"
        )
    purchases = scores_inputs.input_path(settings, run, scores_inputs.PURCHASES)
    asked = _asked(features, figures)
    chunks = (asked.iloc[start : start + _CHUNK] for start in range(0, len(asked), _CHUNK))
    known = (read_known(purchases, chunk, model["windows"]) for chunk in chunks)
    vectors = np.vstack([portable.vectors(model, one.values(model)) for one in known])
    folder = settings.home.build(run.id) / "vectors"
    outputs.write_dimensions(model["dimensions"], model["fingerprint"], folder)
    return outputs.write_vectors(features["customer_id"].tolist(), vectors, model["fingerprint"], folder)
