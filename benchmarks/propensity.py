"""Propensity of the largest categories against one line of SQL: `python -m benchmarks.propensity --as-of 2017-11-30`.

One model over pairs of customer and category, judged like every target; nothing is kept. Reads the home as it is.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from huaxiang import warehouse
from huaxiang.judging.calibration import slope
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.targets import Event, Target, load_targets
from spark_jobs.scores import evaluate, inputs, job, walk
from spark_jobs.scores.params import ScoreParams
from spark_jobs.scores.walk import Trial

TARGET, RECIPES = "category_28d", ("logistic", "boosting")


@dataclass(frozen=True)
class Propensity:
    """A recipe over all categories: the mean gain in AUC with its interval, the share of categories that surely gain,
    the calibration slope over all rows and its lowest and highest of a category, the share of these within .9 to 1.1.
    """

    recipe: str
    auc: float
    baseline_auc: float
    gain: float
    gain_low: float
    gain_high: float
    sure_share: float
    slope: float
    slopes: tuple[float, float]
    slope_share: float


def main() -> None:
    """Print a line per recipe and one per category that does not surely gain."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.propensity", description=__doc__)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--categories", type=int, default=50)
    said = parser.parse_args()
    settings, run, params = load_settings(), Run(said.as_of, said.as_of), replace(ScoreParams(), recipes=RECIPES)
    with warehouse.training_build(settings, run) as private:
        warehouse.training_set(private, run, job.snapshot_days(run.as_of, params), StepLog("train"))
        report(private, run, said.categories, params)


def report(settings: Settings, run: Run, categories: int, params: ScoreParams) -> None:
    """Judge and print; the training set is there already."""
    declared = next(target for target in load_targets(settings) if target.name == TARGET)
    target = replace(declared, event=Event("category", largest=categories))
    began = time.process_time()
    trial = judged(settings, run, target, params)
    for name in RECIPES:
        found = propensity(trial, name, target.baseline.name, params)
        print(
            f"{found.recipe}: AUC {found.auc:.4f} against {found.baseline_auc:.4f}, gain {found.gain:+.4f} "
            f"[{found.gain_low:+.4f}, {found.gain_high:+.4f}]; surely above 0 in {found.sure_share:.0%}; "
            f"slope {found.slope:.2f}, of a category {found.slopes[0]:.2f} to {found.slopes[1]:.2f}, "
            f"{found.slope_share:.0%} of them within .9 to 1.1"
        )
    for row in evaluate.per_category(trial, RECIPES[0], target.baseline.name, params):
        if row["auc_gain_low"] <= 0:
            low, high = row["auc_gain_low"], row["auc_gain_high"]
            print(f"not surely better: {row['category']}: {row['auc_gain']:+.4f} [{low:+.4f}, {high:+.4f}]")
    print(f"{time.process_time() - began:.0f} s of processor time")


def judged(settings: Settings, run: Run, target: Target, params: ScoreParams) -> Trial:
    """The trial of the recipes on that target. Raises SystemExit where the home cannot train it."""
    days = job.snapshot_days(run.as_of, params)
    features = inputs.read_features(inputs.input_path(settings, run, inputs.SNAPSHOTS), days, params.customers)
    order_days = inputs.read_order_days(inputs.input_path(settings, run, inputs.CUSTOMER_DAYS))
    prepared = job.prepared(settings, run, target, features, order_days, params)
    if isinstance(prepared, str):
        raise SystemExit(f"{target.name}: {prepared}")
    return walk.walk_forward(prepared.rows, prepared.cutoffs, prepared.plan, target.baseline, settings.currency, params)


def propensity(trial: Trial, recipe: str, baseline: str, params: ScoreParams) -> Propensity:
    """What a recipe is worth over all categories of a trial."""
    found = evaluate.metrics(trial, recipe, baseline, params)
    rows = evaluate.per_category(trial, recipe, baseline, params)
    slopes = sorted(_slopes(trial, recipe, [str(row["category"]) for row in rows]))
    return Propensity(
        recipe=recipe,
        auc=found["auc"],
        baseline_auc=found["baseline_auc"],
        gain=found["auc_gain"],
        gain_low=found["auc_gain_low"],
        gain_high=found["auc_gain_high"],
        sure_share=sum(row["auc_gain_low"] > 0 for row in rows) / len(rows),
        slope=found["calibration_slope"],
        slopes=(slopes[0], slopes[-1]),
        slope_share=sum(0.9 <= one <= 1.1 for one in slopes) / len(slopes),
    )


def _slopes(trial: Trial, recipe: str, categories: Sequence[str]) -> list[float]:
    labels, probabilities = trial.rows.label, trial.judged[recipe].probabilities
    masks = (trial.rows.category == category for category in categories)
    return [slope(labels[mask], probabilities[mask]) for mask in masks]


if __name__ == "__main__":
    main()
