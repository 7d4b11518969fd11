"""Our ALS beside the package implicit: `python -m benchmarks.als` (after `python3.11 scripts/setup.py bench`).

All purchases of The Complete Journey up to a day. The pair does the same work from the same start, without
regularisation, since the two regularise differently, and must give equal factors. Then implicit as it comes, with its
quicker, inexact solver; and how many of ten products two trainings have in common for the same customer, by number of
iterations: ours from another start, implicit as it comes and, when asked for, Spark's ALS as a large home uses it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import write
from benchmarks.pair import Pair, Side, measure
from benchmarks.recommenders import write_purchases
from huaxiang.settings import PROJECT
from spark_jobs.recommendations import factors, laptop
from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.params import RecommendationParams

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Array = np.ndarray
_TOP, _REPEATS = 10, 5


def main() -> None:
    """Print the pair, implicit's own way, and the overlaps."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.als", description=__doc__)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2017, 11, 30))
    parser.add_argument("--iterations", type=int, nargs="*", default=[4, 8, 10, 15, 20], help="what overlaps are of")
    parser.add_argument("--spark", action="store_true", help="also the overlap with Spark's ALS (a minute each)")
    said = parser.parse_args()
    _find_implicit()
    from threadpoolctl import threadpool_limits

    params = RecommendationParams()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "purchases.parquet"
        write_purchases(path)
        with laptop.opened(path, said.as_of, path.with_name("scratch"), params) as purchases:
            products, pairs = purchases.catalogue(said.as_of), purchases.pairs(said.as_of)
    with threadpool_limits(1):
        print(write.line(measure(als_pair(products, pairs, params))))
        seconds = median(_seconds(lambda: implicitly(products, pairs, params, use_cg=True)) for _ in range(_REPEATS))
        ours = median(_seconds(lambda: factors.als(products, pairs, params)) for _ in range(_REPEATS))
        print(
            f"ours, regularised: {ours:.2f} s; implicit as it comes (conjugate gradients): {seconds:.2f} s of processor"
        )
        spark = _session() if said.spark else None
        for count in said.iterations:
            print(overlaps(products, pairs, replace(params, iterations=count), spark), flush=True)


def als_pair(products: Catalogue, pairs: Pairs, params: RecommendationParams) -> Pair:
    """The same half-steps from the same factors. The mean square of each factor is compared, to three decimals."""
    free = replace(params, regularisation=0.0)
    return Pair(
        "als",
        Side("ours, numpy", lambda: factors.als(products, pairs, free)[1]),
        Side("implicit, exact solver", lambda: implicitly(products, pairs, free).item_factors),
        "why ALS on a laptop needs no further package",
        _REPEATS,
        warm_up=True,
        check=lambda found: np.round(np.mean(found.astype(np.float64) ** 2, axis=0), 3).tolist(),
        clock=time.process_time,
    )


def implicitly(products: Catalogue, pairs: Pairs, params: RecommendationParams, use_cg: bool = False) -> Any:
    """A model of implicit, fitted by one thread from our start to what ours is fitted to."""
    from implicit.cpu.als import AlternatingLeastSquares

    learned = factors.worth_learning(products, params)
    confidence = pairs.matrix(learned, 1 + params.alpha * np.log1p(pairs.times))  # implicit takes it whole
    model = AlternatingLeastSquares(
        factors=params.rank, regularization=params.regularisation, alpha=1.0, iterations=params.iterations,
        use_cg=use_cg, num_threads=1, random_state=params.seed, dtype=np.float64,
    )  # fmt: skip
    model.item_factors = factors.start(len(learned), params)
    model.fit(confidence, show_progress=False)
    return model


def overlaps(products: Catalogue, pairs: Pairs, params: RecommendationParams, spark: SparkSession | None) -> str:
    """A line: how much of our lists is the same as those of other trainings with as many iterations."""
    learned = factors.worth_learning(products, params)
    others = {
        "another start": factors.als(products, pairs, replace(params, seed=params.seed + 1))[1],
        "implicit as it comes": implicitly(products, pairs, params, use_cg=True).item_factors,
    }
    if spark:
        others["Spark"] = _on_spark(spark, products, pairs, params)
    ours = _lists(factors.als(products, pairs, params)[1], learned, pairs, params)
    shares = []
    for name, found in others.items():
        lists = _lists(found, learned, pairs, params)
        same = np.mean([len(np.intersect1d(one, two)) / _TOP for one, two in zip(ours, lists, strict=True)])
        shares.append(f"{name} {same:.3f}")
    return f"overlap at {_TOP} after {params.iterations} iterations, {len(ours):,} customers: {', '.join(shares)}"


def _on_spark(spark: SparkSession, products: Catalogue, pairs: Pairs, params: RecommendationParams) -> Array:
    import pandas as pd

    from spark_jobs.recommendations import cluster

    whole = {"customer": pairs.customer.astype(np.int32), "item": pairs.item.astype(np.int32), "times": pairs.times}
    bought = spark.createDataFrame(pd.DataFrame(whole))
    with tempfile.TemporaryDirectory() as scratch:
        _, found = cluster.item_factors(cluster.fit_als(spark, bought, products, Path(scratch), params))
    return found


def _session() -> SparkSession:
    from spark_jobs.session import session

    folder = Path(tempfile.mkdtemp(prefix="als-"))
    return session(folder / "warehouse", folder / "spark.log")


def _lists(found: Array, learned: Array, pairs: Pairs, params: RecommendationParams) -> Array:
    """The ten best products of each customer, tastes being one more half-step from these factors."""
    matrix = pairs.matrix(learned, np.log1p(pairs.times))
    tastes = factors._half_step(matrix, found.astype(np.float64), params)
    # A copy, since a part of an array keeps the whole of it.
    return np.argsort(-(tastes @ found.T), axis=1, kind="stable")[:, :_TOP].copy()


def _seconds(work: Any) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _find_implicit() -> None:
    """Let the package be imported from its environment, which holds nothing else this one has."""
    found = next((PROJECT / ".venv" / "bench").glob("lib/python*/site-packages/implicit"), None)
    if found is None:
        sys.exit("benchmarks.als: implicit is not installed; run 'python3.11 scripts/setup.py bench' first")
    sys.path.append(str(found.parent))
    import implicit.cpu.als  # noqa: F401 - so that a limit on threads also finds its libraries


if __name__ == "__main__":
    main()
