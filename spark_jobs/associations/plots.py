"""Pictures of the rules for MLflow: how often against how surely, and those furthest from chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spark_jobs.associations.rules import Counted
from spark_jobs.drawing import BLUE, GREY, empty

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def scatter(rules: Sequence[Counted]) -> Figure:
    """Support against confidence, a point per rule, coloured by lift."""
    figure, axes = empty(7, 4.5)
    support, confidence = [one.support * 100 for one in rules], [one.confidence * 100 for one in rules]
    points = axes.scatter(support, confidence, c=[one.lift for one in rules], cmap="viridis", norm="log", s=18)
    axes.set(xlabel="support: orders with both (%)", ylabel="confidence: of those with the first, with both (%)")
    figure.colorbar(points, label="lift (1 is chance)")
    return figure


def top(rules: Sequence[Counted], how_many: int = 20) -> Figure:
    """The rules with the highest lift, as bars."""
    first = sorted(rules, key=lambda one: (-one.lift, one.rule))[:how_many]
    figure, axes = empty(9, 1 + 0.3 * len(first))
    bars = axes.barh(range(len(first)), [one.lift for one in first], color=BLUE)
    axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    axes.set_yticks(range(len(first)), [_short(str(one.rule)) for one in first], fontsize=7)
    axes.axvline(1, color=GREY, linestyle=":")
    axes.invert_yaxis()
    axes.set(xlabel="lift (1 is chance)")
    return figure


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
