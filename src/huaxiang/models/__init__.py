"""The models step: fit and register models (`train`), score every customer with the champions (`score`)."""

from huaxiang.models.scoring import score, score_pinned
from huaxiang.models.training import train

__all__ = ["score", "score_pinned", "train"]
