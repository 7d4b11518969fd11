"""How many customers keep their segment id when segments are found anew four weeks later; prints a row per refit.

Reads the training days in the warehouse of HUAXIANG_HOME (DuckDB) and writes nothing. The recipe's features, scaling
and matching are the family's own; scikit-learn's K-Means stands in for Spark's, with as many segments as the champion.

    HUAXIANG_HOME=var .venv/work/bin/python -m scripts.segment_continuity 6
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

from huaxiang.settings import load_settings
from spark_jobs.segments import matching, nearest
from spark_jobs.segments.model import Segment, SegmentModel
from spark_jobs.segments.params import Feature, SegmentParams
from spark_jobs.segments.transforms import Scaling

if TYPE_CHECKING:
    from spark_jobs.segments.nearest import Floats

PARAMS = SegmentParams()


def main(segments: int) -> None:
    """Refit on every training day, and match each fit with the one before on the customers of its own day."""
    days = _days()
    models = {day: _fit(values, segments) for day, values in days.items()}
    for before, day in zip(list(days)[:-1], list(days)[1:], strict=True):
        old, new = (nearest.segment_ids(nearest.coordinates(days[day], m), m) for m in (models[before], models[day]))
        shared = Counter(zip((new - 1).tolist(), old.tolist(), strict=True))
        kept = matching.matched_ids(shared, [0.0] * segments).kept_share
        print(f"{before} -> {day}  {len(old):,} customers  same id {kept:.1%}")


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
