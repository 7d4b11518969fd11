"""What a training tells of its vectors: the dimensions in words, and every task beside RFM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from huaxiang.tracking.promotion import Interval
from spark_jobs.vectors.judge import RFM, Trial
from spark_jobs.vectors.params import VectorParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

HIGH, LOW = "high", "low"


def dimensions(model: Mapping[str, Any], params: VectorParams) -> list[dict[str, Any]]:
    """One row per dimension: its share of the variance, and the inputs that weigh most at either end.

    An input is a figure or a category; its weight is its correlation with the dimension, of a category the mean over
    the windows. An end has no input where none leans to it.
    """
    import numpy as np

    names = [one["name"] for one in model["figures"]] + [one["category"] for one in model["columns"]]
    inputs, codes = np.unique(np.array(names, dtype=str), return_inverse=True)
    found = []
    for place, (correlations, share) in enumerate(zip(model["correlations"], model["shares"], strict=True), start=1):
        weights = np.round(np.bincount(codes, weights=correlations) / np.bincount(codes), params.decimals)
        found.append(
            {
                "dimension": place,
                "variance_share": round(float(share), params.decimals),
                HIGH: _end(inputs, weights, -1.0, params),
                LOW: _end(inputs, weights, 1.0, params),
            }
        )
    return found


def _end(inputs: Array, weights: Array, sign: float, params: VectorParams) -> list[dict[str, Any]]:
    import numpy as np

    order = np.argsort(sign * weights, kind="stable")[: params.told_inputs]
    return [
        {"input": str(inputs[place]), "weight": float(weights[place])} for place in order if sign * weights[place] < 0
    ]


def metrics(trial: Trial, recipe: str) -> dict[str, float]:
    """AUC over the tasks that decide (the mean) and of every task, with intervals; a vector's beside RFM's, both
    together as `auc_with_rfm_of_<task>`. `auc_least_gain`: on the task where the gain is least sure, which
    decides."""
    found = trial.mean(recipe).interval().figures("auc")
    found |= trial.mean(RFM).interval().figures("baseline_auc")
    if recipe != RFM:
        found |= trial.mean(recipe).minus(trial.mean(RFM)).interval().figures("auc_gain")
        found |= trial.difference(recipe, RFM).figures("auc_least_gain")
    for task in trial.tasks:
        rfm = trial.figure(RFM, task.name)
        for is_beside_rfm in (False,) if recipe == RFM else (False, True):
            name = f"auc_with_rfm_of_{task.name}" if is_beside_rfm else f"auc_of_{task.name}"
            figure = trial.figure(recipe, task.name, is_beside_rfm)
            found |= figure.interval().figures(name) | rfm.interval().figures(f"baseline_{name}")
            found |= figure.minus(rfm).interval().figures(f"{name}_gain") if recipe != RFM else {}
    return found | {"customers": float(trial.customers), "dimensions": float(trial.counts.get(recipe, 0))}


def by_task(trial: Trial, metrics: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """One row per recipe that makes vectors and task."""
    return [
        {
            "recipe": recipe,
            "task": task.title,
            "decides": task.name in trial.deciding,
            **_figures(metrics[RFM], f"auc_of_{task.name}", "rfm_auc"),
            **_figures(metrics[recipe], f"auc_of_{task.name}", "auc"),
            **_figures(metrics[recipe], f"auc_of_{task.name}_gain", "gain"),
            **_figures(metrics[recipe], f"auc_with_rfm_of_{task.name}_gain", "gain_with_rfm"),
        }
        for recipe in metrics
        if recipe != RFM
        for task in trial.tasks
    ]


def _figures(metrics: Mapping[str, float], name: str, told: str) -> dict[str, float]:
    return Interval(metrics[name], metrics[f"{name}_low"], metrics[f"{name}_high"]).figures(told)
