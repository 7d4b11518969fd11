"""How many customers keep their segment id when segments are found anew four weeks later; prints a row per refit.

Reads the training days in the warehouse of HUAXIANG_HOME (DuckDB; `huaxiang train` leaves them there) and writes
nothing. The recipe's features, scaling, matching and steps are the family's own; scikit-learn's K-Means stands in for
Spark's, with as many segments as the champion. Each refit is followed from the settled one before.

    HUAXIANG_HOME=var .venv/work/bin/python -m scripts.segment_continuity 6
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from huaxiang.settings import load_settings
from spark_jobs.segments import matching, nearest, staying
from spark_jobs.segments.model import Segment, SegmentModel
from spark_jobs.segments.params import Feature, SegmentParams
from spark_jobs.segments.transforms import Scaling

if TYPE_CHECKING:
    from spark_jobs.segments.nearest import Floats, Ids

PARAMS = SegmentParams()


def main(segments: int) -> None:
    """Refit on every training day, and follow each from the one before on the customers of its own day."""
    days = _days()
    known: SegmentModel | None = None
    for day, values in days.items():
        refit = _fit(values, segments)
        if known is None:
            known = refit
            continue
        before = nearest.segment_ids(nearest.coordinates(values, known), known)
        lines, ways = _ways(nearest.coordinates(values, refit), before, refit)
        taken = staying.farthest(ways, PARAMS)
        print(
            f"{day}  {len(before):,} customers  same id {ways[0].kept:.1%} by the refit, {taken.kept:.1%} at"
            f" {taken.step:.0%} of the way, squares {staying.loss(taken, ways[0]):+.2%}"
        )
        known = replace(refit, segments=lines[taken.step])


def _ways(
    points: Floats, before: Ids, refit: SegmentModel
) -> tuple[dict[float, tuple[Segment, ...]], list[staying.Way]]:
    """What `staying.settle` looks at, for customers in memory."""
    found = nearest.segment_ids(points, refit)
    shared = Counter(zip((found - 1).tolist(), before.tolist(), strict=True))
    ids = matching.matched_ids(shared, [0.0] * len(refit.segments)).ids
    ends = {number: segment.centre for number, segment in zip(ids, refit.segments, strict=True)}
    starts = {number: tuple(points[before == number].mean(axis=0)) for number in ends}
    lines = {step: staying.between(starts, ends, step, PARAMS.decimals) for step in PARAMS.steps}
    ways = []
    for step, segments in lines.items():
        model = replace(refit, segments=segments)
        kept = float((nearest.segment_ids(points, model) == before).mean())
        ways.append(staying.Way(step, kept, float((nearest.distances(points, model).min(axis=1) ** 2).sum())))
    return lines, ways


def _days() -> dict[date, Floats]:
    import duckdb

    columns = ", ".join(f"{feature.name}::double as {feature.name}" for feature in PARAMS.features)
    with duckdb.connect(str(load_settings().home.duckdb_file), read_only=True) as warehouse:
        days = warehouse.execute("select distinct as_of from features.customer_features order by 1").fetchall()
        query = f"select {columns} from features.customer_features where as_of = $1 order by customer_id"
        return {day: warehouse.execute(query, [day]).df().to_numpy(dtype=float) for (day,) in days}


def _fit(values: Floats, segments: int) -> SegmentModel:
    from sklearn.cluster import KMeans

    scalings = tuple(_scaling(feature, values[:, place]) for place, feature in enumerate(PARAMS.features))
    scaled = SegmentModel("", "", PARAMS.decimals, scalings, (), {})
    points = nearest.coordinates(values, scaled)
    centres = KMeans(segments, n_init=PARAMS.fit_starts, random_state=PARAMS.seed).fit(points).cluster_centers_
    found = (Segment(number, "", (), tuple(map(float, centre))) for number, centre in enumerate(centres, start=1))
    return SegmentModel("", "", PARAMS.decimals, scalings, tuple(found), {})


def _scaling(feature: Feature, values: Floats) -> Scaling:
    import numpy as np

    fill = float(np.nanmedian(values))
    known = np.where(np.isnan(values), fill, values)
    level = np.log1p(np.maximum(known, feature.least) * feature.scale) if feature.is_skewed else known
    mean, deviation = float(level.mean()), float(level.std())
    return Scaling(
        feature.name,
        feature.is_skewed,
        feature.scale,
        feature.least,
        fill,
        mean,
        deviation,
        PARAMS.clip,
        feature.weight,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
