"""From purchases to orders as bit masks, and exact counts of item sets in them: frame in, frame out.

An order becomes a few whole numbers with one bit per product type that is asked for. An item set is in the order when
all its bits are. Orders with equal bits are counted together, so the work grows with the kinds of orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from spark_jobs.associations.rules import EVERY_ORDER, ItemSet

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_BITS = 62  # of a bigint, keeping clear of the sign


@dataclass(frozen=True)
class Counts:
    """In how many orders each item set is, and the first and last day of all orders (None without orders)."""

    of: Mapping[ItemSet, int]
    first_on: date | None
    last_on: date | None

    @property
    def orders(self) -> int:
        return self.of.get(EVERY_ORDER, 0)


@dataclass(frozen=True)
class Bits:
    """Which bit of which word stands for a product type."""

    items: tuple[str, ...]

    @property
    def words(self) -> list[str]:
        return [f"word_{number}" for number in range(max(1, -(-len(self.items) // _BITS)))]

    def of(self, itemset: ItemSet) -> list[int]:
        """The words with the bits of all types of the item set."""
        found = [0] * len(self.words)
        for item in itemset:
            place = self.items.index(item)
            found[place // _BITS] |= 1 << (place % _BITS)
        return found


def bits_of(itemsets: Sequence[ItemSet]) -> Bits:
    return Bits(tuple(sorted({item for itemset in itemsets for item in itemset})))


def between(purchases: DataFrame, first: date, last: date) -> DataFrame:
    """What was bought on these days and has a product type; an order without any is not looked at."""
    is_in_window = F.col("ordered_on").between(F.lit(first), F.lit(last))
    return purchases.where(is_in_window & F.col("product_type").isNotNull())


def masks(spark: SparkSession, bought: DataFrame, bits: Bits) -> DataFrame:
    """One row per order: order_id, customer_id, first_on, last_on and a word per 62 product types."""
    rows = [(item, *bits.of((item,))) for item in bits.items]
    schema = ", ".join(["product_type string", *(f"{word} bigint" for word in bits.words)])
    of_types = spark.createDataFrame(rows, schema)
    return (
        bought.join(F.broadcast(of_types), on="product_type", how="left")
        .groupBy("order_id")
        .agg(
            # An order without a customer stands for itself.
            F.coalesce(F.min("customer_id"), F.col("order_id")).alias("customer_id"),
            F.min("ordered_on").alias("first_on"),
            F.max("ordered_on").alias("last_on"),
            *(F.coalesce(F.bit_or(word), F.lit(0)).alias(word) for word in bits.words),
        )
    )


def count(spark: SparkSession, bought: DataFrame, itemsets: Sequence[ItemSet]) -> Counts:
    """Exact counts of the item sets and of all orders, in one Spark job."""
    wanted = sorted({EVERY_ORDER, *itemsets})
    bits = bits_of(wanted)
    kinds = (
        masks(spark, bought, bits)
        .groupBy(*bits.words)
        .agg(F.count("*").alias("orders"), F.min("first_on").alias("first_on"), F.max("last_on").alias("last_on"))
    )
    rows = [(number, *bits.of(itemset)) for number, itemset in enumerate(wanted)]
    schema = ", ".join(["number int", *(f"set_{word} bigint" for word in bits.words)])
    sets = spark.createDataFrame(rows, schema)
    is_in = reduce(
        lambda left, right: left & right,
        (F.col(word).bitwiseAND(F.col(f"set_{word}")) == F.col(f"set_{word}") for word in bits.words),
    )
    found = (
        kinds.join(F.broadcast(sets), on=is_in, how="inner")
        .groupBy("number")
        .agg(F.sum("orders").alias("orders"), F.min("first_on").alias("first_on"), F.max("last_on").alias("last_on"))
        .collect()
    )
    counts = {wanted[row.number]: int(row.orders) for row in found}
    every = next((row for row in found if wanted[row.number] == EVERY_ORDER), None)
    return Counts(counts, every.first_on if every else None, every.last_on if every else None)
