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
from spark_jobs.segments import nearest, staying
from spark_jobs.segments.model import Segment, SegmentModel
from spark_jobs.segments.params import Feature, SegmentParams
from spark_jobs.segments.staying import Groups
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
        stops = _stops(values, before, known, refit)
        if len({frozenset(staying.ids(stop)) for stop in stops}) > 1:
            print(f"{day}  {len(before):,} customers  a segment came or went: the refit stands")
            known = refit
            continue
        lines = {step: staying.along(stops, step, PARAMS.decimals) for step in PARAMS.steps}
        ways = [_way(step, groups, values, before, refit) for step, groups in lines.items()]
        taken = staying.farthest(ways, PARAMS)
        print(
            f"{day}  {len(before):,} customers  same id {ways[0].kept:.1%} by the refit, {taken.kept:.1%} at"
            f" {taken.step:.0%} of the way, squares {staying.loss(taken, ways[0]):+.2%}"
        )
        known = _model(refit, lines[taken.step])


def _stops(values: Floats, before: Ids, known: SegmentModel, refit: SegmentModel) -> tuple[Groups, Groups, Groups]:
    """What the way of `staying.settle` leads over, for customers in memory."""
    points = nearest.coordinates(values, refit)
    shared = Counter(zip(nearest.segment_ids(points, refit).tolist(), before.tolist(), strict=True))
    now = staying.numbered(Groups(refit.scalings, refit.segments), shared)
    means = {int(number): tuple(points[before == number].mean(axis=0)) for number in sorted(set(before))}
    today = replace(now, segments=tuple(Segment(number, "", (), centre) for number, centre in means.items()))
    return Groups(known.scalings, known.segments), today, now


def _way(step: float, groups: Groups, values: Floats, before: Ids, refit: SegmentModel) -> staying.Way:
    there, moved = _model(refit, groups), replace(refit, segments=staying.in_scales(groups, refit.scalings))
    kept = nearest.segment_ids(nearest.coordinates(values, there), there) == before
    away = nearest.distances(nearest.coordinates(values, refit), moved).min(axis=1)
    return staying.Way(step, float(kept.mean()), float((away**2).sum()))


def _model(refit: SegmentModel, groups: Groups) -> SegmentModel:
    return replace(refit, scalings=groups.scalings, segments=groups.segments)


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
