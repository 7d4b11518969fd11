"""What the pictures of all families have in common: an empty figure, and its colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#1f5a92", "#c2571a", "#8a8a8a"


def empty(width: float, height: float) -> tuple[Figure, Any]:
    """A figure of so many inches and its axes, drawn without pyplot's global state and without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
