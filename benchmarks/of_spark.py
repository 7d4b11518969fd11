"""Pairs with Spark, in a session that has started: K-Means beside scikit-learn, FP-Growth beside counted pairs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb

from benchmarks import home
from benchmarks.pair import Pair, Side
from huaxiang.settings import Run, Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_GROUPS, _FEATURES, _SUPPORT = 6, 6, 0.01


def kmeans_pair(spark: SparkSession, size: home.Size) -> Pair:
    """Six groups among so many customers, the best of six starts. The centres are compared, to two decimals."""
    import numpy as np
    import pandas as pd

    from spark_jobs.segments import model, transforms
    from spark_jobs.segments.params import SegmentParams

    params = SegmentParams()
    rng = np.random.default_rng(params.seed)
    middles = 4 * rng.permutation(np.eye(_GROUPS, _FEATURES))
    points = middles[np.arange(size.points) % _GROUPS] + rng.normal(0, 0.5, (size.points, _FEATURES))
    rows = pd.DataFrame(
        {"customer_id": [f"c{number:05d}" for number in range(size.points)], transforms.COORDINATES: list(points)}
    )
    frame = transforms.in_fixed_order(spark.createDataFrame(rows), size.points, params).cache()
    frame.count()

    def by_scikit_learn() -> Any:
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # more threads only wait for each other at this size, as segments found out too
            return KMeans(_GROUPS, n_init=params.fit_starts, random_state=params.seed).fit(points).cluster_centers_

    return Pair(
        "k-means",
        Side("Spark K-Means, six starts", lambda: model.fit(frame, _GROUPS, params)),
        Side("scikit-learn K-Means, six starts", by_scikit_learn),
        "what a laptop user waits for: Spark pays per job, not per row, and goes on where memory ends",
        size.repeats,
        warm_up=True,
        check=lambda centres: sorted(tuple(np.round(centre, 2) + 0.0) for centre in centres),
    )


def pairs_pair(spark: SparkSession, settings: Settings, run: Run, size: home.Size) -> Pair:
    """Which two product types are together in 1 % of the orders, and in how many: all pairs are compared."""
    from spark_jobs.associations import inputs, rules
    from spark_jobs.associations.cluster import often_together, orders_to_mine, read_bought
    from spark_jobs.associations.params import AssociationParams

    path = inputs.purchases_path(settings, run)
    known = f"from read_parquet('{path}') where product_type is not null"
    with duckdb.connect() as connection:
        [(orders,)] = connection.execute(f"select count(distinct order_id) {known}").fetchall()
    fewest = rules.fewest_both(orders, replace(AssociationParams(), min_support=_SUPPORT, fewest_both=5))

    def by_fp_growth() -> dict[Any, int]:
        bought = read_bought(spark, path, date(1970, 1, 1), run.as_of)
        found = often_together(orders_to_mine(bought, 1), fewest)
        return {items: count for items, count in found.items() if len(items) == 2}

    def by_counting() -> dict[Any, int]:
        query = f"""
            with bought as (select distinct order_id, product_type {known})

            select one.product_type, other.product_type, count(*)
            from bought as one
            inner join bought as other on one.order_id = other.order_id and one.product_type < other.product_type
            group by all
            having count(*) >= {fewest}
        """
        with duckdb.connect() as connection:
            return {tuple(sorted(row[:2])): row[2] for row in connection.execute(query).fetchall()}

    return Pair(
        "pairs",
        Side("Spark FP-Growth, sets of any size", by_fp_growth),
        Side("DuckDB: count every pair", by_counting),
        "why scoring counts and does not mine; FP-Growth also finds the sets of three and more",
        size.repeats,
        warm_up=True,
    )
