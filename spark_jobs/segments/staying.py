"""Let a refit move only as far from the champion as customers may change segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from spark_jobs.segments import matching, transforms
from spark_jobs.segments.model import Centre, Segment, SegmentModel, assign, nearest
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Way:
    """How good a part of the way from the champion's segments to the refit is: the share of customers who keep their
    segment, and the sum of squared distances to the nearest centre."""

    step: float
    kept: float
    squares: float


@dataclass(frozen=True)
class Settled:
    """The centres to score with, and how far they went; without figures where no champion could be followed."""

    centres: tuple[Centre, ...]
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
            f"the centres went {self.taken.step:.0%} of the way to the refit, so that {self.taken.kept:.1%} of the "
            f"customers keep their segment; all the way {self.refit.kept:.1%} would"
        )


def settle(scaled: DataFrame, known: SegmentModel | None, refit: tuple[Centre, ...], params: SegmentParams) -> Settled:
    """Centres on the straight line from the champion's segments to those of the refit, as far as `least_kept` of the
    customers keep their segment.

    Where even the least step moves more, it is taken; where that would cost more than `most_lost` of the squares, and
    where segments come or go, the refit stands: the customers have changed. `scaled` has the refit's coordinates.
    """
    if known is None or not _can_follow(scaled, known, len(refit)):
        return Settled(refit)
    before = _segments_of(scaled, known).cache()
    pairs = assign(before, _numbered(refit), params.decimals).groupBy("segment_id", "old_id").count().collect()
    shared = {(row.segment_id, row.old_id): row["count"] for row in pairs}
    ids = matching.matched_ids(shared, [0.0] * len(refit)).ids
    old_ids = {segment.segment_id for segment in known.segments}
    starts = _means(before, len(refit[0]))
    if set(ids) != old_ids or set(starts) != old_ids:
        before.unpersist()
        return Settled(refit)
    ends = dict(zip(ids, refit, strict=True))
    lines = {step: between(starts, ends, step, params.decimals) for step in sorted(params.steps, reverse=True)}
    ways = _ways(before, lines, params)
    before.unpersist()
    taken = farthest(ways, params)
    return Settled(tuple(segment.centre for segment in lines[taken.step]), taken, ways[0])


def between(
    starts: Mapping[int, Centre], ends: Mapping[int, Centre], step: float, decimals: int
) -> tuple[Segment, ...]:
    """Segments whose centres lie so far on the way from `starts` to `ends`: 0 at the start, 1 at the end."""

    def centre(one: Centre, other: Centre) -> Centre:
        return tuple(round(a + step * (b - a), decimals) + 0.0 for a, b in zip(one, other, strict=True))

    return tuple(
        Segment(number, "", (), ends[number] if step == 1 else centre(starts[number], ends[number]))
        for number in sorted(ends)
    )


def farthest(ways: Sequence[Way], params: SegmentParams) -> Way:
    """The first of `ways` (the refit first, then ever shorter steps) that keeps enough customers, else the last; the
    refit where that loses too much."""
    taken = next((way for way in ways if way.kept >= params.least_kept), ways[-1])
    return taken if loss(taken, ways[0]) <= params.most_lost else ways[0]


def loss(way: Way, refit: Way) -> float:
    """How much larger the squares are than the refit's, as a share of them."""
    return way.squares / refit.squares - 1 if refit.squares else 0.0


def _can_follow(scaled: DataFrame, known: SegmentModel, k: int) -> bool:
    is_k_means = not any(segment.spread for segment in known.segments)
    has_columns = {scaling.name for scaling in known.scalings} <= set(scaled.columns)
    return k > 1 and len(known.segments) == k and is_k_means and has_columns


def _segments_of(scaled: DataFrame, known: SegmentModel) -> DataFrame:
    """The customers' new coordinates with `old_id`, the segment in which the champion has them today."""
    kept = scaled.withColumnRenamed(transforms.COORDINATES, "refit_coordinates")
    then = assign(transforms.scaled(kept, known.scalings, known.decimals), known.segments, known.decimals)
    return then.select(F.col("refit_coordinates").alias(transforms.COORDINATES), F.col("segment_id").alias("old_id"))


def _means(before: DataFrame, width: int) -> dict[int, Centre]:
    means = [F.avg(F.col(transforms.COORDINATES)[place]).alias(str(place)) for place in range(width)]
    rows = before.groupBy("old_id").agg(*means).collect()
    return {row.old_id: tuple(row[str(place)] for place in range(width)) for row in rows}


def _ways(before: DataFrame, lines: Mapping[float, tuple[Segment, ...]], params: SegmentParams) -> tuple[Way, ...]:
    """All steps in one pass over the customers."""
    figures = []
    for place, segments in enumerate(lines.values()):
        found = nearest(segments, params.decimals)
        is_kept = (found["segment_id"] == F.col("old_id")).cast("double")
        figures += [F.avg(is_kept).alias(f"kept_{place}"), F.sum(found["distance"] ** 2).alias(f"squares_{place}")]
    row = transforms.one_row(before.agg(*figures))
    return tuple(
        Way(step, row[f"kept_{place}"], round(row[f"squares_{place}"], params.decimals))
        for place, step in enumerate(lines)
    )


def _numbered(centres: Sequence[Centre]) -> tuple[Segment, ...]:
    return tuple(Segment(place, "", (), centre) for place, centre in enumerate(centres))
