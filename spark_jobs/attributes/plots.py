"""Pictures of a training for MLflow: what each attribute gains over its commonest value, how surely factors return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from spark_jobs.drawing import BLUE, GREY, empty

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]


def gains(rows: Rows) -> Figure:
    """Gain in accuracy over the commonest value, with its interval: one line per attribute."""
    figure, axes = empty(6, 0.6 * len(rows) + 1.2)
    for place, row in enumerate(rows):
        value, low, high = (100 * row[f"accuracy_gain{end}"] for end in ("", "_low", "_high"))
        colour = BLUE if row["is_inferred"] else GREY
        axes.errorbar([value], [place], xerr=[[value - low], [high - value]], marker="o", capsize=3, color=colour)
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(range(len(rows)), [row["attribute"].replace("_", " ") for row in rows])
    axes.set(xlabel="righter than the commonest value, percentage points")
    return figure


def stability(rows: Rows, least: float) -> Figure:
    """Tucker's phi of every factor across random halves, beside that of shuffled categories."""
    figure, axes = empty(7, 0.5 * len(rows) + 1.2)
    places = range(len(rows))
    axes.barh(places, [row["stability"] for row in rows], color=BLUE, height=0.6, label="factors")
    axes.plot([row["baseline_stability"] for row in rows], places, "|", color="black", markersize=14, label="shuffled")
    axes.axvline(least, color=GREY, linewidth=1)
    axes.set_yticks(places, [row["name"][:40] for row in rows])
    axes.set(xlabel="Tucker's phi across halves", xlim=(0, 1))
    axes.invert_yaxis()
    axes.legend(frameon=False, fontsize=8)
    return figure
