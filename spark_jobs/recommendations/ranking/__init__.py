"""Rank products for one customer's history: plain numpy, the same code in Spark's workers and in the served model.

It imports none of our packages but itself, since the served model carries these very files. Nothing here is about a
customer but the history that is handed in.
"""

from .arrays import largest, positions
from .history import (
    ALS,
    COMPONENTS,
    CONTENT,
    EASE,
    EXTRAS,
    ITEMS,
    NEVER,
    NOTHING,
    OWN_COUNT,
    OWN_RECENT,
    POPULARITY,
    SVD,
    Candidates,
    History,
    weights_of,
)
from .known import Products
from .scoring import Ranker

# All a learned ranker's skops file may hold beyond numpy and scikit-learn's plain types.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]

__all__ = [
    "ALS",
    "COMPONENTS",
    "CONTENT",
    "EASE",
    "EXTRAS",
    "ITEMS",
    "NEVER",
    "NOTHING",
    "OWN_COUNT",
    "OWN_RECENT",
    "POPULARITY",
    "SVD",
    "TRUSTED",
    "Candidates",
    "History",
    "Products",
    "Ranker",
    "largest",
    "positions",
    "weights_of",
]
