"""The leaderboard of a training: every recipe with its figures, what it costs and what became of it, the best first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huaxiang.tracking.fits import Training

_BESIDE = ("coverage_at_", "novelty_at_")  # what lists are like: neither good nor bad, so without an interval
_COSTS = {"seconds": ("fit_seconds",), "memory_mb": ("fit_memory_mb", "peak_mb")}  # as families name them


def leaderboard(training: Training, outcomes: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row per recipe, those left out last, with their reason. `outcomes`: what became of each that was judged.

    Every row has the same columns; a figure that was not measured is None.
    """
    judged_by = training.judged_by
    names = [name for fit in training.fits for name in fit.metrics if _is_told(name, fit.metrics)]
    told = [judged_by, *(name for name in dict.fromkeys(names) if name != judged_by)]
    ordered = sorted(training.fits, key=lambda fit: (-fit.metrics.get(judged_by, float("-inf")), fit.recipe))
    rows = [
        {
            "recipe": fit.recipe or fit.algorithm,
            "outcome": outcomes.get(fit.recipe, ""),
            **{f"{name}{end}": fit.metrics.get(f"{name}{end}") for name in told for end in ("", "_low", "_high")},
            **{name: _first(fit.metrics, metrics) for name, metrics in _COSTS.items()},
            "reason": "",
        }
        for fit in ordered
    ]
    empty = dict.fromkeys(rows[0])
    left_out = [
        {**empty, "recipe": recipe, "outcome": "left out", "reason": reason}
        for recipe, reason in training.left_out.items()
    ]
    return rows + left_out


def _first(metrics: Mapping[str, float], names: tuple[str, ...]) -> float | None:
    return next((metrics[name] for name in names if name in metrics), None)


def _is_told(name: str, metrics: Mapping[str, float]) -> bool:
    """Figures with an interval, and what lists are like; the baseline's stand in its own row."""
    return name.startswith(_BESIDE) or (f"{name}_low" in metrics and not name.startswith("baseline_"))
