"""One pair: the same work done by ours and by a reference, with equal results, timed in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any


class DifferentResults(Exception):
    """The two sides of a pair do not do the same work, so their times say nothing."""


@dataclass(frozen=True)
class Side:
    """`work` is timed and returns what both sides must agree on; `prepare` runs before each, untimed."""

    name: str
    work: Callable[[], Any]
    prepare: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Pair:
    """What is compared, and what a reader should make of it. `check` turns a result into what must be equal."""

    name: str
    ours: Side
    reference: Side
    meaning: str
    repeats: int
    warm_up: bool = False  # each side once before, untimed: imports and compilers are not what is compared
    check: Callable[[Any], Any] = lambda result: result
    clock: Callable[[], float] = (
        time.perf_counter
    )  # or time.process_time: CPU seconds, which other programs do not change


@dataclass(frozen=True)
class Measured:
    """Seconds of both sides, a figure per repeat."""

    name: str
    ours_name: str
    reference_name: str
    meaning: str
    ours: tuple[float, ...]
    reference: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Median of ours over median of the reference: above 1, ours takes longer."""
        return median(self.ours) / median(self.reference)

    @property
    def extremes(self) -> tuple[float, float]:
        """The least and the largest ratio of one repeat to the one measured beside it."""
        each = [ours / reference for ours, reference in zip(self.ours, self.reference, strict=True)]
        return min(each), max(each)


def measure(pair: Pair) -> Measured:
    """Do both sides in turn, so often as the pair says. Raises DifferentResults when they do not agree."""
    seconds: dict[str, list[float]] = {"ours": [], "reference": []}
    for side in (pair.ours, pair.reference) if pair.warm_up else ():
        side.prepare()
        side.work()
    for number in range(pair.repeats):
        results = {}
        order = (
            ("ours", "reference") if number % 2 == 0 else ("reference", "ours")
        )  # neither always profits from the first
        for which in order:
            side = pair.ours if which == "ours" else pair.reference
            side.prepare()
            began = pair.clock()
            result = side.work()
            seconds[which].append(pair.clock() - began)
            results[which] = pair.check(result)
        if results["ours"] != results["reference"]:
            raise DifferentResults(
                f"{pair.name}: {pair.ours.name} gave {_short(results['ours'])}, "
                f"{pair.reference.name} {_short(results['reference'])}"
            )
    names = (pair.name, pair.ours.name, pair.reference.name, pair.meaning)
    return Measured(*names, tuple(seconds["ours"]), tuple(seconds["reference"]))


def _short(result: Any) -> str:
    text = str(result)
    return text if len(text) <= 200 else f"{text[:200]} ..."
