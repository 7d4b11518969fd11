"""The nearest centre in numpy: as `transforms` and `model` do it in Spark while they fit, to the last rounded digit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from spark_jobs.segments.model import SegmentModel
from spark_jobs.segments.transforms import Scaling

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]


def coordinates(values: Floats, model: SegmentModel) -> Floats:
    """Raw figures (a column per scaling; NaN where unknown) as coordinates, one row per customer."""
    import numpy as np

    points: Floats = np.zeros((len(values), len(model.scalings)))
    for place, scaling in enumerate(model.scalings):
        points[:, place] = np.round(_coordinate(values[:, place], scaling), model.decimals)
    return points


def distances(points: Floats, model: SegmentModel) -> Floats:
    """The rounded distance of each point to each segment's centre, in the order of the model's segments."""
    import numpy as np

    shape = len(model.segments), points.shape[1]
    centres = np.array([segment.centre for segment in model.segments]).reshape(shape)
    widths = np.array([segment.widths for segment in model.segments]).reshape(shape)
    offsets = np.array([segment.offset for segment in model.segments])
    squares = (((points[:, None, :] - centres) / widths) ** 2).sum(axis=2) + offsets
    rounded: Floats = np.round(np.sqrt(squares), model.decimals)
    return rounded


def segment_ids(points: Floats, model: SegmentModel) -> Ids:
    """The segment of each point; of equally near ones the lowest id."""
    import numpy as np

    order = np.argsort([segment.segment_id for segment in model.segments])
    ids = np.array([model.segments[place].segment_id for place in order], dtype=np.int64)
    return ids[distances(points, model)[:, order].argmin(axis=1)]


def assigned(rows: pd.DataFrame, model: SegmentModel) -> pd.DataFrame:
    """Add `segment_id`, `segment_name` and `distance` to customers with the model's features."""
    import numpy as np

    values = rows[[scaling.name for scaling in model.scalings]].to_numpy(dtype=float)
    ordered = replace(model, segments=tuple(sorted(model.segments, key=lambda segment: segment.segment_id)))
    away = distances(coordinates(values, ordered), ordered)
    nearest = away.argmin(axis=1)  # of equally near ones the lowest id
    return rows.assign(
        segment_id=np.array([segment.segment_id for segment in ordered.segments], dtype=np.int64)[nearest],
        segment_name=np.array([segment.name for segment in ordered.segments], dtype=object)[nearest],
        distance=away[np.arange(len(rows)), nearest],
    )


def _coordinate(values: Floats, scaling: Scaling) -> Floats:
    import numpy as np

    known = np.where(np.isnan(values), scaling.fill, values)
    level = np.log1p(np.maximum(known, scaling.least) * scaling.scale) if scaling.is_skewed else known
    standard = (level - scaling.mean) / scaling.deviation
    clipped: Floats = np.clip(standard, -scaling.clip, scaling.clip) * scaling.weight
    return clipped
