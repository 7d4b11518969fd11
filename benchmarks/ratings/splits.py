"""Which marks are learned from and which are foretold: as a published table did it, and as time does it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.ratings.marks import Marks


@dataclass(frozen=True)
class Split:
    """What is learned from, and what is foretold: the films a user gave a mark later, or by chance."""

    learned: Marks
    held: Marks


def by_chance(marks: Marks, share: float = 0.75, seed: int = 42) -> Split:
    """That share of each user's marks, drawn by chance, as `python_stratified_split` drew them for the published table:
    SAR on it has the published figures to the last digit. (It draws otherwise today.)

    It learns from marks given after those it foretells, as no recommender can. It serves to read a published table that
    was made so, and for nothing else: `huaxiang train` splits by time alone.
    """
    is_learned = np.zeros(len(marks.user), dtype=bool)
    of_users = np.split(np.argsort(marks.user, kind="stable"), np.cumsum(np.bincount(marks.user))[:-1])
    for places in of_users:
        order = np.random.RandomState(seed).permutation(len(places))
        is_learned[places[order[: round(share * len(places))]]] = True
    return Split(marks.of(is_learned), marks.of(~is_learned))


def by_time(marks: Marks, share: float = 0.8) -> Split:
    """All marks up to the instant by which that share of them was given, of whomever; and those after it."""
    is_learned = marks.at <= np.quantile(marks.at, share, method="lower")
    return Split(marks.of(is_learned), marks.of(~is_learned))
