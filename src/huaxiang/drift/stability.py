"""The population stability index: how far one distribution has moved from another.

Source: Siddiqi, "Credit Risk Scorecards" (2006): below 0.1 little has moved, from 0.25 on much has.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log

LITTLE, MUCH = 0.1, 0.25
BANDS = 10
_LEAST = 1e-4  # an empty band would make the index infinite


def index(reference: Sequence[float], today: Sequence[float]) -> float:
    """The index of two lists of shares over the same bands; 0 for equal ones, symmetric, without an upper limit."""
    pairs = ((max(was, _LEAST), max(now, _LEAST)) for was, now in zip(reference, today, strict=True))
    return round(sum((now - was) * log(now / was) for was, now in pairs), 6)


def status(psi: float) -> str:
    return "steady" if psi < LITTLE else "moving" if psi < MUCH else "moved"
