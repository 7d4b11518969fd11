"""What a run found: lines for the terminal, a page and a picture for the documentation, JSON for a program."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from benchmarks.home import Size
from benchmarks.pair import Measured

_PICTURE = "images/benchmarks.svg"


def line(one: Measured) -> str:
    low, high = one.extremes
    return (
        f"{one.name:<10} {one.ratio:7.2f} [{low:.2f}, {high:.2f}]   {median(one.ours):7.2f} s / "
        f"{median(one.reference):7.2f} s   {one.ours_name} / {one.reference_name}"
    )


def as_json(found: Sequence[Measured]) -> str:
    return json.dumps([{**asdict(one), "ratio": one.ratio, "extremes": one.extremes} for one in found], indent=1)


def documents(found: Sequence[Measured], size: Size, note: str, docs: Path) -> None:
    """Write `explanation/benchmarks.md` and its picture."""
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"
    lines = [
        "# Benchmarks",
        "",
        "Pairs that do the same work, measured in turn in one run; both sides must give equal results, or the run",
        "fails. A ratio above 1 says that ours takes so many times as long as the reference. Seconds depend on the",
        "machine, ratios less so; no test looks at a time.",
        "",
        f"Written by `make bench WRITE=1` on {machine}; {size}.",
        note,
        "",
        "| Pair | Ours | Reference | Ratio of medians [least, most] | Seconds, ours and reference |",
        "| --- | --- | --- | --- | --- |",
        *(_row(one) for one in found),
        "",
        f"![Ratio of ours to the reference for each pair](../{_PICTURE})",
        "",
        "What they say:",
        "",
        *(f"- **{one.name}**: {one.meaning}." for one in found),
        "",
    ]
    (docs / "explanation" / "benchmarks.md").write_text("\n".join(lines), encoding="utf-8")
    _picture(found, docs / _PICTURE)


def _row(one: Measured) -> str:
    low, high = one.extremes
    seconds = f"{median(one.ours):.2f} and {median(one.reference):.2f}"
    return (
        f"| {one.name} | {one.ours_name} | {one.reference_name} | {one.ratio:.2f} [{low:.2f}, {high:.2f}] | {seconds} |"
    )


def _picture(found: Sequence[Measured], path: Path) -> None:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 1 + 0.5 * len(found)), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots()
    places = range(len(found))
    ratios = [one.ratio for one in found]
    below = [max(0.0, one.ratio - one.extremes[0]) for one in found]
    above = [max(0.0, one.extremes[1] - one.ratio) for one in found]
    axes.errorbar(ratios, places, xerr=[below, above], fmt="o", capsize=3, color="#1f5a92")
    axes.axvline(1, color="#8a8a8a", linestyle=":")
    axes.set_yticks(places, [one.name for one in found])
    axes.set(xscale="log", xlabel="seconds of ours over seconds of the reference (1: equal)")
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    # Words stay words, and the bytes are those of the figures.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "huaxiang"}):
        figure.savefig(path, format="svg", metadata={"Date": None})
