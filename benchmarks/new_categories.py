"""How well every recipe foretells which category a customer starts: `python -m benchmarks.new_categories`.

All purchases of The Complete Journey, judged as a training would do it on the day when the last window is over: six
cut-offs 28 days apart, and three before them on which the blend is tuned. Baseline in the same run: popularity, one
line of SQL. Differences are paired, their intervals resample customers, each with all their cut-offs.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.recommenders import write_purchases

if TYPE_CHECKING:
    from spark_jobs.categories.judge import Judged

_RESAMPLES = 2000


def main() -> None:
    """Print the last cut-off, all cut-offs together, and the blend cut-off by cut-off."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.new_categories", description=__doc__)
    parser.add_argument("--last", type=date.fromisoformat, default=date(2017, 11, 30), help="the last cut-off")
    said = parser.parse_args()
    from spark_jobs.categories.inputs import read_days
    from spark_jobs.categories.judge import judged
    from spark_jobs.categories.params import CategoryParams

    params = replace(CategoryParams(), bootstraps=_RESAMPLES)
    as_of = said.last + timedelta(days=params.window_days)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "purchases.parquet"
        write_purchases(path)
        found = judged(read_days(path, as_of, params.customers), as_of, params)
    print("\n".join(report(found)))


def report(found: Judged) -> list[str]:
    """The lines of the report."""
    from spark_jobs.categories.recipes import BLEND, POPULARITY, RECIPES, SVD

    last = found.day == len(found.judged_on) - 1
    lines = [f"blend: EASE + {found.start_weight:g} x start rate, tuned on {', '.join(map(str, found.tuned_on))}"]
    for title, rows in (
        (f"after {found.judged_on[-1]}", last),
        (f"after all of {len(found.judged_on)} cut-offs", np.ones(len(last), dtype=bool)),
    ):
        lines.append(f"{title}: {rows.sum():,} lists of {len(np.unique(found.who[rows])):,} customers")
        for name in sorted(RECIPES, key=lambda name: -found.found[name]["ndcg"][rows].mean()):
            figures = ", ".join(
                f"{figure.upper()}@{found.top} {found.found[name][figure][rows].mean():.4f}"
                + "".join(
                    f", less {other} {gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
                    for other in (POPULARITY, SVD)
                    for gain in (found.gain(name, other, figure, rows),)
                )
                for figure in ("hr", "ndcg", "recall")
            )
            lines.append(f"  {name:11} {figures}")
    for row in found.by_cut_off(BLEND):
        lines.append(
            f"blend after {row['cut_off']}: {row['customers']:,} customers, HR {row['hr']:.3f} beside "
            f"{row['baseline_hr']:.3f}, NDCG {row['ndcg']:.4f} beside {row['baseline_ndcg']:.4f} "
            f"[{row['ndcg_gain_low']:+.4f}, {row['ndcg_gain_high']:+.4f}]"
        )
    return lines


if __name__ == "__main__":
    main()
