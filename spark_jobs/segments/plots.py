"""Pictures of a fit for MLflow: figures by k, what sets the segments apart, how large they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from spark_jobs.drawing import BLUE, GREY, ORANGE, empty
from spark_jobs.segments.choose_k import Candidate
from spark_jobs.segments.naming import PLAIN

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def by_k(candidates: Sequence[Candidate], chosen: int) -> Figure:
    """Silhouette and stability with their intervals for every k; the chosen one is marked."""
    figure, axes = empty(7, 4)
    ks = [candidate.k for candidate in candidates]
    axes.axvspan(chosen - 0.3, chosen + 0.3, color="#eeeeee", label="chosen")
    for name, line in (("stability", {"color": BLUE}), ("silhouette", {"color": ORANGE})):
        figures = [getattr(candidate, name) for candidate in candidates]
        # An interval of percentiles need not hold the mean: a whisker is never negative.
        below = [max(0.0, f.value - f.low) for f in figures]
        above = [max(0.0, f.high - f.value) for f in figures]
        axes.errorbar(ks, [f.value for f in figures], yerr=[below, above], marker="o", capsize=3, label=name, **line)
    found = [candidate.least_found_again for candidate in candidates]
    axes.plot(ks, found, color=GREY, linestyle=":", marker=".", label="worst segment found again")
    axes.set(xlabel="number of segments", ylim=(0, 1.02), xticks=ks)
    axes.legend(frameon=False, fontsize=8)
    return figure


def profile(deviations: pd.DataFrame) -> Figure:
    """Heat map of segments (rows) by features (columns): mean difference from all customers in standard deviations."""
    figure, axes = empty(2 + 0.6 * deviations.shape[1], 2.6 + 0.5 * len(deviations))
    picture = axes.imshow(deviations, cmap="RdBu_r", vmin=-1.5, vmax=1.5, aspect="auto")
    axes.set_yticks(range(len(deviations)), deviations.index, fontsize=8)
    labels = [PLAIN[name][0] if name in PLAIN else name for name in deviations.columns]
    axes.set_xticks(range(deviations.shape[1]), labels, rotation=40, ha="right", fontsize=7)
    figure.colorbar(picture, label="standard deviations from all customers")
    return figure


def sizes(shares: pd.Series) -> Figure:
    """Share of customers per segment, in the order of ids."""
    figure, axes = empty(7, 1 + 0.4 * len(shares))
    bars = axes.barh(range(len(shares)), shares * 100, color=BLUE)
    axes.bar_label(bars, fmt="%.1f %%", padding=3, fontsize=8)
    axes.set_yticks(range(len(shares)), shares.index, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel="share of customers (%)", xlim=(0, max(shares * 100) * 1.15))
    return figure
