"""The champion of the segments: its model, and what it needs to score."""

from __future__ import annotations

from huaxiang import tracking
from huaxiang.settings import Settings
from spark_jobs.segments import outliers
from spark_jobs.segments.model import SegmentModel, from_json

TARGET = "segments"
MODEL_FILE = "segments.json"


def model(settings: Settings) -> SegmentModel | None:
    """The champion, or None where there is none or nobody can say."""
    version = tracking.incumbent(settings, TARGET)
    return read(settings, version) if version else None


def read(settings: Settings, version: tracking.Version) -> SegmentModel:
    """The model of a version."""
    return from_json(tracking.model_file(settings, version, MODEL_FILE))


def needed(model: SegmentModel) -> set[str]:
    """The features that scoring reads."""
    return {scaling.name for scaling in model.scalings} | outliers.needed(model.crowd)
