"""Train and score segments: where the family's inputs, arithmetic, tracking and outputs come together."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.errors import HuaxiangError
from huaxiang.files import write_text
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from spark_jobs.segments import (
    baseline,
    choose_k,
    inputs,
    matching,
    moves,
    naming,
    nearest,
    outliers,
    outputs,
    plots,
    transforms,
)
from spark_jobs.segments.model import Segment, SegmentModel, assign, fit, from_json
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature
    from pyspark.sql import DataFrame, SparkSession

TARGET = "segments"
TARGETS = (TARGET,)
MODEL_FILE = "segments.json"
_CODE = Path(__file__).parent
_DESCRIPTION = (
    "Which group of like customers a customer belongs to: Spark K-Means on scaled shopping features, as many segments "
    "as are found again when customers are drawn anew; names are tested differences. Baseline: five groups by RFM."
)
# What portable.py imports; versions are those of the lock.
_NEEDS = ("mlflow", "numpy", "pandas")


@dataclass(frozen=True)
class Fitted:
    """A fitted model with what was found on the way."""

    model: SegmentModel
    choice: choose_k.Choice
    assigned: DataFrame
    sample: pd.DataFrame
    metrics: Mapping[str, float]
    series: Mapping[str, Mapping[int, float]]


def snapshot_days(as_of: date) -> list[date]:
    """Segments are made of one day's features only."""
    return []


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """K-Means is fitted by Spark; the nearest centre is a few sums per customer."""
    return action == "train"


