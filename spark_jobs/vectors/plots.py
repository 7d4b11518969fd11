"""The picture of a training for MLflow: what a vector gains over RFM, task by task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spark_jobs.drawing import BLUE, GREY, empty

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def gains(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Gain in AUC over RFM with its interval: one line per task, those that decide coloured."""
    figure, axes = empty(6, 0.6 * len(rows) + 1.2)
    for place, row in enumerate(rows):
        value, low, high = (row[f"gain{end}"] for end in ("", "_low", "_high"))
        colour = BLUE if row["decides"] else GREY
        axes.errorbar([value], [place], xerr=[[value - low], [high - value]], marker="o", capsize=3, color=colour)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(rows)), [row["task"] for row in rows])
    axes.set(xlabel="AUC above that of RFM")
    return figure
