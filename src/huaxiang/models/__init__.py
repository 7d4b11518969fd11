"""The models step: fit and register models (`train`), score every customer with the champions (`score`).

The life of a model between: `propose`, `train` as candidate, `shadow`, `promote` or `reject`.
"""

from huaxiang.models.scoring import score, score_pinned
from huaxiang.models.training import train, train_proposed

__all__ = ["score", "score_pinned", "train", "train_proposed"]
