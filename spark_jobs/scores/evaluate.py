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
    import pandas as pd

    names = (baseline.name, recipes.LOGISTIC, recipes.BOOSTING)
    walked = walked_cutoffs(cutoffs, params)
    walks = {cutoff: _fits(examples, cutoffs, cutoff, names, baseline, currency, params) for cutoff in walked}
    last = cutoffs[-1] + params.horizon_days
    final, seconds = _fits(examples, cutoffs, last, names, baseline, currency, params)

    rows = examples.where(np.isin(examples.cutoff, walked))
    codes, categories = pd.factorize(rows.category, sort=True)
    cutoff_codes = np.searchsorted(walked, rows.cutoff)
    judged_codes = range(len(walked) - params.test_cutoffs, len(walked))
    is_judged = cutoff_codes >= judged_codes[0]
    group = ((cutoff_codes - judged_codes[0]) * len(categories) + codes)[is_judged]
    groups = [(walked[code], str(category)) for code in judged_codes for category in categories]
    customers = pd.factorize(rows.customer_id[is_judged], sort=True)[0]
    drawn = resampling.draws(int(customers.max()) + 1, params.resamples, params.seed)
    labels = rows.label[is_judged]

    judged = {}
    for name in names:
        scores = np.concatenate([fits[name].scores(_at(examples, cutoff)) for cutoff, (fits, _) in walks.items()])
        probabilities = np.full(len(scores), np.nan)
        for code in judged_codes:
            sigmoids = _sigmoids(scores, rows.label, cutoff_codes < code, codes, categories, params)
            probabilities[cutoff_codes == code] = _calibrated(scores, codes, sigmoids, cutoff_codes == code, params)
        auc, brier = resampling.by_group(group, customers, drawn, labels, scores[is_judged], probabilities[is_judged])
        judged[name] = Judged(
            recipe=name,
            fitted=final[name],
            sigmoids=dict(
                zip(categories, _sigmoids(scores, rows.label, codes >= 0, codes, categories, params), strict=True)
            ),
            scores=scores[is_judged],
            probabilities=probabilities[is_judged],
            auc=auc,
            brier=brier,
            fit_seconds=round(seconds[name] + sum(spent[name] for _, spent in walks.values()), 2),
        )
    return Trial(rows.where(is_judged), groups, judged)


def walked_cutoffs(cutoffs: Sequence[int], params: ScoreParams) -> list[int]:
    """The cut-offs that recipes are fitted before: those judged and, of those before, some to calibrate on."""
    first_judged = len(cutoffs) - params.test_cutoffs
    return list(cutoffs[max(1, first_judged - params.calibration_cutoffs) :])


def known_at(examples: Examples, cutoffs: Sequence[int], cutoff: int, params: ScoreParams) -> Examples:
    """The rows whose labels were known at the end of `cutoff`; of too many, the latest whole cut-offs."""
    import numpy as np

    earlier = [day for day in cutoffs if day + params.horizon_days <= cutoff]
    sizes = [int((examples.cutoff == day).sum()) for day in earlier]
    kept = [
        day for place, day in enumerate(earlier) if place == len(earlier) - 1 or sum(sizes[place:]) <= params.fit_rows
    ]
    return examples.where(np.isin(examples.cutoff, kept))


def _fits(
    examples: Examples,
    cutoffs: Sequence[int],
    cutoff: int,
    names: Sequence[str],
    baseline: Baseline,
    currency: str,
    params: ScoreParams,
) -> tuple[dict[str, Fitted], dict[str, float]]:
    """All recipes as they could be fitted at the end of `cutoff`, and the seconds each took."""
    learned = known_at(examples, cutoffs, cutoff, params)
    model = recipes.measured(learned, currency, params)
    fits, seconds = {}, {}
    for name in names:
        began = time.perf_counter()
        fits[name] = recipes.fit(name, model, learned, baseline, params)
        seconds[name] = time.perf_counter() - began
    return fits, seconds


def _at(examples: Examples, cutoff: int) -> Examples:
    return examples.where(examples.cutoff == cutoff)


def _sigmoids(
    scores: Array, labels: Array, known: Array, codes: Array, categories: Sequence[str], params: ScoreParams
) -> list[Sigmoid]:
    """A sigmoid per category, fitted on the known rows of it."""
    found = []
    for code in range(len(categories)):
        rows = known & (codes == code)
        found.append(calibration.fit_sigmoid(scores[rows], labels[rows], params.decimals))
    return found


def _calibrated(scores: Array, codes: Array, sigmoids: Sequence[Sigmoid], rows: Array, params: ScoreParams) -> Array:
    import numpy as np

    slopes = np.array([sigmoid.slope for sigmoid in sigmoids])[codes[rows]]
    intercepts = np.array([sigmoid.intercept for sigmoid in sigmoids])[codes[rows]]
    return np.round(1.0 / (1.0 + np.exp(-(slopes * scores[rows] + intercepts))), params.decimals)


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
        if labels.min() == labels.max():
            continue  # it happened to all or to none: there is no order to judge
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
