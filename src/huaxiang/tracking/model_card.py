"""The model card of a fit, as Markdown: what it is for, its data, split, figures beside the baseline, limits, cost.

After Mitchell et al., "Model Cards for Model Reporting" (2019), cut to what this platform knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from huaxiang.tracking import Fit

_COST = ("_seconds", "_mb")


def card(fit: Fit) -> str:
    """The card. A metric `x` is shown with `x_low` and `x_high`, beside `baseline_x` and `x_gain` (the paired
    difference) where they were logged."""
    lines = [f"# {fit.target}: {fit.recipe or fit.algorithm}", "", fit.description, ""]
    lines += ["## Data", "", f"Events of local days up to {fit.as_of}. {fit.split}".strip(), ""]
    lines += ["## Quality", "", *_quality(fit.metrics), ""]
    lines += [f"Baseline: {fit.baseline}.", ""] if fit.baseline else []
    if fit.notes:
        lines += ["## Limits", "", *(f"- {note}" for note in fit.notes), ""]
    cost = {name: value for name, value in fit.metrics.items() if name.endswith(_COST)}
    if cost:
        lines += ["## Cost", "", *(f"- {name.replace('_', ' ')}: {value:g}" for name, value in cost.items()), ""]
    lines += ["## Origin", "", f"Algorithm `{fit.algorithm}`, fingerprint `{fit.fingerprint}`.", ""]
    return "\n".join(lines)


def _quality(metrics: Mapping[str, float]) -> list[str]:
    rows = [name for name in metrics if f"{name}_low" in metrics and not name.startswith("baseline_")]
    shown = [name for name in rows if not name.endswith("_gain")]
    if not shown:
        return ["No figure with an interval was measured."]
    lines = ["| metric | model | baseline | difference |", "| --- | --- | --- | --- |"]
    for name in shown:
        cells = [_interval(metrics, key) for key in (name, f"baseline_{name}", f"{name}_gain")]
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return lines


def _interval(metrics: Mapping[str, float], name: str) -> str:
    if name not in metrics:
        return "-"
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    return f"{metrics[name]:.4f}" + (f" [{low:.4f}, {high:.4f}]" if low is not None and high is not None else "")
