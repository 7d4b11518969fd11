"""Mine with Spark's FP-Growth, for homes of more purchases than one process should look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from spark_jobs.associations.rules import EVERY_ORDER, ItemSet

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def read_bought(spark: SparkSession, path: Path, first: date, last: date) -> DataFrame:
    """What was bought on these days and has a product type; an order without any is not looked at."""
    is_in_window = F.col("ordered_on").between(F.lit(first), F.lit(last))
    rows = spark.read.parquet(str(path)).select("order_id", "product_type", "ordered_on")
    return rows.where(is_in_window & F.col("product_type").isNotNull())


def orders_to_mine(bought: DataFrame, share: float) -> DataFrame:
    """Distinct order_id and product_type of a share of the orders, drawn by a hash of their ids; 1 takes them all."""
    drawn = bought if share >= 1 else bought.where(F.pmod(F.xxhash64("order_id"), F.lit(1_000_000)) < share * 1_000_000)
    return drawn.select("order_id", "product_type").distinct()


def often_together(orders: DataFrame, fewest: int) -> dict[ItemSet, int]:
    """Every set of product types that is in at least `fewest` of the orders, with its count, single ones included.

    `orders` has distinct rows of order_id and product_type. The counts are exact; that of the empty set is the number
    of orders.
    """
    with _cached(orders):
        order_count = orders.select("order_id").distinct().count()
        singles = orders.groupBy("product_type").count().where(F.col("count") >= fewest)
        counts: dict[ItemSet, int] = {(row.product_type,): row["count"] for row in singles.collect()}
        return {EVERY_ORDER: order_count, **counts, **_grown(orders, sorted(counts), fewest)}


def _grown(orders: DataFrame, frequent: list[ItemSet], fewest: int) -> dict[ItemSet, int]:
    """The sets of two and more by FP-Growth.

    A rare type cannot be in a frequent set, and an order of one type holds no pair: neither need be in the tree. It is
    one tree, since two over the same types cost more than they save.
    """
    from pyspark.ml.fpm import FPGrowth

    of_types = orders.sparkSession.createDataFrame([(items[0],) for items in frequent], "product_type string")
    baskets = (
        orders.join(F.broadcast(of_types), on="product_type", how="left_semi")
        .groupBy("order_id")
        .agg(F.sort_array(F.collect_list("product_type")).alias("items"))
        .where(F.size("items") > 1)
        .coalesce(1)
    )
    with _cached(baskets):
        basket_count = baskets.count()
        if basket_count < fewest:
            return {}
        # FP-Growth asks for ceil(minSupport * baskets): half an order below `fewest` rounds up to it.
        support = min(1.0, (fewest - 0.5) / basket_count)
        mined = FPGrowth(itemsCol="items", minSupport=support, minConfidence=1.0, numPartitions=1).fit(baskets)
        rows = mined.freqItemsets.where(F.size("items") > 1).collect()
    return {tuple(sorted(row["items"])): int(row["freq"]) for row in rows}


@contextmanager
def _cached(frame: DataFrame) -> Iterator[None]:
    """Keep the rows while the body works, however it ends: Spark would give them to whoever asks for the same plan."""
    frame.cache()
    try:
        yield
    finally:
        frame.unpersist()
