"""Lists made as Spark jobs: the rows of `laptop`, for homes too large for one process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from spark_jobs.recommendations import inputs, lists, outputs, reasons
from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.lists import Task
from spark_jobs.recommendations.params import RecommendationParams

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def write_items(
    spark: SparkSession,
    purchases: Path,
    customers: Path,
    as_of: date,
    tasks: Callable[[Catalogue], Sequence[Task]],
    path: Path,
    params: RecommendationParams,
) -> int:
    """`laptop.write_items`, on Spark."""
    import pyarrow.parquet as pq

    every = inputs.read_purchases(spark, purchases, as_of)
    known = inputs.encoded(spark, inputs.worth_recommending(every, params), params)
    bought = inputs.pairs(known.rows, as_of).cache()
    products = inputs.catalogue(known, bought, as_of, params)
    of_day = spark.read.parquet(str(customers)).where(F.col("as_of") == F.lit(as_of)).select("customer_id")
    count = of_day.count()
    found = inputs.histories(bought, as_of).join(known.customers, on="customer", how="inner")
    histories = inputs.of_customers(of_day, found, "customer_id", inputs.parts(count, params))
    listed = lists.ranked(histories, tasks(products), products.types, as_of, params.top).cache()
    statement = reasons.statement("{listed}", "{products}", "{purchases}", params)
    rows = spark.sql(statement, listed=listed, products=spark.createDataFrame(products.named()), purchases=every)
    scratch = path.parent / ".spark"
    shutil.rmtree(scratch, ignore_errors=True)
    rows.repartition(1).sortWithinPartitions(*outputs.KEY).write.parquet(str(scratch))
    [part] = scratch.glob("part-*.parquet")
    # Copied once more: Spark notes a file's encodings in an order that differs from run to run.
    with pq.ParquetFile(part) as made:
        written = outputs.write_items(made.schema_arrow, made.iter_batches(batch_size=outputs.BATCH), path, count)
    shutil.rmtree(scratch)
    listed.unpersist()
    bought.unpersist()
    known.forget()
    return written
