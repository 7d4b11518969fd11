"""The guards against leaks of a training: labels dealt out anew, and columns that decide alone.

Both ask a logistic regression, which sees every column and costs hundredths of a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from huaxiang.errors import HuaxiangError
from huaxiang.judging import leaks, resampling
from huaxiang.judging.splits import Plan
from spark_jobs.scores import classifiers, recipes
from spark_jobs.scores.examples import Examples
from spark_jobs.scores.params import ScoreParams
from spark_jobs.scores.walk import known_at

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True)
class Guarded:
    """The AUC of labels dealt out at random, and the columns that alone add much to all others, with what they add."""

    shuffled_auc: float
    lone_columns: Mapping[str, float]

    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"without {name} the AUC would fall by {gain:.3f}: see that it is known before the window begins"
            for name, gain in self.lone_columns.items()
        )


@dataclass(frozen=True)
class _Cut:
    """What is learned from before a cut-off and what is judged at it, as standardised figures."""

    columns: list[str]
    learned: Array
    learned_label: Array
    learned_groups: Array
    judged: Array
    judged_label: Array
    judged_groups: Array


def guarded(
    examples: Examples, cutoffs: Sequence[int], plan: Plan, target: str, currency: str, params: ScoreParams
) -> Guarded:
    """Look at a target's rows. Raises HuaxiangError where labels dealt out at random can be foretold."""
    import numpy as np

    cuts = [_cut(examples, cutoffs, cutoff, plan, currency, params) for cutoff in plan.judged]
    aucs = np.array([_shuffled(cut, params.seed + deal, params) for deal in range(params.shuffles) for cut in cuts])
    if not leaks.is_by_chance(aucs):
        raise HuaxiangError(
            f"scores: {target} knows too much: with its labels dealt out at random the AUC is {aucs.mean():.3f} and "
            "not 0.50, so rows that are judged are also learned from; look at its declaration and at its features"
        )
    last = cuts[-1]

    def auc_with(places: list[int]) -> float:
        return _auc(last, last.learned_label, last.judged_label, places, params)

    return Guarded(round(float(aucs.mean()), 6), leaks.lone_columns(last.columns, auc_with))


def _cut(
    examples: Examples, cutoffs: Sequence[int], cutoff: int, plan: Plan, currency: str, params: ScoreParams
) -> _Cut:
    import pandas as pd

    learned = known_at(examples, cutoffs, cutoff, plan.window_days, params)
    learned = learned.where(recipes.sample(len(learned.label), params.guard_rows, params.seed))
    judged = examples.where(examples.cutoff == cutoff)
    judged = judged.where(recipes.sample(len(judged.label), params.guard_rows, params.seed))
    model = recipes.measured(learned, currency, params)
    at = recipes.places(model, params)
    groups = pd.DataFrame({"cutoff": learned.cutoff, "category": learned.category}).groupby(["cutoff", "category"])
    return _Cut(
        columns=[model["features"][place]["name"] for place in at],
        learned=recipes.seen(model, learned).levels[:, at],
        learned_label=learned.label,
        learned_groups=groups.ngroup().to_numpy(),
        judged=recipes.seen(model, judged).levels[:, at],
        judged_label=judged.label,
        judged_groups=pd.factorize(judged.category, sort=True)[0],
    )


def _shuffled(cut: _Cut, seed: int, params: ScoreParams) -> float:
    learned = leaks.dealt_anew(cut.learned_label, cut.learned_groups, seed)
    judged = leaks.dealt_anew(cut.judged_label, cut.judged_groups, seed + 1_000)
    return _auc(cut, learned, judged, list(range(len(cut.columns))), params)


def _auc(cut: _Cut, learned_label: Array, judged_label: Array, places: list[int], params: ScoreParams) -> float:
    """Mean AUC over the categories of a logistic regression of these columns."""
    import numpy as np
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        fitted = classifiers.logistic(cut.learned[:, places], learned_label, params)
    scores = cut.judged[:, places] @ fitted.coef_[0]
    once, rows = np.ones((1, 1)), np.zeros(len(scores), dtype=int)
    found, _ = resampling.by_group(cut.judged_groups, rows, once, judged_label, scores, scores)
    return float(np.nanmean(found))
