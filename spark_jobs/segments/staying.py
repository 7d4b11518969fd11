"""Let a refit move only as far from the champion as customers may change segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from spark_jobs.segments import matching, transforms
from spark_jobs.segments.model import Segment, SegmentModel, assign, nearest
from spark_jobs.segments.params import SegmentParams
from spark_jobs.segments.transforms import Scaling

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Groups:
    """Segments, and the scales that their centres are in."""

    scalings: tuple[Scaling, ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Way:
    """How good a part of the way from the champion's segments to the refit is: the share of customers who keep their
    segment, and the sum of squared distances to the nearest centre, in the refit's scales."""

    step: float
    kept: float
    squares: float


@dataclass(frozen=True)
class Settled:
    """The groups to score with, and how far they went; without figures where no champion could be followed."""

    groups: Groups
    taken: Way | None = None
    refit: Way | None = None

    @property
    def figures(self) -> dict[str, float]:
        """For MLflow; the loss is that of squares, as a share of the refit's."""
        if self.taken is None or self.refit is None:
            return {}
        return {
            "settled_step": self.taken.step,
            "settled_kept_share": round(self.taken.kept, 6),
            "settled_loss": round(loss(self.taken, self.refit), 6),
            "refit_kept_share": round(self.refit.kept, 6),
        }

    @property
    def note(self) -> str | None:
        """What a reader should know of a refit that was held back."""
        if self.taken is None or self.refit is None or self.taken.step == 1:
            return None
        return (
            f"the centres and their scales went {self.taken.step:.0%} of the way to the refit, so that "
            f"{self.taken.kept:.1%} of the customers keep their segment; all the way {self.refit.kept:.1%} would"
        )


def settle(scaled: DataFrame, known: SegmentModel | None, refit: Groups, params: SegmentParams) -> Settled:
    """Groups on the way from the champion to the refit, as far as `least_kept` of the customers keep their segment.

    No step at all is the champion itself; half-way are its segments as its customers lie today in the refit's scales.
    Where it would cost more than `most_lost` of the squares, and where segments come or go, the refit stands: the
    customers have changed. `scaled` has the refit's coordinates and all features.
    """
    if known is None or not _can_follow(known, refit):
        return Settled(refit)
    then = Groups(known.scalings, known.segments)
    before = _with_segment(scaled, then, params).cache()
    pairs = assign(before, refit.segments, params.decimals).groupBy("segment_id", "old_id").count().collect()
    shared = {(row.segment_id, row.old_id): row["count"] for row in pairs}
    now = numbered(refit, shared)
    today = Groups(refit.scalings, _means(before, len(refit.scalings)))
    if not ids(then) == ids(today) == ids(now):
        before.unpersist()
        return Settled(refit)
    stops = (then, today, now)
    ways: list[Way] = []
    for step in sorted(params.steps, reverse=True):
        ways.append(_way(before, step, along(stops, step, params.decimals), now, params))
        if ways[-1].kept >= params.least_kept:
            break
    before.unpersist()
    taken = farthest(ways, params)
    return Settled(along(stops, taken.step, params.decimals), taken, ways[0])


def ids(groups: Groups) -> set[int]:
    return {segment.segment_id for segment in groups.segments}


def numbered(refit: Groups, shared: Mapping[tuple[int, int], int]) -> Groups:
    """The refit with the champion's ids; `shared[id, old_id]` counts the customers of both, ids being places + 1."""
    counts = {(number - 1, old_id): count for (number, old_id), count in shared.items()}
    matched = zip(matching.matched_ids(counts, [0.0] * len(refit.segments)).ids, refit.segments, strict=True)
    return replace(refit, segments=tuple(replace(one, segment_id=number) for number, one in matched))


def along(stops: Sequence[Groups], step: float, decimals: int) -> Groups:
    """So far on the way over `stops`, which are equally far apart: 0 is the first, 1 the last."""
    stop = min(int(step * (len(stops) - 1)), len(stops) - 2)
    return between(stops[stop], stops[stop + 1], step * (len(stops) - 1) - stop, decimals)


