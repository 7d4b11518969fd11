"""Purchases worked on by Spark jobs: what `laptop` does, for homes too large for one process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from spark_jobs.recommendations import factors, inputs, lists, outputs, reasons
from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.lists import Task
from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.params import RecommendationParams

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import DataFrame, SparkSession

Array = np.ndarray


class Cluster:
    """`pairs.Purchases` on Spark. `scratch` takes ALS's checkpoints; a cluster's workers must see it too."""

    def __init__(
        self, spark: SparkSession, path: Path, as_of: date, scratch: Path, params: RecommendationParams
    ) -> None:
        self._spark = spark
        self._scratch = scratch
        self._params = params
        self._every = inputs.read_purchases(spark, path, as_of)
        self._known = inputs.encoded(spark, inputs.worth_recommending(self._every, params), params)
        self._bought: tuple[date, DataFrame] | None = None

    def catalogue(self, cut_off: date) -> Catalogue:
        return inputs.catalogue(self._known, self._bought_by(cut_off), cut_off, self._params)

    def pairs(self, cut_off: date) -> Pairs:
        kept = self._known.rows.where(F.col("customer") < self._params.neighbour_customers)
        return Pairs.of_rows(inputs.on_driver(inputs.orders(kept, cut_off)))

    def targets(self, cut_off: date) -> pd.DataFrame:
        rows = self._known.rows.where(F.col("customer") < self._params.neighbour_customers)
        found = inputs.targets(rows, self._bought_by(cut_off), cut_off, self._params)
        return inputs.on_driver(found).sort_values(["customer", "item"], ignore_index=True)

    def als(self, cut_off: date, products: Catalogue, pairs: Pairs) -> tuple[Array, Array]:
        model = fit_als(self._spark, self._bought_by(cut_off), products, self._scratch, self._params)
        learned, found = item_factors(model)
        shutil.rmtree(self._scratch, ignore_errors=True)
        return learned, found

    def write_items(
        self, customers: Path, suppressions: Path, as_of: date, tasks: Callable[[Catalogue], Sequence[Task]], path: Path
    ) -> int:
        """`Laptop.write_items`, as Spark jobs."""
        import pyarrow.parquet as pq

        products = self.catalogue(as_of)
        of_day = self._spark.read.parquet(str(customers)).where(F.col("as_of") == F.lit(as_of)).select("customer_id")
        count = of_day.count()
        bought = inputs.histories(self._known.rows, as_of)
        found = bought.join(self._known.customers, on="customer", how="inner")
        histories = inputs.of_customers(of_day, found, "customer_id", inputs.parts(count, self._params))
        suppressed = products.suppressed(suppressions)
        listed = lists.ranked(histories, tasks(products), products.types, suppressed, as_of, self._params.top).cache()
        statement = reasons.statement("{listed}", "{named}", "{purchases}", self._params)
        named = self._spark.createDataFrame(products.named())
        rows = self._spark.sql(statement, listed=listed, named=named, purchases=self._every)
        scratch = path.parent / ".spark"
        shutil.rmtree(scratch, ignore_errors=True)
        rows.repartition(1).sortWithinPartitions(*outputs.KEY).write.parquet(str(scratch))
        [part] = scratch.glob("part-*.parquet")
        # Copied once more: Spark notes a file's encodings in an order that differs from run to run.
        with pq.ParquetFile(part) as made:
            written = outputs.write_items(made.schema_arrow, made.iter_batches(batch_size=outputs.BATCH), path, count)
        shutil.rmtree(scratch)
        listed.unpersist()
        return written

    def forget(self) -> None:
        if self._bought:
            self._bought[1].unpersist()
        self._known.forget()

    def _bought_by(self, cut_off: date) -> DataFrame:
        """`inputs.pairs`, cached until another cut-off is asked for."""
        if self._bought and self._bought[0] != cut_off:
            self._bought[1].unpersist()
            self._bought = None
        if not self._bought:
            self._bought = cut_off, inputs.pairs(self._known.rows, cut_off, self._params).cache()
        return self._bought[1]


def fit_als(
    spark: SparkSession, bought: DataFrame, products: Catalogue, scratch: Path, params: RecommendationParams
) -> ALSModel:
    """Spark's ALS for implicit feedback on log(1 + orders) of the products with enough buyers.

    With fixed blocks, seed, partitions and order the factors are equal bit by bit, however the rows were read.
    """
    import pandas as pd
    from pyspark.ml.recommendation import ALS

    enough = pd.DataFrame({"item": factors.worth_learning(products, params).astype(np.int32)})
    rows = (
        bought.join(F.broadcast(spark.createDataFrame(enough)), on="item", how="inner")
        .select("customer", "item", F.log1p("times").cast("float").alias("confidence"))
        .repartition(params.blocks, "customer")
        .sortWithinPartitions("customer", "item")
    )
    spark.sparkContext.setCheckpointDir(str(scratch))
    estimator = ALS(
        rank=params.rank,
        regParam=params.regularisation,
        alpha=params.alpha,
        maxIter=params.iterations,
        implicitPrefs=True,
        numUserBlocks=params.blocks,
        numItemBlocks=params.blocks,
        checkpointInterval=params.checkpoint_every,
        seed=params.seed,
        userCol="customer",
        itemCol="item",
        ratingCol="confidence",
    )
    return estimator.fit(rows)


def item_factors(model: ALSModel) -> tuple[Array, Array]:
    """Numbers of the products ALS knows, rising, and their factors, a row each."""
    rows = inputs.on_driver(model.itemFactors).sort_values("id")
    found = np.array(rows["features"].tolist(), dtype=np.float32).reshape(len(rows), model.rank)
    return rows["id"].to_numpy(dtype=np.int32), found
