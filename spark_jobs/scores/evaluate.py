"""Judge recipes by walking forward in time: whoever is judged at a cut-off learned only from labels known by then."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from huaxiang.promotion import Interval
from spark_jobs.scores import calibration, recipes, resampling
from spark_jobs.scores.calibration import Sigmoid
from spark_jobs.scores.examples import Examples
from spark_jobs.scores.params import ScoreParams
from spark_jobs.scores.recipes import Baseline, Fitted
from spark_jobs.scores.resampling import Replicates

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True)
class Judged:
    """A recipe on the judged rows: figures per group (cut-off x category; first column the figure, then resamples)."""

    recipe: str
    fitted: Fitted  # on all cut-offs; this one scores
    sigmoids: Mapping[str, Sigmoid]
    scores: Array
    probabilities: Array
    auc: Array
    brier: Array
    fit_seconds: float


@dataclass(frozen=True)
class Trial:
    """All recipes of a training on the same judged rows, group by group."""

    rows: Examples
    group: Array
    groups: Sequence[tuple[int, str]]  # cut-off and category
    judged: Mapping[str, Judged]

    def figure(self, recipe: str, figure: str, category: str | None = None) -> Replicates:
        """Mean of 'auc' or 'brier' over the groups, of one category or of all."""
        return resampling.replicates(getattr(self.judged[recipe], figure)[self._groups(category)])

    def difference(self, recipe: str, other: str, figure: str = "auc", category: str | None = None) -> Interval:
        """The paired difference recipe - other."""
        return self.figure(recipe, figure, category).minus(self.figure(other, figure, category)).interval()

    def _groups(self, category: str | None) -> list[int]:
        return [place for place, (_, name) in enumerate(self.groups) if category in (None, name)]


def walk_forward(
    examples: Examples, cutoffs: Sequence[int], baseline: Baseline, currency: str, params: ScoreParams
) -> Trial:
    """Fit every recipe before every cut-off, judge it on the last ones, and fit it once more on all.

    At cut-off c a recipe is fitted on the cut-offs <= c - horizon, and calibrated on what its earlier fits said of the
    cut-offs before c, which they had not seen either.
    """
    import numpy as np

    judged_from = len(cutoffs) - min(params.test_cutoffs, len(cutoffs) - params.warm_up_cutoffs)
    is_judged = np.isin(examples.cutoff, cutoffs[judged_from:])
    rows = examples.where(is_judged)
    groups = sorted(set(zip(rows.cutoff.tolist(), rows.category.tolist(), strict=True)))
    codes = {group: code for code, group in enumerate(groups)}
    group = np.array([codes[key] for key in zip(rows.cutoff.tolist(), rows.category.tolist(), strict=True)])
    _, customers = np.unique(rows.customer_id.astype(str), return_inverse=True)
    drawn = resampling.draws(int(customers.max()) + 1, params.resamples, params.seed)
    judged = {}
    for recipe in (baseline.name, recipes.LOGISTIC, recipes.BOOSTING):
        began = time.perf_counter()
        scores = out_of_time(recipe, examples, cutoffs, baseline, currency, params)
        fitted = recipes.fit(recipe, examples.where(np.isin(examples.cutoff, cutoffs)), baseline, currency, params)
        seconds = time.perf_counter() - began
        probabilities = calibrated(examples, scores, cutoffs[judged_from:], params)[is_judged]
        judged[recipe] = Judged(
            recipe=recipe,
            fitted=fitted,
            sigmoids=sigmoids(examples, scores, cutoffs[-1] + params.horizon_days, params),
            scores=scores[is_judged],
            probabilities=probabilities,
            auc=resampling.by_group(group, customers, drawn, "auc", rows.label, scores[is_judged]),
            brier=resampling.by_group(group, customers, drawn, "brier", rows.label, probabilities),
            fit_seconds=round(seconds, 2),
        )
    return Trial(rows, group, groups, judged)


def out_of_time(
    recipe: str,
    examples: Examples,
    cutoffs: Sequence[int],
    baseline: Baseline,
    currency: str,
    params: ScoreParams,
) -> Array:
    """Each row's raw score by a fit on earlier cut-offs; NaN where there is none earlier."""
    import numpy as np

    scores = np.full(len(examples.label), np.nan)
    for cutoff in cutoffs:
        known = [earlier for earlier in cutoffs if earlier + params.horizon_days <= cutoff]
        if known:
            fitted = recipes.fit(recipe, examples.where(np.isin(examples.cutoff, known)), baseline, currency, params)
            here = examples.cutoff == cutoff
            scores[here] = fitted.scores(examples.where(here))
    return scores


