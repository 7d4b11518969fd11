"""From customer features to scaled coordinates: frame in, frame out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from spark_jobs.segments.params import Feature, SegmentParams

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Row

COORDINATES = "coordinates"


@dataclass(frozen=True)
class Scaling:
    """How a feature becomes a coordinate: fill, log(1 + scale * max(x, least)) if skewed, standardise, clip, weigh."""

    name: str
    is_skewed: bool
    scale: float
    least: float
    fill: float
    mean: float
    deviation: float
    clip: float
    weight: float


def in_fixed_order(features: DataFrame, row_count: int, params: SegmentParams) -> DataFrame:
    """The same rows in partitions and an order that depend on the rows alone, not on how they were read."""
    partitions = 1 + row_count // params.rows_per_partition
    return features.repartition(partitions, "customer_id").sortWithinPartitions("customer_id")


def with_doubles(features: DataFrame) -> DataFrame:
    """All figures as double, so that decimals and counts scale alike; ids, texts and days stay as they are."""
    numbers = {"tinyint", "smallint", "int", "bigint", "float", "double"}
    return features.select(
        *(
            F.col(name).cast("double").alias(name) if kind in numbers or kind.startswith("decimal") else F.col(name)
            for name, kind in features.dtypes
        )
    )


def measure(features: DataFrame, params: SegmentParams) -> tuple[Scaling, ...]:
    """The scaling of every wanted feature that is there and differs between customers."""
    wanted = [feature for feature in params.features if feature.name in features.columns]
    if not wanted:
        return ()
    fills = one_row(features.agg(*(F.round(F.median(f.name), params.decimals).alias(f.name) for f in wanted)))
    known = [(feature, fills[feature.name]) for feature in wanted if fills[feature.name] is not None]
    if not known:
        return ()
    levels = {feature.name: _level(feature, fill) for feature, fill in known}
    means = [F.round(F.avg(level), params.decimals).alias(f"{name}_mean") for name, level in levels.items()]
    deviations = [F.round(F.stddev_pop(lv), params.decimals).alias(f"{name}_deviation") for name, lv in levels.items()]
    spread = one_row(features.agg(*means, *deviations))
    return tuple(
        Scaling(
            name=feature.name,
            is_skewed=feature.is_skewed,
            scale=feature.scale,
            least=feature.least,
            fill=fill,
            mean=spread[f"{feature.name}_mean"],
            deviation=spread[f"{feature.name}_deviation"],
            clip=params.clip,
            weight=feature.weight,
        )
        for feature, fill in known
        if spread[f"{feature.name}_deviation"] > 0
    )


def scaled(features: DataFrame, scalings: tuple[Scaling, ...], decimals: int, column: str = COORDINATES) -> DataFrame:
    """Add the array column of coordinates, one rounded double per scaling, in its order."""
    coordinates = [F.round(_coordinate(scaling), decimals) for scaling in scalings]
    empty = F.array().cast("array<double>")
    return features.withColumn(column, F.array(*coordinates) if coordinates else empty)


def one_row(frame: DataFrame) -> Row:
    """The only row of an aggregate without groups."""
    [row] = frame.collect()
    return row


def _coordinate(scaling: Scaling) -> Column:
    standard = (_level(scaling, scaling.fill) - scaling.mean) / scaling.deviation
    clipped = F.greatest(F.lit(-scaling.clip), F.least(F.lit(scaling.clip), standard))
    return clipped * scaling.weight


def _level(feature: Feature | Scaling, fill: float) -> Column:
    known = F.coalesce(F.col(feature.name), F.lit(fill))
    # Returns can make a sum negative; below nothing there is no logarithm, and "nothing" is what it means here.
    return F.log1p(F.greatest(known, F.lit(feature.least)) * feature.scale) if feature.is_skewed else known
