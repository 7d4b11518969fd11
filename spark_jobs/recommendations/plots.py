"""Pictures of a training for MLflow: quality against cost, hit rate by length of the list, the weights tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from huaxiang.tracking.promotion import Interval
from spark_jobs.drawing import BLUE, GREY, ORANGE, empty

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle


def quality_against_seconds(
    quality: Mapping[str, Interval], seconds: Mapping[str, float], winner: str, metric: str
) -> Figure:
    """One point per recipe, with its interval; up and left is better."""
    figure, axes = empty(7, 4)
    for name, found in quality.items():
        colour = ORANGE if name == winner else BLUE
        whiskers = [[max(0.0, found.value - found.low)], [max(0.0, found.high - found.value)]]
        axes.errorbar([seconds[name]], [found.value], yerr=whiskers, marker="o", capsize=3, color=colour)
        label = f"{name} (chosen)" if name == winner else name
        axes.annotate(label, (seconds[name], found.value), xytext=(6, 4), textcoords="offset points", fontsize=8)
    axes.margins(x=0.2)
    axes.set(xlabel="seconds to fit", ylabel=f"{metric}, 95 % interval", ylim=(0, None))
    return figure


def hit_rate_by_length(curves: Mapping[str, Sequence[float]], winner: str) -> Figure:
    """Share of customers who bought at least one of the first k products, for every recipe."""
    figure, axes = empty(7, 4)
    for name, values in curves.items():
        is_chosen = name == winner
        style = {"linewidth": 2.5, "color": ORANGE} if is_chosen else {"linewidth": 1.2}
        axes.plot(range(1, len(values) + 1), values, label=f"{name} (chosen)" if is_chosen else name, **style)
    axes.axvline(10, color=GREY, linestyle=":", linewidth=1)
    axes.set(xlabel="k, length of the list", ylabel="hit rate at k", ylim=(0, None), xticks=[1, 5, 10, 15, 20])
    axes.legend(frameon=False, fontsize=8)
    return figure


def weights_tried(tried: Sequence[Mapping[str, float]], row: str, column: str) -> Figure:
    """NDCG on the tuning window by the weights of two components, the best over all others; the best one is framed."""
    import numpy as np

    rows, columns = (sorted({combination[name] for combination in tried}) for name in (row, column))
    best = np.zeros((len(rows), len(columns)))
    for combination in tried:
        place = rows.index(combination[row]), columns.index(combination[column])
        best[place] = max(best[place], combination["ndcg"])
    figure, axes = empty(5.5, 4.2)
    picture = axes.imshow(best, cmap="Blues", aspect="auto")
    axes.set_xticks(range(len(columns)), [f"{value:g}" for value in columns])
    axes.set_yticks(range(len(rows)), [f"{value:g}" for value in rows])
    for (y, x), value in np.ndenumerate(best):
        is_dark = value > (best.min() + best.max()) / 2
        axes.text(x, y, f"{value:.4f}", ha="center", va="center", fontsize=7, color="white" if is_dark else "black")
    y, x = np.unravel_index(best.argmax(), best.shape)
    axes.add_patch(_frame(int(x), int(y)))
    axes.set(xlabel=f"weight of {column}", ylabel=f"weight of {row}")
    figure.colorbar(picture, label="NDCG at 10, tuning window")
    return figure


def _frame(x: int, y: int) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=ORANGE, linewidth=2.5)