def train(
    spark: SparkSession, settings: Settings, run: Run, log: StepLog, params: SegmentParams | None = None
) -> tracking.Version | None:
    """Fit on the features of `as_of`, keep the fit as an MLflow run, make it champion unless it is clearly worse.

    Returns the new version, or None when the champion stays.
    """
    params = params or SegmentParams()
    path = inputs.features_path(settings, run)
    fitted = _fit(spark, settings, run, path, params)
    columns = set(fitted.assigned.columns)
    champion = tracking.incumbent(settings, TARGET)
    must_replace = champion is not None and cannot_score(settings, champion, columns)
    record = tracking.Fit(
        target=TARGET,
        algorithm="spark-kmeans" if len(fitted.model.segments) > 1 else "one segment",
        description=_DESCRIPTION,
        baseline="five groups by RFM score",
        split="No split in time: customers are drawn anew to see whether the same segments are found again.",
        fingerprint=fitted.model.fingerprint,
        as_of=str(run.as_of),
        parameters=_parameters(run, path, fitted, params),
        metrics=fitted.metrics,
        notes=fitted.choice.notes,
        model_code=_CODE / "portable.py",
        model_files={MODEL_FILE: fitted.model.to_json()},
        signature=_signature(fitted.model),
        pip_requirements=tracking.pinned(*_NEEDS),
        tables={"k_table": fitted.model.report["k_table"], "segments": [asdict(s) for s in fitted.model.segments]},
        series=fitted.series,
        pictures=_pictures(fitted),
    )
    version, outcome = tracking.record(
        settings, record, judged_by="silhouette", must_replace=must_replace, columns=columns
    )
    said = {
        "won": f"version {version.version} is the champion" if version else "",
        "unchanged": "the champion is this very model and stays",
        "lost": "clearly worse than the champion, which stays",
        "waits": "MLflow is away, so it waits and nothing is promoted",
    }
    log.progress(f"segments: {len(fitted.model.segments)} found on {run.as_of}; {said[outcome]}")
    for note in fitted.choice.notes:
        log.progress(f"segments: {note}")
    fitted.assigned.unpersist()
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
    model = _read_model(settings, champion)
    features = inputs.read_table(path, run.as_of)
    missing = sorted(_needed(model) - set(features.columns))
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
    outputs.write_facts(facts, folder / "segment_facts.parquet")
    notes = [*model.report["notes"], *_broken_words(facts, model, run.as_of)]
    since = _since(settings, run, model, log)
    write_text(folder / "model.json", json.dumps(_card(model, champion, run, notes, since), indent=2) + "\n")
    log.fact("customers", len(assigned))
    log.fact("segments", len(model.segments))
    if model.crowd:
        log.fact("unlike everybody", int(assigned["is_outlier"].sum()))


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Whether the champion needs a feature that is not among `columns`."""
    return not _needed(_read_model(settings, champion)) <= columns


def _fit(spark: SparkSession, settings: Settings, run: Run, path: Path, params: SegmentParams) -> Fitted:
    began = time.perf_counter()
    features = inputs.read_features(spark, path, run.as_of, params)
    scalings = transforms.measure(features, params)
    scaled = transforms.scaled(features, scalings, params.decimals).cache()
    sample = inputs.drawn(scaled, params.sample_customers)
    points = inputs.points(sample)
    choice = choose_k.choose(points, params)
    centres = fit(scaled, choice.k, params)
    assigned = assign(scaled, _unnamed(centres), params.decimals).cache()

    tested = inputs.drawn(assigned, params.test_customers)
    found = naming.facts(tested, tested["segment_id"].to_numpy() - 1, params, settings.currency)
    words = naming.names({label: found.get(label, []) for label in range(len(centres))}, params)
    release = inputs.release_before(settings, run.as_of)
    before = release.path / inputs.CUSTOMERS if release else None
    known = _champion_model(settings)
    matched = _match(spark, assigned, before, known, len(centres))
    segments = tuple(
        sorted(
            (
                Segment(matched.ids[label], ", ".join(words[label]), words[label], centre)
                for label, centre in enumerate(centres)
            ),
            key=lambda segment: segment.segment_id,
        )
    )
    final = assign(scaled, segments, params.decimals).cache()
    sample = inputs.drawn(final, params.sample_customers)
    judged, baseline_judged = _judged(sample, points, choice, params)
    metrics = _flat(judged) | _flat(baseline_judged, "baseline_")
    if len(segments) > 1:
        metrics |= _agreement(sample, choice)
    if matched.kept_share is not None:
        metrics["kept_share"] = matched.kept_share
    crowd = outliers.learn(sample, params.outliers)
    if crowd:
        metrics |= {f"outlier_{name}": value for name, value in crowd.report.items()}
    metrics |= {"customers": float(final.count()), "segments": float(len(segments))}
    metrics["fit_seconds"] = round(time.perf_counter() - began, 2)
    model = SegmentModel(
        training_as_of=str(run.as_of),
        fingerprint=_fingerprint(settings, path, matched.ids, params),
        decimals=params.decimals,
        scalings=scalings,
        segments=segments,
        report={
            "k": len(segments),
            "metrics": {name: value for name, value in metrics.items() if name != "fit_seconds"},
            "baseline": {"name": "five groups by RFM score", **_flat(baseline_judged)},
            "k_table": [_row(candidate) for candidate in choice.candidates],
            "notes": list(choice.notes),
            "highest_id": max([*matched.ids, known.report.get("highest_id", 0) if known else 0]),
            "left_out_features": [f.name for f in params.features if f.name not in {s.name for s in scalings}],
        },
        crowd=crowd,
    )
    series = {
        "k_silhouette": {candidate.k: candidate.silhouette.value for candidate in choice.candidates},
        "k_stability": {candidate.k: candidate.stability.value for candidate in choice.candidates},
        "k_least_found_again": {candidate.k: candidate.least_found_again for candidate in choice.candidates},
    }
    assigned.unpersist()
    return Fitted(model, choice, final, sample, metrics, series)


# Judging.


def _match(
    spark: SparkSession, assigned: DataFrame, before: Path | None, known: SegmentModel | None, k: int
) -> matching.Matching:
    """Ids for the labels of `assigned` (label = provisional id - 1), matched with the customers' segments before.

    Those are in the release before. A training of a day before all releases has none: there the champion says them.
    """
    has_spend = "net_spend" in assigned.columns
    spend = F.round(F.avg("net_spend"), 6) if has_spend else F.count("*").cast("double")
    rows = assigned.groupBy("segment_id").agg(spend.alias("spend")).collect()
    means = {row.segment_id - 1: row.spend for row in rows}
    mean_spend = [means.get(label) or 0.0 for label in range(k)]
    if before is not None:
        old = spark.read.parquet(str(before)).select("customer_id", F.col("segment_id").alias("old_id"))
    elif known is not None and _needed(known) <= set(assigned.columns):
        unassigned = assigned.drop("segment_id", "segment_name", "distance", transforms.COORDINATES)
        scaled = transforms.scaled(unassigned, known.scalings, known.decimals)
        assigned_then = assign(scaled, known.segments, known.decimals)
        old = assigned_then.select("customer_id", F.col("segment_id").alias("old_id"))
    else:
        return matching.first_ids(mean_spend)
    pairs = assigned.join(old, on="customer_id", how="inner").groupBy("segment_id", "old_id").count().collect()
    shared = {(row.segment_id - 1, row.old_id): row["count"] for row in pairs}
    return matching.matched_ids(shared, mean_spend, known.report.get("highest_id", 0) if known else 0)


def _unnamed(centres: tuple[tuple[float, ...], ...]) -> tuple[Segment, ...]:
    """Segments for the time before ids and names are known: the id is the label + 1."""
    return tuple(Segment(label + 1, "", (), centre) for label, centre in enumerate(centres))


Judged = dict[str, choose_k.Interval]


def _judged(sample: pd.DataFrame, points: Any, choice: choose_k.Choice, params: SegmentParams) -> tuple[Judged, Judged]:
    """The released segments and the baseline by the same metrics on the same points; nothing for a single segment."""
    candidate = choice.candidate()
    if candidate is None:
        return {}, {}
    labels = sample["segment_id"].to_numpy()
    judged = {"silhouette": choose_k.silhouette(points, labels, params), "stability": candidate.stability}
    return judged, baseline.judge(sample, points, params)


def _agreement(sample: pd.DataFrame, choice: choose_k.Choice) -> dict[str, float]:
    """How alike Spark's segments are to those judged on the sample (adjusted Rand index); the smallest one's share."""
    from sklearn.metrics import adjusted_rand_score

    labels = sample["segment_id"].to_numpy()
    candidate = choice.candidate()
    return {
        "agreement_with_sample": round(float(adjusted_rand_score(choice.labels, labels)), 6),
        "smallest_share": round(float(sample["segment_id"].value_counts(normalize=True).min()), 6),
        "least_found_again": candidate.least_found_again if candidate else 1.0,
    }


def _flat(judged: Judged, prefix: str = "") -> dict[str, float]:
    """`{x, x_low, x_high}` for every metric x."""
    flat: dict[str, float] = {}
    for name, interval in judged.items():
        flat |= {
            f"{prefix}{name}": interval.value,
            f"{prefix}{name}_low": interval.low,
            f"{prefix}{name}_high": interval.high,
        }
    return flat


def _row(candidate: choose_k.Candidate) -> dict[str, Any]:
    return {
        "k": candidate.k,
        **_flat({"silhouette": candidate.silhouette, "stability": candidate.stability}),
        "smallest_share": candidate.smallest_share,
        "least_found_again": candidate.least_found_again,
        "is_usable": candidate.is_usable,
    }


# Tracking.


def _fingerprint(settings: Settings, features: Path, ids: tuple[int, ...], params: SegmentParams) -> str:
    """Hash of inputs, parameters, code and the ids that were kept: equal for the same fit in another home."""
    parts = {
        "features": content_hash(features),
        "ids": ids,
        "currency": settings.currency,
        "params": asdict(params),
        "code": code_hash(settings.project, ("spark_jobs",)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _parameters(run: Run, path: Path, fitted: Fitted, params: SegmentParams) -> dict[str, object]:
    said = asdict(params)
    weights = {f"weight_{feature['name']}": feature["weight"] for feature in said.pop("features")}
    weights |= {f"outliers_{name}": value for name, value in said.pop("outliers").items()}
    used = ", ".join(scaling.name for scaling in fitted.model.scalings)
    dates = {"as_of": str(run.as_of), "known_at": str(run.known_at)}
    return {**dates, "k": fitted.choice.k, "features": used, "features_hash": content_hash(path), **said, **weights}


def _needed(model: SegmentModel) -> set[str]:
    return {scaling.name for scaling in model.scalings} | outliers.needed(model.crowd)


def _signature(model: SegmentModel) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    inputs: list[Any] = [ColSpec(DataType.double, scaling.name, required=False) for scaling in model.scalings]
    outputs: list[Any] = [
        ColSpec(DataType.long, "segment_id"),
        ColSpec(DataType.string, "segment_name"),
        ColSpec(DataType.double, "distance"),
    ]
    return ModelSignature(Schema(inputs or [ColSpec(DataType.string, "customer_id")]), Schema(outputs))


def _pictures(fitted: Fitted) -> dict[str, Any]:
    """Pictures of means and shares of the customers that were judged; nothing in them is about one customer."""
    if len(fitted.model.segments) < 2:
        return {}
    names = {segment.segment_id: f"{segment.segment_id}  {segment.name}" for segment in fitted.model.segments}
    customers = fitted.sample
    columns = [name for name in naming.PLAIN if name in customers.columns]
    rows = outputs.means(customers, columns).set_index("segment_id")
    rows.index = rows.index.map(names)
    shares = rows.pop("customer_count")
    deviations = customers[columns].std(ddof=0).replace(0.0, 1.0)
    rows[columns] = (rows[columns] - customers[columns].mean()) / deviations
    return {
        "by_k": plots.by_k(fitted.choice.candidates, fitted.choice.k),
        "profile": plots.profile(rows[columns].astype(float)),
        "sizes": plots.sizes(shares / shares.sum()),
    }


# Since the release before.


def _since(settings: Settings, run: Run, model: SegmentModel, log: StepLog) -> dict[str, Any] | None:
    """Write who moved since the release before; what is said of it. None, and no table, where there is no release."""
    build = settings.home.build(run.id)
    path = build / "segments" / "segment_moves.parquet"
    path.unlink(missing_ok=True)
    before = inputs.release_before(settings, run.as_of)
    names = [scaling.name for scaling in model.scalings]
    past = inputs.past(before.path, build, names) if before else None
    if before is None or past is None:
        return None
    is_same_model = past.fingerprints == (model.fingerprint,)
    reasons = _reasons(past, model, names, is_same_model)
    outputs.write_moves(past, reasons, path)
    how = Counter(reason.how for reason in reasons)
    stayed = past.in_both - sum(how.values()) + how[moves.NEW] + how[moves.LEFT]
    log.fact("moved", past.in_both - stayed)
    return {
        "release_id": before.id,
        "as_of": str(before.as_of),
        "is_same_model": is_same_model,
        "customers_in_both": past.in_both,
        "stayed": stayed,
        "stayed_share": round(stayed / past.in_both, 6) if past.in_both else None,
        "how": dict(sorted(how.items())),
        "customers": {str(segment_id): customers for segment_id, customers in past.sizes.items()},
    }


def _reasons(past: inputs.Past, model: SegmentModel, names: list[str], is_same_model: bool) -> list[moves.Reason]:
    """A reason for each row of `past.moved`."""
    moved = past.moved
    is_new, is_gone = moved["from_segment"].isna(), moved["to_segment"].isna()
    both = moved[~is_new & ~is_gone]
    found = iter(
        moves.explain(
            model,
            before=both[[f"before_{name}" for name in names]].to_numpy(dtype=float),
            after=both[[f"after_{name}" for name in names]].to_numpy(dtype=float),
            from_ids=both["from_segment"].to_numpy(dtype="int64"),
            to_ids=both["to_segment"].to_numpy(dtype="int64"),
            is_same_model=is_same_model,
        )
    )
    ends = zip(is_new, is_gone, strict=True)
    return [moves.Reason(moves.NEW) if new else moves.Reason(moves.LEFT) if gone else next(found) for new, gone in ends]


# The champion, and what is said of it.


def _champion_model(settings: Settings) -> SegmentModel | None:
    """The champion, or None where there is none or nobody can say."""
    version = tracking.incumbent(settings, TARGET)
    return _read_model(settings, version) if version else None


def _read_model(settings: Settings, version: tracking.Version) -> SegmentModel:
    return from_json(tracking.model_file(settings, version, MODEL_FILE))


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
