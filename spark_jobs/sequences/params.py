"""Every number that decides what the family finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SequenceParams:
    """`held_days`: the last days of a training, by which recipes are judged. `smoothing`: so many observations of the
    unconditional frequencies are added to what is known after a category, or of a customer."""

    window_days: int = 364
    held_days: int = 28
    smoothing: float = 10.0
    top: int = 5
    fewest_judged: int = 30
    bootstraps: int = 500
    seed: int = 1
    # Frequent sequences are mined from the last so many days.
    mined_days: int = 91
    min_support: float = 0.05
    most_categories: int = 30  # only the most widespread ones; the rest would multiply the candidates and say little
    longest: int = 3
    most_sequences: int = 200
