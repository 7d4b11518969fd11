"""The segment model: K-Means centres that were rounded, and assignment to the nearest of them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from spark_jobs.segments import outliers
from spark_jobs.segments.params import SegmentParams
from spark_jobs.segments.transforms import COORDINATES, Scaling, one_row

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Centre = tuple[float, ...]


@dataclass(frozen=True)
class Segment:
    """A segment of a model version: its stable id, its name, the tested words behind it, its centre.

    A segment of a mixture also has its standard deviation in every direction, by which distances are divided, and what
    is added to their square. Without them all directions and segments count alike.
    """

    segment_id: int
    name: str
    words: tuple[str, ...]
    centre: Centre
    spread: Centre = ()
    offset: float = 0.0

    @property
    def widths(self) -> Centre:
        return self.spread or (1.0,) * len(self.centre)


@dataclass(frozen=True)
class SegmentModel:
    """All that scoring needs. As JSON it holds no customer's row."""

    training_as_of: str
    fingerprint: str
    decimals: int
    scalings: tuple[Scaling, ...]
    segments: tuple[Segment, ...]
    report: dict[str, Any]  # metrics, k table, baseline and notes of the fit, for readers
    crowd: outliers.Crowd | None = None  # what is usual; without it nobody is told to be unlike everybody

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


def from_json(text: str) -> SegmentModel:
    """The model that `to_json` wrote."""
    said = json.loads(text)
    said["scalings"] = tuple(Scaling(**scaling) for scaling in said["scalings"])
    said["segments"] = tuple(
        Segment(
            s["segment_id"],
            s["name"],
            tuple(s["words"]),
            tuple(s["centre"]),
            tuple(s.get("spread", ())),
            s.get("offset", 0.0),
        )
        for s in said["segments"]
    )
    said["crowd"] = outliers.from_said(said.get("crowd"))
    return SegmentModel(**said)


def fit(scaled: DataFrame, k: int, params: SegmentParams) -> tuple[Centre, ...]:
    """Rounded centres of Spark's K-Means, the best of several starts, in ascending order.

    `scaled` must come from `in_fixed_order`: K-Means draws its starts by partition, so labels follow from the rows
    only when partitions and order do.
    """
    from pyspark.ml.clustering import KMeans
    from pyspark.ml.functions import array_to_vector

    if k == 1:
        width = one_row(scaled.agg(F.max(F.size(COORDINATES)).alias("width")))["width"]
        means = [F.avg(F.col(COORDINATES)[i]).alias(str(i)) for i in range(width)]
        return (_rounded(one_row(scaled.agg(*means)) if means else (), params.decimals),)
    points = scaled.select(array_to_vector(F.col(COORDINATES)).alias("features")).cache()
    fits = []
    for seed in range(params.seed, params.seed + params.fit_starts):
        model = KMeans(k=k, seed=seed, maxIter=params.max_iterations, tol=params.tolerance).fit(points)
        fits.append((round(model.summary.trainingCost, params.decimals), seed, model.clusterCenters()))
    points.unpersist()
    _, _, centres = min(fits, key=lambda fitted: fitted[:2])
    return tuple(sorted(_rounded(centre, params.decimals) for centre in centres))


def assign(scaled: DataFrame, segments: tuple[Segment, ...], decimals: int) -> DataFrame:
    """Add `segment_id`, `segment_name` and `distance` (to the centre, rounded); of equally near ones the lowest id."""
    found = scaled.withColumn("nearest", nearest(segments, decimals))
    return found.select(*scaled.columns, "nearest.segment_id", "nearest.segment_name", "nearest.distance")


def nearest(segments: tuple[Segment, ...], decimals: int, column: str = COORDINATES) -> Column:
    """`distance`, `segment_id` and `segment_name` of the segment whose centre is nearest, as one struct."""
    options = []
    for segment in segments:
        along = enumerate(zip(segment.centre, segment.widths, strict=True))
        squares = [((F.col(column)[i] - value) / width) ** 2 for i, (value, width) in along]
        distance = F.sqrt(sum(squares, F.lit(segment.offset)))
        options.append(
            F.struct(
                F.round(distance, decimals).alias("distance"),
                F.lit(segment.segment_id).cast("bigint").alias("segment_id"),
                F.lit(segment.name).alias("segment_name"),
            )
        )
    # Structs compare field by field: the distance first, then the id.
    return F.array_min(F.array(*options))


def unnamed(centres: Any, decimals: int, spreads: Any = None, offsets: Any = None) -> tuple[Segment, ...]:
    """Segments for the time before ids and names are known, by centre: the id is the place + 1."""
    spread = [_rounded(one, decimals) for one in spreads] if spreads is not None else [()] * len(centres)
    offset = [round(float(one), decimals) + 0.0 for one in offsets] if offsets is not None else [0.0] * len(centres)
    ordered = sorted(zip((_rounded(centre, decimals) for centre in centres), spread, offset, strict=True))
    return tuple(Segment(place, "", (), *one) for place, one in enumerate(ordered, start=1))


def _rounded(values: Any, decimals: int) -> Centre:
    # Adding 0 turns -0.0 into 0.0.
    return tuple(round(float(value), decimals) + 0.0 for value in values)
