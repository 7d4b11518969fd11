"""Which recipe scores from now on: a new one must win, the one in use only must not become clearly worse.

A recipe is an algorithm with its features and parameters; the one-line baseline is a recipe too. All are fitted on the
same data and judged on the same customers, so their differences are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """A figure with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float

    def figures(self, name: str) -> dict[str, float]:
        """The three under the names by which runs and cards keep them."""
        return {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}


@dataclass(frozen=True)
class Decision:
    """The recipe that wins a training, the best loser worth keeping in the registry, and why, in a sentence."""

    winner: str
    challenger: str | None
    reason: str

    def outcome(self, recipe: str) -> str:
        """What became of a recipe: 'won', 'challenger' or 'lost'."""
        return {self.challenger: "challenger", self.winner: "won"}.get(recipe, "lost")


Differences = Callable[[str, str], Interval]


def decide(metric: Mapping[str, float], difference: Differences, baseline: str, champion: str | None) -> Decision:
    """Choose among the recipes of `metric` (higher is better).

    `difference(a, b)` is the paired difference a - b with its interval. `champion` is the recipe in use, None before
    the first training; a recipe that no longer exists counts as none, and then the baseline is what has to be beaten.
    Another recipe wins when the lower bound of its difference is above 0 against the baseline and against the
    champion; of several, the one with the best figure. The baseline itself can win back.
    """
    incumbent = champion if champion is not None and champion in metric else baseline
    others = sorted((name for name in metric if name != incumbent), key=lambda name: (-metric[name], name))
    usable = [name for name in others if name == baseline or difference(name, baseline).low > 0]
    winner = next((name for name in usable if difference(name, incumbent).low > 0), None)
    challenger = next((name for name in usable if name not in (winner, baseline)), None)
    if winner:
        return Decision(winner, challenger, f"{winner} beats {incumbent} by {_said(difference(winner, incumbent))}")
    if not others:
        return Decision(incumbent, None, f"{incumbent} was the only recipe")
    best = others[0]
    nearest = _said(difference(best, incumbent))
    return Decision(
        incumbent, challenger, f"no recipe surely beats {incumbent}; the best of them, {best}, by {nearest}"
    )


@dataclass(frozen=True)
class Judging:
    """All that `decide` looks at, without the data: so it can decide again when the champion is another one by then."""

    metric: Mapping[str, float]
    differences: Mapping[str, Mapping[str, Interval]]  # of every two recipes, both ways round
    baseline: str

    def decide(self, champion: str | None) -> Decision:
        return decide(self.metric, lambda one, other: self.differences[one][other], self.baseline, champion)


def judging(metric: Mapping[str, float], difference: Differences, baseline: str) -> Judging:
    """Look at every two recipes of a training, whichever of them is the champion."""
    differences = {one: {other: difference(one, other) for other in metric if other != one} for one in metric}
    return Judging(metric, differences, baseline)


def _said(found: Interval) -> str:
    return f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"
