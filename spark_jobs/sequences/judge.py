"""Which recipe foresees the next step best, on days that none of them saw: log-loss and hits, per customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from huaxiang.judging import resampling
from huaxiang.judging.resampling import Replicates
from huaxiang.tracking.promotion import Interval
from spark_jobs.sequences.chains import FREQUENCIES, Baskets, Counts, probabilities, up_to
from spark_jobs.sequences.params import SequenceParams

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np


@dataclass(frozen=True)
class Judged:
    """Sums per customer (rows) of each recipe: `sums[recipe][figure]`; `cases` is how many there are of each."""

    cases: np.ndarray
    sums: dict[str, dict[str, np.ndarray]]
    drawn: np.ndarray  # how often each customer is drawn in each resample

    def figure(self, recipe: str, name: str) -> Interval:
        """Mean over all cases, with its 95 % interval by bootstrap over customers."""
        return self._drawn(recipe, name).interval()

    def difference(self, one: str, other: str, name: str) -> Interval:
        """The paired difference one - other."""
        return self._drawn(one, name).minus(self._drawn(other, name)).interval()

    def _drawn(self, recipe: str, name: str) -> Replicates:
        return resampling.of_draws((self.sums[recipe][name] @ self.drawn) / (self.cases @ self.drawn))


def judge(
    found: Baskets, counts: Counts, first: np.datetime64, recipes: Sequence[str], params: SequenceParams
) -> Judged:
    """Each category of each step from `first` on that follows another step of its sequence is a case."""
    import numpy as np

    places = np.flatnonzero((found.sequence[1:] == found.sequence[:-1]) & (found.day[1:] >= first))
    customer = found.customer[places]
    before, after, so_far = found.held[places], found.held[places + 1].tocoo(), up_to(found, places)
    rows, wanted = after.row, after.col
    many = len(found.customers)
    cases = np.bincount(customer[rows], minlength=many).astype(float)
    present = cases > 0
    sums: dict[str, dict[str, np.ndarray]] = {}
    for recipe in recipes:
        likely = probabilities(recipe, counts, before, so_far, params.smoothing)
        chance = likely[rows, wanted]
        # of equally likely categories the first one stands before the others
        order = np.argsort(-likely, axis=1, kind="stable")
        place = np.empty_like(order)
        np.put_along_axis(place, order, np.arange(likely.shape[1])[None, :], axis=1)
        rank = place[rows, wanted]
        figures = {
            "log_likelihood": np.log(chance),
            "hit_at_1": (rank < 1).astype(float),
            f"hit_at_{params.top}": (rank < params.top).astype(float),
        }
        sums[recipe] = {
            name: np.bincount(customer[rows], weights=values, minlength=many)[present]
            for name, values in figures.items()
        }
    drawn = resampling.draws(int(present.sum()), params.bootstraps, params.seed)
    return Judged(cases[present], sums, drawn)


def metrics(judged: Judged, recipe: str, names: Sequence[str]) -> dict[str, float]:
    """Every figure of a recipe and of the baseline with its interval, and the paired gain."""
    flat: dict[str, float] = {}
    for name in names:
        for prefix, found in (
            (name, judged.figure(recipe, name)),
            (f"baseline_{name}", judged.figure(FREQUENCIES, name)),
            (f"{name}_gain", judged.difference(recipe, FREQUENCIES, name)),
        ):
            flat |= found.figures(prefix)
    return flat
