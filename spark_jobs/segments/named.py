"""Ids that stay and names that are tested, for groups that have neither yet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from huaxiang.settings import Run, Settings
from spark_jobs.segments import champions, inputs, matching, naming, transforms
from spark_jobs.segments.model import Segment, SegmentModel, assign
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class Named:
    """Segments with ids and names, the customers drawn with theirs, and the share of known ones who keep theirs."""

    segments: tuple[Segment, ...]
    customers: pd.DataFrame
    kept_share: float | None


def named(
    spark: SparkSession,
    settings: Settings,
    run: Run,
    scaled: DataFrame,
    known: SegmentModel | None,
    groups: tuple[Segment, ...],
    params: SegmentParams,
) -> Named:
    """Ids that stay and tested names for groups that have none yet."""
    assigned = assign(scaled, groups, params.decimals).cache()
    drawn = inputs.drawn(assigned, max(params.test_customers, params.sample_customers))
    tested = drawn.head(params.test_customers)
    found = naming.facts(tested, tested["segment_id"].to_numpy() - 1, params, settings.currency)
    words = naming.names({label: found.get(label, []) for label in range(len(groups))}, params)
    release = inputs.release_before(settings, run.as_of)
    before = release.path / inputs.CUSTOMERS if release else None
    matched = _match(spark, assigned, before, known, len(groups))
    assigned.unpersist()
    segments = (
        replace(group, segment_id=matched.ids[label], name=", ".join(words[label]), words=words[label])
        for label, group in enumerate(groups)
    )
    ids = {label + 1: segment_id for label, segment_id in enumerate(matched.ids)}
    customers = drawn.head(params.sample_customers)
    return Named(
        tuple(sorted(segments, key=lambda segment: segment.segment_id)),
        customers.assign(segment_id=customers["segment_id"].map(ids)),
        matched.kept_share,
    )


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
    elif known is not None and champions.needed(known) <= set(assigned.columns):
        unassigned = assigned.drop("segment_id", "segment_name", "distance", transforms.COORDINATES)
        scaled = transforms.scaled(unassigned, known.scalings, known.decimals)
        assigned_then = assign(scaled, known.segments, known.decimals)
        old = assigned_then.select("customer_id", F.col("segment_id").alias("old_id"))
    else:
        return matching.first_ids(mean_spend)
    pairs = assigned.join(old, on="customer_id", how="inner").groupBy("segment_id", "old_id").count().collect()
    shared = {(row.segment_id - 1, row.old_id): row["count"] for row in pairs}
    return matching.matched_ids(shared, mean_spend, known.report.get("highest_id", 0) if known else 0)
