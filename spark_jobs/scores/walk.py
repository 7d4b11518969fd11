"""Walk forward in time: whoever is judged at a cut-off learned only from labels known by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from huaxiang.judging import calibration, resampling, splits
from huaxiang.judging.calibration import Calibration
from huaxiang.judging.cost import Cost
from huaxiang.judging.resampling import Replicates
from huaxiang.judging.splits import Plan, require_known
from huaxiang.targets import Baseline
from huaxiang.tracking.promotion import Interval
from spark_jobs.scores import classifiers, recipes
from spark_jobs.scores.examples import Examples
from spark_jobs.scores.params import ScoreParams
from spark_jobs.scores.recipes import RECIPES, Fitted, Seen

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True)
class Judged:
    """A recipe on the judged rows: figures per group (cut-off x category; first column the figure, then resamples)."""

    recipe: str
    fitted: Fitted  # on all cut-offs; this one scores
    calibrations: Mapping[str, Calibration]
    scores: Array
    probabilities: Array
    auc: Array
    brier: Array
    cost: Cost

    @property
    def calibrated_by(self) -> str:
        kinds = {type(one) for one in self.calibrations.values()}
        return calibration.ISOTONIC if calibration.Isotonic in kinds else calibration.SIGMOID


@dataclass(frozen=True)
class Trial:
    """All recipes of a training on the same judged rows, group by group; `left_out` gives the reason of those not."""

    rows: Examples
    groups: Sequence[tuple[int, str]]  # cut-off and category
    judged: Mapping[str, Judged]
    left_out: Mapping[str, str]

    def figure(self, recipe: str, figure: str, category: str | None = None) -> Replicates:
        """Mean of 'auc' or 'brier' over the groups, of one category or of all."""
        return resampling.replicates(getattr(self.judged[recipe], figure)[self._groups(category)])

    def difference(self, recipe: str, other: str, figure: str = "auc", category: str | None = None) -> Interval:
        """The paired difference recipe - other."""
        return self.figure(recipe, figure, category).minus(self.figure(other, figure, category)).interval()

    def _groups(self, category: str | None) -> list[int]:
        return [place for place, (_, name) in enumerate(self.groups) if category in (None, name)]


@dataclass
class _Walk:
    """What became of each recipe on the way: its scores at every walked cut-off, its last fit, its cost."""

    scores: dict[str, list[Array]] = field(default_factory=dict)
    final: dict[str, Fitted] = field(default_factory=dict)
    cost: dict[str, Cost] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def walk_forward(
    examples: Examples,
    cutoffs: Sequence[int],
    plan: Plan,
    baseline: Baseline,
    currency: str,
    params: ScoreParams,
) -> Trial:
    """Fit every recipe before every cut-off of the plan, judge it on the last ones, and fit it once more on all.

    At cut-off c a recipe is fitted on the cut-offs whose window is over by c, and calibrated on what its earlier fits
    said of such cut-offs, which they had not seen either. A recipe that fails, or takes too long, is left out.
    """
    import numpy as np
    import pandas as pd

    classifiers.load()
    walk = _walked(examples, cutoffs, plan, baseline, currency, params)
    rows = examples.where(np.isin(examples.cutoff, plan.walked))
    codes, categories = pd.factorize(rows.category, sort=True)
    first = plan.walked.index(plan.judged[0])
    cutoff_codes = np.searchsorted(plan.walked, rows.cutoff)
    is_judged = cutoff_codes >= first
    group = ((cutoff_codes - first) * len(categories) + codes)[is_judged]
    groups = [(cutoff, str(category)) for cutoff in plan.judged for category in categories]
    customers = pd.factorize(rows.customer_id[is_judged], sort=True)[0]
    drawn = resampling.draws(int(customers.max()) + 1, params.resamples, params.seed)

    judged = {}
    for name, parts in walk.scores.items():
        scores = np.concatenate(parts)
        probabilities = np.full(len(scores), np.nan)
        for cutoff in plan.judged:
            known = _calibrating(rows, plan.known(cutoff), len(categories), params)
            lines = _calibrations(scores, rows, known, codes, len(categories), params)
            probabilities[rows.cutoff == cutoff] = _calibrated(scores, codes, lines, rows.cutoff == cutoff, params)
        auc, brier = resampling.by_group(
            group, customers, drawn, rows.label[is_judged], scores[is_judged], probabilities[is_judged]
        )
        last = _calibrating(rows, plan.walked, len(categories), params)
        judged[name] = Judged(
            recipe=name,
            fitted=walk.final[name],
            calibrations=dict(
                zip(categories, _calibrations(scores, rows, last, codes, len(categories), params), strict=True)
            ),
            scores=scores[is_judged],
            probabilities=probabilities[is_judged],
            auc=auc,
            brier=brier,
            cost=walk.cost[name],
        )
    return Trial(rows.where(is_judged), groups, judged, walk.left_out)


def known_at(
    examples: Examples, cutoffs: Sequence[int], cutoff: int, window_days: int, params: ScoreParams
) -> Examples:
    """The rows whose labels were known at the end of `cutoff`; of too many, the latest whole cut-offs."""
    import numpy as np

    earlier = [day for day in cutoffs if day + window_days <= cutoff]
    sizes = [int((examples.cutoff == day).sum()) for day in earlier]
    kept = [
        day for place, day in enumerate(earlier) if place == len(earlier) - 1 or sum(sizes[place:]) <= params.fit_rows
    ]
    return examples.where(np.isin(examples.cutoff, kept))


def _walked(
    examples: Examples,
    cutoffs: Sequence[int],
    plan: Plan,
    baseline: Baseline,
    currency: str,
    params: ScoreParams,
) -> _Walk:
    """All recipes fitted before every walked cut-off and scored at it, and fitted once more on all cut-offs."""
    import numpy as np

    every = (baseline.name, *recipes.applicable(params.recipes, examples.features.columns))
    walk = _Walk({name: [] for name in every}, cost={name: Cost() for name in every})
    for cutoff in (*plan.walked, cutoffs[-1] + plan.window_days):
        learned = known_at(examples, cutoffs, cutoff, plan.window_days, params)
        require_known(np.unique(learned.cutoff), cutoff, plan.window_days)
        model = recipes.measured(learned, currency, params) | {"window_days": plan.window_days}
        seen = recipes.seen(model, learned)
        if cutoff not in plan.walked:  # the end: these fits are kept
            for name, fitted, _ in _fits(walk, model, seen, learned.label, None, baseline, params):
                walk.final[name] = recipes.told(fitted, seen, params) if name in RECIPES else fitted
            return walk
        shown = recipes.seen(model, examples.where(examples.cutoff == cutoff))
        for name, _, scores in _fits(walk, model, seen, learned.label, shown, baseline, params):
            walk.scores[name].append(scores)
    return walk


def _fits(
    walk: _Walk,
    model: Mapping[str, Any],
    seen: Seen,
    label: Array,
    shown: Seen | None,
    baseline: Baseline,
    params: ScoreParams,
) -> list[tuple[str, Fitted, Array]]:
    """Each recipe still in the walk, fitted, and its scores of what is `shown`. One that fails leaves the walk."""
    import numpy as np

    found: list[tuple[str, Fitted, Array]] = []
    for name in list(walk.scores):
        fitted = recipes.one_column(model, baseline)
        scores = fitted.scores(shown) if shown else np.zeros(0)
        try:
            if name != baseline.name:
                known = {one: made for one, made, _ in found}
                with walk.cost[name]:
                    fitted = recipes.fit(name, model, seen, label, params, known)
                    scores = fitted.scores(shown) if shown else np.zeros(0)
            if not np.isfinite(scores).all():
                raise ArithmeticError("a score is not a number")
        except Exception as error:  # of this recipe, whatever it is: the others go on
            if name == baseline.name:
                raise
            _leave(walk, name, f"failed: {type(error).__name__} on {len(label):,} rows")
            continue
        if walk.cost[name].seconds > params.recipe_seconds:
            _leave(walk, name, f"too slow: more than {params.recipe_seconds:g} s of processor time")
            continue
        found.append((name, fitted, scores))
    return found


def _leave(walk: _Walk, name: str, reason: str) -> None:
    walk.left_out[name] = reason
    del walk.scores[name]


def _calibrating(rows: Examples, known: Sequence[int], categories: int, params: ScoreParams) -> Array:
    """The rows that calibrate, of the cut-offs that are known."""
    import numpy as np

    events = {day: float(rows.label[rows.cutoff == day].sum()) for day in known}
    enough = params.calibration_events * categories
    return np.isin(rows.cutoff, splits.calibrating(known, events, params.calibration_cutoffs, enough))


def _calibrations(
    scores: Array, rows: Examples, known: Array, codes: Array, count: int, params: ScoreParams
) -> list[Calibration]:
    """A line per category, fitted on the known rows of it; its kind is chosen for all on known rows only."""
    kind = calibration.chosen(scores[known], rows.label[known], rows.cutoff[known], codes[known])
    fit = calibration.FITS[kind]
    found = []
    for code in range(count):
        mine = known & (codes == code)
        found.append(fit(scores[mine], rows.label[mine]))
    return found


def _calibrated(scores: Array, codes: Array, lines: Sequence[Calibration], rows: Array, params: ScoreParams) -> Array:
    import numpy as np

    found = np.empty(int(rows.sum()))
    for code, line in enumerate(lines):
        mine = codes[rows] == code
        found[mine] = line(scores[rows][mine])
    least = 10.0**-params.decimals
    return np.round(np.clip(found, least, 1 - least), params.decimals)