def between(then: Groups, now: Groups, step: float, decimals: int) -> Groups:
    """Centres and scales so far on the straight way from `then` to `now`: 0 is the one, 1 the other. Ids are equal."""
    if step in (0, 1):
        return now if step else then

    def part(a: float, b: float) -> float:
        return round(a + step * (b - a), decimals) + 0.0

    def scaling(one: Scaling, other: Scaling) -> Scaling:
        # A deviation is a factor: half-way from 1 to 4 is 2.
        deviation = round(one.deviation ** (1 - step) * other.deviation**step, decimals)
        return replace(other, fill=part(one.fill, other.fill), mean=part(one.mean, other.mean), deviation=deviation)

    scalings = tuple(map(scaling, then.scalings, now.scalings))
    starts = {one.segment_id: one.centre for one in in_scales(then, scalings)}
    segments = tuple(
        replace(one, centre=tuple(map(part, starts[one.segment_id], one.centre))) for one in in_scales(now, scalings)
    )
    return Groups(scalings, segments)


def in_scales(groups: Groups, scalings: Sequence[Scaling]) -> tuple[Segment, ...]:
    """The segments with the same centres told in other scales of the same features."""

    def coordinate(value: float, one: Scaling, other: Scaling) -> float:
        level = one.mean + value / one.weight * one.deviation
        return (level - other.mean) / other.deviation * other.weight

    return tuple(
        replace(segment, centre=tuple(map(coordinate, segment.centre, groups.scalings, scalings)))
        for segment in groups.segments
    )


def farthest(ways: Sequence[Way], params: SegmentParams) -> Way:
    """The first of `ways` (the refit first, then ever shorter steps) that keeps enough customers, else the last; the
    refit where that loses too much."""
    taken = next((way for way in ways if way.kept >= params.least_kept), ways[-1])
    return taken if loss(taken, ways[0]) <= params.most_lost else ways[0]


def loss(way: Way, refit: Way) -> float:
    """How much larger the squares are than the refit's, as a share of them."""
    return way.squares / refit.squares - 1 if refit.squares else 0.0


def _can_follow(known: SegmentModel, refit: Groups) -> bool:
    is_k_means = not any(segment.spread for segment in known.segments)
    is_as_many = 1 < len(refit.segments) == len(known.segments)
    return is_k_means and is_as_many and _shapes(known.scalings) == _shapes(refit.scalings)


def _shapes(scalings: Sequence[Scaling]) -> list[Scaling]:
    """What of the scalings is chosen, not measured."""
    return [replace(one, fill=0.0, mean=0.0, deviation=1.0) for one in scalings]


def _with_segment(scaled: DataFrame, then: Groups, params: SegmentParams) -> DataFrame:
    """The customers with `old_id`, the segment in which the champion has them today."""
    there = transforms.scaled(scaled, then.scalings, params.decimals, "then")
    return there.withColumn("old_id", nearest(then.segments, params.decimals, "then")["segment_id"]).drop("then")


def _means(before: DataFrame, width: int) -> tuple[Segment, ...]:
    """The champion's segments, with the means of today's customers as centres."""
    means = [F.avg(F.col(transforms.COORDINATES)[place]).alias(str(place)) for place in range(width)]
    rows = before.groupBy("old_id").agg(*means).collect()
    return tuple(Segment(row.old_id, "", (), tuple(row[str(place)] for place in range(width))) for row in rows)


def _way(before: DataFrame, step: float, groups: Groups, refit: Groups, params: SegmentParams) -> Way:
    there = transforms.scaled(before, groups.scalings, params.decimals, "there")
    is_kept = nearest(groups.segments, params.decimals, "there")["segment_id"] == F.col("old_id")
    away = nearest(in_scales(groups, refit.scalings), params.decimals)["distance"]
    row = transforms.one_row(there.agg(F.avg(is_kept.cast("double")).alias("kept"), F.sum(away**2).alias("squares")))
    return Way(step, row["kept"], round(row["squares"], params.decimals))
