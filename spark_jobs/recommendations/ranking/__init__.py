"""Rank products for one customer's history: plain numpy, the same code in Spark's workers and in the served model.

It imports none of our packages but itself, since the served model carries these very files. Nothing here is about a
customer but the history that is handed in.
"""

from .arrays import largest, positions
from .candidates import (
    ALS,
    COMPONENTS,
    CONTENT,
    EASE,
    ITEMS,
    OWN_COUNT,
    OWN_RECENT,
    POPULARITY,
    SVD,
    Candidates,
    weights_of,
)
from .figures import EXTRAS, UNKNOWN
from .history import HALF_LIVES, LATELY_DAYS, NOTHING, History, interest, summed_up
from .known import NEVER, Products
from .scoring import Ranker

# All a learned ranker's skops file may hold beyond numpy and scikit-learn's plain types.
TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]

__all__ = [
    "ALS",
    "COMPONENTS",
    "CONTENT",
    "EASE",
    "EXTRAS",
    "HALF_LIVES",
    "ITEMS",
    "LATELY_DAYS",
    "NEVER",
    "NOTHING",
    "OWN_COUNT",
    "OWN_RECENT",
    "POPULARITY",
    "SVD",
    "TRUSTED",
    "UNKNOWN",
    "Candidates",
    "History",
    "Products",
    "Ranker",
    "interest",
    "largest",
    "positions",
    "summed_up",
    "weights_of",
]