def calibrated(examples: Examples, scores: Array, cutoffs: Sequence[int], params: ScoreParams) -> Array:
    """Probabilities of the rows of `cutoffs`, calibrated on earlier cut-offs only; NaN elsewhere."""
    import numpy as np

    found = np.full(len(scores), np.nan)
    for cutoff in cutoffs:
        for category, sigmoid in sigmoids(examples, scores, cutoff, params).items():
            here = (examples.cutoff == cutoff) & (examples.category == category)
            found[here] = np.round(sigmoid(scores[here]), params.decimals)
    return found


def sigmoids(examples: Examples, scores: Array, cutoff: int, params: ScoreParams) -> dict[str, Sigmoid]:
    """A sigmoid per category, fitted on the out-of-time scores whose labels were known at `cutoff`."""
    import numpy as np

    known = (examples.cutoff + params.horizon_days <= cutoff) & ~np.isnan(scores)
    return {
        str(category): calibration.fit_sigmoid(
            scores[known & (examples.category == category)],
            examples.label[known & (examples.category == category)],
            params.decimals,
        )
        for category in sorted(set(examples.category))
    }


def metrics(trial: Trial, recipe: str, baseline: str, params: ScoreParams) -> dict[str, float]:
    """Figures of a recipe, beside the baseline's, with 95 % intervals; `_gain` is the paired difference to it.

    A lower Brier score is better, so a good gain of it is negative.
    """
    found: dict[str, float] = {}
    for figure in ("auc", "brier"):
        found |= _flat(figure, trial.figure(recipe, figure).interval())
        found |= _flat(f"baseline_{figure}", trial.figure(baseline, figure).interval())
        if recipe != baseline:
            found |= _flat(f"{figure}_gain", trial.difference(recipe, baseline, figure))
    probabilities, labels = trial.judged[recipe].probabilities, trial.rows.label
    table = calibration.reliability(labels, probabilities, params.bins)
    found["calibration_slope"] = calibration.slope(labels, probabilities)
    found["calibration_error"] = calibration.expected_error(table)
    found["customers"] = float(len(set(trial.rows.customer_id)))
    found["judged_rows"] = float(len(labels))
    found["event_share"] = round(float(labels.mean()), 6)
    return found


def per_cutoff(trial: Trial, recipe: str, baseline: str) -> list[dict[str, Any]]:
    """One row per judged cut-off: rows, share of events, AUC of recipe and baseline (mean over categories)."""
    found = []
    for cutoff in sorted({cutoff for cutoff, _ in trial.groups}):
        places = [place for place, (day, _) in enumerate(trial.groups) if day == cutoff]
        labels = trial.rows.label[trial.rows.cutoff == cutoff]
        found.append(
            {
                "cutoff": cutoff,
                "rows": len(labels),
                "event_share": round(float(labels.mean()), 6),
                "auc": round(resampling.replicates(trial.judged[recipe].auc[places]).value, 6),
                "baseline_auc": round(resampling.replicates(trial.judged[baseline].auc[places]).value, 6),
            }
        )
    return found


def per_category(trial: Trial, recipe: str, baseline: str, params: ScoreParams) -> list[dict[str, Any]]:
    """One row per category: share of events, AUC and Brier beside the baseline's, and the paired gain in AUC."""
    found = []
    for category in sorted({category for _, category in trial.groups}):
        rows = trial.rows.category == category
        labels, probabilities = trial.rows.label[rows], trial.judged[recipe].probabilities[rows]
        table = calibration.reliability(labels, probabilities, params.bins)
        found.append(
            {
                "category": category,
                "event_share": round(float(labels.mean()), 6),
                **_flat("auc", trial.figure(recipe, "auc", category).interval()),
                **_flat("baseline_auc", trial.figure(baseline, "auc", category).interval()),
                **_flat("auc_gain", trial.difference(recipe, baseline, "auc", category)),
                "brier": round(trial.figure(recipe, "brier", category).value, 6),
                "baseline_brier": round(trial.figure(baseline, "brier", category).value, 6),
                "calibration_error": calibration.expected_error(table),
            }
        )
    return found


def gains(labels: Array, scores: Array, parts: int = 20) -> list[dict[str, float]]:
    """Cumulative gains: of the events, the share found among the first 5, 10, ... % of rows by falling score."""
    import numpy as np

    found = np.cumsum(labels[np.argsort(-scores, kind="stable")]) / max(labels.sum(), 1.0)
    ends = [round(part * len(labels) / parts) for part in range(1, parts + 1)]
    return [
        {"rows": round(part / parts, 4), "events": round(float(found[end - 1]), 6)}
        for part, end in enumerate(ends, start=1)
        if end
    ]


def _flat(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.value, f"{name}_low": interval.low, f"{name}_high": interval.high}
