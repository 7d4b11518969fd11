"""Pictures of a training for MLflow: how far a probability can be trusted, what it finds, what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from spark_jobs.drawing import BLUE, GREY, ORANGE, empty

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, Any]]


def reliability(tables: Mapping[str, Rows], recipe: str) -> Figure:
    """Share of events against mean probability, in groups of equal size; on the diagonal a probability is true."""
    figure, axes = empty(5, 4.6)
    most = max(max(row["probability"], row["share"]) for rows in tables.values() for row in rows)
    axes.plot([0, most], [0, most], color=GREY, linewidth=1, label="true")
    for name, rows in tables.items():
        line = {"color": BLUE, "marker": "o"} if name == recipe else {"color": ORANGE, "marker": ".", "alpha": 0.7}
        axes.plot([row["probability"] for row in rows], [row["share"] for row in rows], label=name, **line)
    axes.set(xlabel="predicted probability", ylabel="share with the event")
    axes.legend(frameon=False, fontsize=8)
    return figure


def gains(tables: Mapping[str, Rows], recipe: str) -> Figure:
    """Share of the events found among the rows with the highest scores."""
    figure, axes = empty(5, 4.6)
    axes.plot([0, 100], [0, 100], color=GREY, linewidth=1, label="by chance")
    for name, rows in tables.items():
        line = {"color": BLUE} if name == recipe else {"color": ORANGE, "alpha": 0.7}
        found = [100 * row["events"] for row in rows]
        axes.plot([0, *(100 * row["rows"] for row in rows)], [0, *found], label=name, **line)
    axes.set(xlabel="rows with the highest scores (%)", ylabel="of all events (%)")
    axes.legend(frameon=False, fontsize=8)
    return figure


def quality_and_cost(rows: Rows) -> Figure:
    """AUC with its interval against the seconds all fits of the recipe took: one point per recipe."""
    figure, axes = empty(5.5, 4)
    for row in rows:
        whisker = [[max(0.0, row["auc"] - row["auc_low"])], [max(0.0, row["auc_high"] - row["auc"])]]
        axes.errorbar([max(row["seconds"], 0.01)], [row["auc"]], yerr=whisker, marker="o", capsize=3, color=BLUE)
        axes.annotate(row["recipe"], (max(row["seconds"], 0.01), row["auc"]), (6, 4), textcoords="offset points")
    axes.set(xscale="log", xlabel="seconds of all fits", ylabel="AUC")
    axes.margins(x=0.3)
    return figure


def by_cutoff(rows: Rows, recipe: str, baseline: str) -> Figure:
    """AUC at every judged cut-off, the baseline's beside it."""
    figure, axes = empty(6, 3.6)
    days = [str(date(1970, 1, 1) + timedelta(days=row["cutoff"])) for row in rows]
    if recipe != baseline:
        axes.plot(days, [row["auc"] for row in rows], color=BLUE, marker="o", label=recipe)
    axes.plot(days, [row["baseline_auc"] for row in rows], color=ORANGE, marker=".", label=baseline)
    axes.set(xlabel="cut-off", ylabel="AUC")
    axes.legend(frameon=False, fontsize=8)
    return figure


def by_category(rows: Rows) -> Figure:
    """Gain in AUC over the baseline for each category, with its interval, the largest first."""
    ordered = sorted(rows, key=lambda row: (-row["auc_gain"], row["category"]))
    figure, axes = empty(7, 1 + 0.28 * len(ordered))
    values = [row["auc_gain"] for row in ordered]
    below = [max(0.0, row["auc_gain"] - row["auc_gain_low"]) for row in ordered]
    above = [max(0.0, row["auc_gain_high"] - row["auc_gain"]) for row in ordered]
    axes.barh(range(len(ordered)), values, xerr=[below, above], color=BLUE, ecolor=GREY, capsize=2)
    axes.set_yticks(range(len(ordered)), [row["category"] for row in ordered], fontsize=7)
    axes.invert_yaxis()
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set(xlabel="gain in AUC over the baseline")
    return figure
