"""The figures of a trial as they are kept: of all rows, by cut-off, by category; and which recipes may win by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from huaxiang.judging import calibration, resampling
from huaxiang.tracking.promotion import Differences
from spark_jobs.scores.params import ScoreParams
from spark_jobs.scores.recipes import RECIPES
from spark_jobs.scores.walk import Trial

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


def metrics(trial: Trial, recipe: str, baseline: str, params: ScoreParams) -> dict[str, float]:
    """Figures of a recipe, beside the baseline's, with 95 % intervals; `_gain` is the paired difference to it.

    A lower Brier score is better, so a good gain of it is negative.
    """
    found: dict[str, float] = {}
    for figure in ("auc", "brier"):
        found |= trial.figure(recipe, figure).interval().figures(figure)
        found |= trial.figure(baseline, figure).interval().figures(f"baseline_{figure}")
        if recipe != baseline:
            found |= trial.difference(recipe, baseline, figure).figures(f"{figure}_gain")
    probabilities, labels = trial.judged[recipe].probabilities, trial.rows.label
    table = calibration.reliability(labels, probabilities, params.bins)
    found["calibration_slope"] = calibration.slope(labels, probabilities)
    found["calibration_error"] = calibration.expected_error(table)
    found["customers"] = float(len(set(trial.rows.customer_id)))
    found["judged_rows"] = float(len(labels))
    found["event_share"] = round(float(labels.mean()), 6)
    return found


def contenders(aucs: Mapping[str, float], difference: Differences, champion: str | None) -> dict[str, float]:
    """The AUC of each recipe that may win. A mean of several costs every day what all of them cost, so it may only
    where it surely beats the best single recipe, or is the champion."""
    single = {name: auc for name, auc in aucs.items() if name not in RECIPES or not RECIPES[name].parts}
    best = max(single, key=lambda name: single[name])
    return {
        name: auc for name, auc in aucs.items() if name in single or name == champion or difference(name, best).low > 0
    }


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
                **trial.figure(recipe, "auc", category).interval().figures("auc"),
                **trial.figure(baseline, "auc", category).interval().figures("baseline_auc"),
                **trial.difference(recipe, baseline, "auc", category).figures("auc_gain"),
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
