"""What the family reads: the day's features, a sample of them, and the segments of the release before."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from huaxiang.errors import MissingPartition
from huaxiang.release.store import releases
from huaxiang.settings import Run, Settings
from spark_jobs.segments import transforms
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession


def features_path(settings: Settings, run: Run) -> Path:
    """The features of the run. Raises MissingPartition where there are none."""
    path = settings.home.build(run.id) / "features" / "customer_features.parquet"
    if not path.exists():
        raise MissingPartition(
            f"segments: there are no features of {run.id}: run 'huaxiang features --as-of {run.as_of}' first"
        )
    return path


def read_features(spark: SparkSession, path: Path, as_of: date, params: SegmentParams) -> DataFrame:
    """The day's customers as doubles, in fixed partitions and order. Raises MissingPartition when there is none."""
    import pyarrow.parquet as pq

    row_count = pq.read_metadata(path).num_rows  # a look at the file's end, where Spark would need a job
    rows = spark.read.parquet(str(path)).where(F.col("as_of") == F.lit(as_of))
    features = transforms.in_fixed_order(transforms.with_doubles(rows), row_count, params).cache()
    if row_count == 0 or features.isEmpty():
        raise MissingPartition(f"segments: the features of {as_of} have no customer: is there data up to that day?")
    return features


def segments_before(settings: Settings, as_of: date) -> Path | None:
    """The customers' segments in the latest release of an earlier day that has segments, or None."""
    earlier = (each.path for each in reversed(releases(settings)) if each.as_of < as_of)
    paths = (release / "segments" / "customer_segments.parquet" for release in earlier)
    return next((path for path in paths if path.exists()), None)


def drawn(frame: DataFrame, customers: int) -> pd.DataFrame:
    """At most so many customers, drawn by a hash of their ids: the same ones whatever the partitions."""
    rows: pd.DataFrame = frame.orderBy(F.md5("customer_id"), "customer_id").limit(customers).toPandas()
    return rows


def points(sample: pd.DataFrame) -> Any:
    import numpy as np

    return np.array([list(row) for row in sample[transforms.COORDINATES]], dtype=float).reshape(len(sample), -1)
