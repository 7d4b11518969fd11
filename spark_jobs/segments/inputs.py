"""What the family reads: the day's features, a sample of them, and the segments of the release before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from huaxiang.errors import MissingPartition
from huaxiang.release.store import Release, releases
from huaxiang.settings import Run, Settings
from spark_jobs.segments import transforms
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession


CUSTOMERS = "segments/customer_segments.parquet"
FEATURES = "features/customer_features.parquet"
INTERESTS = "features/customer_interests.parquet"


def features_path(settings: Settings, run: Run) -> Path:
    """The features of the run. Raises MissingPartition where there are none."""
    path = settings.home.build(run.id) / FEATURES
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


def read_table(path: Path, as_of: date) -> pd.DataFrame:
    """The day's customers as doubles, by customer id, without Spark. Raises MissingPartition when there is none.

    For scoring: a nearest centre is a few sums per customer, which one process does for a million customers in the time
    that a Spark session takes to start.
    """
    import duckdb

    with duckdb.connect() as connection:
        days = connection.read_parquet(str(path)).filter(
            duckdb.ColumnExpression("as_of") == duckdb.ConstantExpression(as_of)
        )
        plain = {name for name, kind in zip(days.columns, days.types, strict=True) if _is_number(str(kind))}
        columns = [f'"{name}"::double as "{name}"' if name in plain else f'"{name}"' for name in days.columns]
        rows: pd.DataFrame = days.project(", ".join(columns)).order("customer_id").df()
    if rows.empty:
        raise MissingPartition(f"segments: the features of {as_of} have no customer: is there data up to that day?")
    return rows


def read_interests(settings: Settings, run: Run) -> pd.DataFrame:
    """`customer_id` and `category` of every interest of the run; no rows where the home has none."""
    import pandas as pd

    path = settings.home.build(run.id) / INTERESTS
    if not path.exists():
        return pd.DataFrame({"customer_id": [], "category": []}, dtype=str)
    rows: pd.DataFrame = pd.read_parquet(path, columns=["customer_id", "as_of", "category"])
    return rows[pd.to_datetime(rows["as_of"]).dt.date == run.as_of]


def release_before(settings: Settings, as_of: date) -> Release | None:
    """The latest release of an earlier day that has segments, or None."""
    earlier = (release for release in reversed(releases(settings)) if release.as_of < as_of)
    return next((release for release in earlier if (release.path / CUSTOMERS).exists()), None)


@dataclass(frozen=True)
class Past:
    """What the release before says of today's and its own customers.

    `moved` holds whoever is not in the segment of then: `customer_id`, `from_segment`, `from_name`, `to_segment`,
    `to_name` (NaN and None where there is none), and the raw figures `before_<feature>` and `after_<feature>`.
    `sizes` are the customers of each segment then, `in_both` those known then and now.
    """

    moved: pd.DataFrame
    sizes: dict[int, int]
    in_both: int
    fingerprints: tuple[str, ...]


def past(before: Path, build: Path, names: Sequence[str]) -> Past | None:
    """Compare the build with the release in `before`; `names` are features. None where that release has no features.

    A feature that a side does not have is unknown there.
    """
    import duckdb

    paths = {"then": before / CUSTOMERS, "now": build / CUSTOMERS, "old": before / FEATURES, "new": build / FEATURES}
    if not paths["old"].exists():
        return None
    with duckdb.connect() as connection:
        for view, path in paths.items():
            connection.read_parquet(str(path)).create_view(view)
        figures = [
            f"{side}.{name}::double as {said}_{name}"
            if name in {row[0] for row in connection.execute(f"describe {side}").fetchall()}
            else f"null::double as {said}_{name}"
            for side, said in (("old", "before"), ("new", "after"))
            for name in names
        ]
        moved = connection.execute(
            f"""
            select
                coalesce(now.customer_id, "then".customer_id) as customer_id,
                "then".segment_id as from_segment,
                "then".segment_name as from_name,
                now.segment_id as to_segment,
                now.segment_name as to_name,
                {", ".join(figures) or "null"}
            from "then"
            full join now on "then".customer_id = now.customer_id
            left join old on "then".customer_id = old.customer_id
            left join new on now.customer_id = new.customer_id
            where "then".segment_id is distinct from now.segment_id
            order by 1
            """
        ).df()
        sizes = connection.execute('select segment_id, count(*) from "then" group by all order by all').fetchall()
        [both] = connection.execute('select count(*) from "then" semi join now using (customer_id)').fetchall()
        fingerprints = connection.execute('select distinct model_fingerprint from "then" order by all').fetchall()
    return Past(moved, dict(sizes), both[0], tuple(one for (one,) in fingerprints))


def drawn(frame: DataFrame, customers: int) -> pd.DataFrame:
    """At most so many customers, drawn by a hash of their ids: the same ones whatever the partitions."""
    rows: pd.DataFrame = frame.orderBy(F.md5("customer_id"), "customer_id").limit(customers).toPandas()
    return rows


def drawn_rows(rows: pd.DataFrame, customers: int) -> pd.DataFrame:
    """`drawn` of a frame in memory: the same customers in the same order."""
    from hashlib import md5

    keys = [md5(one.encode(), usedforsecurity=False).hexdigest() for one in rows["customer_id"]]
    return rows.assign(_key=keys).sort_values(["_key", "customer_id"]).head(customers).drop(columns="_key")


def _is_number(kind: str) -> bool:
    return kind.startswith("DECIMAL") or kind in {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE"}


def points(sample: pd.DataFrame) -> Any:
    import numpy as np

    return np.array([list(row) for row in sample[transforms.COORDINATES]], dtype=float).reshape(len(sample), -1)
