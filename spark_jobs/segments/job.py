"""Train and score segments: where the family's inputs, arithmetic, tracking and outputs come together."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.errors import HuaxiangError
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from spark_jobs.segments import champions, inputs, liked, naming, nearest, outliers, outputs
from spark_jobs.segments.champions import TARGET
from spark_jobs.segments.model import SegmentModel
from spark_jobs.segments.params import SegmentParams
from spark_jobs.segments.since import since

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

NEEDS_ALL_TARGETS = True


def targets(settings: Settings) -> tuple[str, ...]:
    """Which segment a customer is in."""
    return (TARGET,)


def snapshot_days(as_of: date) -> list[date]:
    """Segments are made of one day's features only."""
    return []


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """K-Means is fitted by Spark; the nearest centre is a few sums per customer."""
    return action == "train"


def train(
    spark: SparkSession, settings: Settings, run: Run, log: StepLog, params: SegmentParams | None = None
) -> tracking.Version | None:
    """Fit every shape on the features of `as_of`, keep each as an MLflow run, and promote by the rule.

    Returns the new version, or None when the champion stays.
    """
    from spark_jobs.segments import tracked, training

    params = params or SegmentParams()
    path = inputs.features_path(settings, run)
    trained = training.train(spark, settings, run, path, params)
    champion = tracking.incumbent(settings, TARGET)
    must_replace = champion is not None and cannot_score(settings, champion, set(trained.columns))
    version, outcome = tracked.record(settings, run, path, trained, must_replace, params)
    won, became = trained.winner, tracking.in_words(version, outcome)
    log.progress(f"segments: {len(won.model.segments)} by {won.algorithm} on {run.as_of}; {became}")
    for note in trained.choice.notes:
        log.progress(f"segments: {note}")
    return version


def score(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: SegmentParams | None = None
) -> None:
    """Put every customer of `as_of` into a segment of the champion; Spark is not needed for it.

    Writes the family's tables and `model.json` of the build; who moved only where there is a release of an earlier
    day. Raises HuaxiangError when there is no champion or it needs a feature that is not there, BrokenConservation when
    a customer would get no segment.
    """
    params = params or SegmentParams()
    path = inputs.features_path(settings, run)
    champion = tracking.champion(settings, TARGET)
    if champion is None:
        raise HuaxiangError(f"segments: no model has been trained yet: run 'huaxiang train --as-of {run.as_of}'")
    model = champions.read(settings, champion)
    features = inputs.read_table(path, run.as_of)
    missing = sorted(champions.needed(model) - set(features.columns))
    if missing:
        raise HuaxiangError(
            f"segments: the champion (version {champion.version}) needs '{missing[0]}', which the features of "
            f"{run.as_of} do not have: run 'huaxiang train --as-of {run.as_of}'"
        )
    assigned = outliers.judged(nearest.assigned(features, model), model.crowd, params.outliers, settings.currency)
    folder = settings.home.build(run.id) / "segments"
    outputs.write_customers(assigned, model, folder / "customer_segments.parquet")
    outputs.write_segments(assigned, model, folder / "segments.parquet")
    facts = _current_facts(assigned, model, params, settings.currency)
    preferred = liked.facts(assigned, inputs.read_interests(settings, run), params)
    told = {segment_id: [*tested, *preferred.get(segment_id, [])] for segment_id, tested in facts.items()}
    outputs.write_facts(told, folder / "segment_facts.parquet")
    notes = [*model.report["notes"], *_broken_words(facts, model, run.as_of)]
    moved = since(settings, run, model, log)
    write_text(folder / "model.json", json.dumps(_card(model, champion, run, notes, moved), indent=2) + "\n")
    log.fact("customers", len(assigned))
    log.fact("segments", len(model.segments))
    if model.crowd:
        log.fact("unlike everybody", int(assigned["is_outlier"].sum()))


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Whether the champion needs a feature that is not among `columns`."""
    return not champions.needed(champions.read(settings, champion)) <= columns


def _current_facts(
    assigned: pd.DataFrame, model: SegmentModel, params: SegmentParams, currency: str
) -> dict[int, list[naming.Fact]]:
    """The differences as they are today, those behind the names first. The names stay the model's."""
    tested = inputs.drawn_rows(assigned, params.test_customers)
    found = naming.facts(tested, tested["segment_id"].to_numpy(), params, currency)
    words = {segment.segment_id: segment.words for segment in model.segments}
    return {segment_id: naming.in_name_order(facts, words[segment_id]) for segment_id, facts in sorted(found.items())}


def _broken_words(facts: dict[int, list[naming.Fact]], model: SegmentModel, as_of: date) -> list[str]:
    """A note for each word of a name that today's customers no longer bear out."""
    vocabulary = {word.word for word in naming.VOCABULARY}
    return [
        f"segment {segment.segment_id}: '{word}' is no longer a tested difference on {as_of}; consider 'huaxiang train'"
        for segment in model.segments
        for word in segment.words
        if word in vocabulary and word not in {fact.word for fact in facts.get(segment.segment_id, [])}
    ]


def _card(
    model: SegmentModel, version: tracking.Version, run: Run, notes: list[str], since: dict[str, Any] | None
) -> dict[str, Any]:
    """`model.json`: what the report and the manifest say of the model."""
    return {
        "model": TARGET,
        "version": version.version,
        "run_id": version.run_id,
        "fingerprint": model.fingerprint,
        "training_as_of": model.training_as_of,
        "scored_as_of": str(run.as_of),
        **model.report,
        "notes": notes,
        "features": [asdict(scaling) for scaling in model.scalings],
        "segments": [{"segment_id": s.segment_id, "name": s.name, "words": list(s.words)} for s in model.segments],
        "since": since,
    }
