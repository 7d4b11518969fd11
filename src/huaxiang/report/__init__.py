"""The static pages people read, built from the sealed tables of a run."""

from huaxiang.report.build import build

__all__ = ["build"]
