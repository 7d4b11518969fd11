"""What the family reads: purchases worth recommending, the products in them, customers' histories, and what came after.

Everything that is one row per customer or purchase stays in Spark; what is one row per product comes to the driver.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import Window
from pyspark.sql import functions as F

from spark_jobs.recommendations import catalogue as catalogues
from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.params import RecommendationParams

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame, SparkSession

Array = np.ndarray
ORDERS = ("item", "age")


@dataclass(frozen=True)
class Encoded:
    """Purchases in whole numbers, which Spark groups several times as fast as texts.

    `rows` has `customer`, `item` and `ordered_on`, parted by customer. Products and customers are numbered by their
    first day, then their id: so those known by a cut-off come first, and what is bought later changes no number.
    `customers` has `customer` and `customer_id`; both frames are cached. `ids`, `types` ('' where not known) and
    `first_days` are the products, by number.
    """

    rows: DataFrame
    customers: DataFrame
    ids: Array
    types: Array
    first_days: Array

    def forget(self) -> None:
        self.rows.unpersist()
        self.customers.unpersist()


def read_purchases(spark: SparkSession, path: Path, as_of: date) -> DataFrame:
    """One row per order, product and day up to `as_of`, all categories."""
    return spark.read.parquet(str(path)).where(F.col("ordered_on") <= F.lit(as_of))


def worth_recommending(purchases: DataFrame, params: RecommendationParams) -> DataFrame:
    """Without the excluded categories; and without products of no category, where most purchases have one."""
    known = purchases.agg(F.avg(F.col("category").isNotNull().cast("double"))).first()
    kept = ~F.coalesce(F.col("category"), F.lit("")).isin(list(params.excluded_categories))
    if known and known[0] is not None and known[0] >= params.category_share:
        kept = kept & F.col("category").isNotNull()
    return purchases.where(kept).select("customer_id", "product_id", "product_type", "ordered_on")


def encoded(spark: SparkSession, purchases: DataFrame, params: RecommendationParams) -> Encoded:
    """Number the products and customers of `purchases`."""
    products = on_driver(
        purchases.groupBy("product_id").agg(
            F.min("ordered_on").alias("first_on"), F.max("product_type").alias("product_type")
        )
    ).sort_values(["first_on", "product_id"])
    ids = products["product_id"].to_numpy(dtype=str)
    order = Window.orderBy("first_on", "customer_id")
    first = purchases.groupBy("customer_id").agg(F.min("ordered_on").alias("first_on"))
    customers = first.select("customer_id", (F.row_number().over(order) - 1).alias("customer")).cache()
    rows = (
        purchases.select("customer_id", "product_id", "ordered_on")
        .join(F.broadcast(numbers(spark, ids)), on="product_id", how="inner")
        .join(customers, on="customer_id", how="inner")
        .select("customer", F.col("item").cast("int"), "ordered_on")
    )
    return Encoded(
        rows=rows.repartition(parts(customers.count(), params), "customer").cache(),
        customers=customers,
        ids=ids,
        types=products["product_type"].fillna("").to_numpy(dtype=str),
        first_days=products["first_on"].to_numpy(dtype="datetime64[D]"),
    )


def numbers(spark: SparkSession, ids: Array) -> DataFrame:
    """One row per product: `product_id` and its number `item`."""
    import pandas as pd

    return spark.createDataFrame(pd.DataFrame({"product_id": ids, "item": np.arange(len(ids))}))


def on_driver(frame: DataFrame) -> pd.DataFrame:
    """All rows as pandas: for frames with a row per product, or of the customers who are judged."""
    rows: pd.DataFrame = frame.toPandas()
    return rows


def parts(customers: int, params: RecommendationParams) -> int:
    """In how many parts customers are worked on: it depends on how many there are, and on nothing else."""
    return max(params.partitions, 1 + customers // params.customers_per_partition)


def pairs(rows: DataFrame, cut_off: date, params: RecommendationParams) -> DataFrame:
    """One row per customer and product bought up to `cut_off`: in how many orders (`times`), in how many of the
    `popularity_days` before the last `late_days` (`earlier`), and the first and the last day."""
    late = cut_off - timedelta(days=params.late_days)
    since = late - timedelta(days=params.popularity_days)
    is_earlier = (F.col("ordered_on") > F.lit(since)) & (F.col("ordered_on") <= F.lit(late))
    return (
        rows.where(F.col("ordered_on") <= F.lit(cut_off))
        .groupBy("customer", "item")
        .agg(
            F.count("*").alias("times"),
            F.sum(is_earlier.cast("long")).alias("earlier"),
            F.min("ordered_on").alias("first_on"),
            F.max("ordered_on").alias("last_on"),
        )
    )


def catalogue(known: Encoded, bought: DataFrame, cut_off: date, params: RecommendationParams) -> Catalogue:
    """The products of `pairs`. Raises HuaxiangError when there are too few of them, or too few customers."""

    def since(days: int, day: str = "last_on") -> Column:  # whoever bought it in the window bought it last in it
        return F.col(day) > F.lit(cut_off - timedelta(days=days))

    def number(condition: Column) -> Column:
        return F.sum(condition.cast("long"))

    is_earlier, is_late = F.col("earlier") > 0, since(params.late_days)
    counts = on_driver(
        bought.groupBy("item").agg(
            F.count("*").alias("buyers"),
            number(since(params.popularity_days)).alias("recent_buyers"),
            number(is_late).alias("late_buyers"),
            number(since(params.week_days)).alias("week_buyers"),
            number(since(params.late_days, "first_on")).alias("new_buyers"),
            number(F.col("times") > 1).alias("repeat_buyers"),
            number(is_earlier).alias("earlier_buyers"),
            number(is_earlier & is_late).alias("returned_buyers"),
            F.sum(F.col("times") - 1).alias("gaps"),
            F.sum(F.date_diff("last_on", "first_on").cast("long")).alias("gap_days"),
        )
    ).sort_values("item")
    customers = bought.select("customer").distinct().count()
    return catalogues.catalogue(known.ids, known.types, counts, customers, cut_off, params)


def orders(rows: DataFrame, cut_off: date) -> DataFrame:
    """One row per customer, product and order up to `cut_off`: `customer`, `item`, and how many days before (`age`)."""
    age = F.date_diff(F.lit(cut_off), F.col("ordered_on")).cast("long").alias("age")
    known = rows.where(F.col("ordered_on") <= F.lit(cut_off))
    return known.select("customer", F.col("item").cast("long").alias("item"), age)


def histories(rows: DataFrame, cut_off: date) -> DataFrame:
    """One row per customer: arrays of the ORDERS, by rising `item`."""
    each = F.sort_array(F.collect_list(F.struct(*ORDERS)))
    gathered = orders(rows, cut_off).groupBy("customer").agg(each.alias("bought"))
    return gathered.select("customer", *(F.col(f"bought.{name}").alias(name) for name in ORDERS))


def of_customers(customers: DataFrame, found: DataFrame, on: str, partitions: int) -> DataFrame:
    """The `histories` of these customers, in partitions and an order that depend on the rows alone. A customer without
    one has an empty one."""
    empty = F.array().cast("array<bigint>")
    arrays = [F.coalesce(F.col(name), empty).alias(name) for name in ORDERS]
    joined = customers.join(found, on=on, how="left").select(F.col(on), *arrays)
    return joined.repartition(partitions, on).sortWithinPartitions(on)


def targets(rows: DataFrame, bought: DataFrame, cut_off: date, params: RecommendationParams) -> DataFrame:
    """One row per customer and product bought in the window after `cut_off`, with `is_new`: never bought before it.

    At most `judged_customers` customers, drawn by a hash of their numbers.
    """
    until = cut_off + timedelta(days=params.window_days)
    after = (
        rows.where((F.col("ordered_on") > F.lit(cut_off)) & (F.col("ordered_on") <= F.lit(until)))
        .select("customer", "item")
        .distinct()
    )
    before = bought.select("customer", "item", F.lit(False).alias("was_not"))
    found = after.join(before, on=["customer", "item"], how="left").select(
        "customer", "item", F.coalesce("was_not", F.lit(True)).alias("is_new")
    )
    number = F.md5(F.col("customer").cast("string"))
    drawn = found.select("customer").distinct().orderBy(number, "customer").limit(params.judged_customers)
    return found.join(drawn, on="customer", how="left_semi")
