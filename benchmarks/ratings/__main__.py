"""Explicit ratings beside published tables: `make bench-ratings`, or `python -m benchmarks.ratings`.

MovieLens 100K is played, landed through its contracts and read from the home. Three tables are printed: errors of
predicted marks, lists on the published split and on a split by time, and lists for members of whom no mark is known.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.ratings import cold, errors, published, ranking
from benchmarks.ratings.marks import Site, landed
from benchmarks.ratings.splits import Split, by_chance, by_time
from huaxiang.errors import HuaxiangError
from huaxiang.judging import resampling

_SHOWN = ("hr", "map", "ndcg", "precision", "recall")
Found = Mapping[str, Mapping[str, np.ndarray]]


def main() -> None:
    """Print the tables, each row as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ratings", description=__doc__)
    parser.add_argument("--share", type=float, default=0.8, help="of the marks, learned from in the split by time")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            site = landed(Path(folder))
        except HuaxiangError as error:
            sys.exit(str(error))
    marks = site.marks
    print(f"\n{len(marks.mark):,} marks of {marks.shape[0]:,} members for {marks.shape[1]:,} films were accepted.\n")
    for part in (
        errors.lines(marks, published.SURPRISE),
        _published_split(site),
        _by_time(site, by_time(marks, said.share)),
        _strangers(site, by_time(marks, said.share)),
    ):
        for line in part:
            print(line, flush=True)
        print()


def _published_split(site: Site) -> Iterator[str]:
    yield "| By chance, 75 % of each user's marks known | MAP | NDCG@10 | Precision@10 | Recall@10 |"
    yield "| --- | --- | --- | --- | --- |"
    split, shape = by_chance(site.marks), site.marks.shape
    rows: dict[str, tuple[float, ...]] = {f"theirs: {name}": row for name, row in published.RECOMMENDERS.items()}
    lists = {"SAR, to try the measure": ranking.sar(split.learned, shape)}
    lists |= ranking.ours(split, shape, site.genres, by_chance)
    for name, listed in lists.items():
        found = ranking.figures(listed, split.held, shape)
        rows[f"ours: {name}"] = tuple(float(found[metric].mean()) for metric in ranking.NAMES)
    for name, means in sorted(rows.items(), key=lambda row: -row[1][1]):
        yield f"| {name} | {' | '.join(f'{mean:.4f}' for mean in means)} |"


def _by_time(site: Site, split: Split) -> Iterator[str]:
    """Of members with a known mark."""
    shape = site.marks.shape
    held = split.held.of(np.isin(split.held.user, split.learned.user))
    lists = ranking.ours(split, shape, site.genres, by_time) | {"SAR": ranking.sar(split.learned, shape)}
    found = {name: ranking.figures(listed, held, shape) for name, listed in lists.items()}
    yield from _compared("By time, members with known marks", found)


def _strangers(site: Site, split: Split) -> Iterator[str]:
    prior, found = cold.found(site, split)
    yield from _compared(f"By time, members without a known mark (prior {prior:g})", found)


def _compared(title: str, found: Found) -> Iterator[str]:
    """A row per recipe, with the paired difference in hit rate and NDCG to popularity."""
    base = found[cold.EVERYBODY]
    drawn = resampling.draws(len(base["hr"]), ranking.PARAMS.bootstraps, ranking.PARAMS.seed)
    difference = partial(_difference, drawn=drawn)
    gained = "HR minus popularity | NDCG minus popularity"
    yield f"| {title}: {len(base['hr']):,} | HR@10 | MAP | NDCG@10 | Precision@10 | Recall@10 | {gained} |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for name, one in sorted(found.items(), key=lambda row: -row[1]["ndcg"].mean()):
        means = " | ".join(f"{one[metric].mean():.4f}" for metric in _SHOWN)
        gains = " | ".join(
            difference(one[metric] - base[metric]) if one is not base else "" for metric in ("hr", "ndcg")
        )
        yield f"| {name} | {means} | {gains} |"


def _difference(values: np.ndarray, drawn: np.ndarray) -> str:
    interval = resampling.mean(values, drawn).interval()
    return f"{interval.value:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]"


if __name__ == "__main__":
    main()
