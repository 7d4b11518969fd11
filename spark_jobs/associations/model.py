"""Mine: the product types that are often bought together, found by Spark's FP-Growth."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from spark_jobs.associations.rules import EVERY_ORDER, ItemSet, Rule

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class AssociationModel:
    """The rules of a training. `tests` is how many rules were tested; `report` holds figures, never a customer."""

    training_as_of: str
    fingerprint: str
    tests: int
    rules: tuple[Rule, ...]
    figures: tuple[Mapping[str, float], ...]  # of each rule, as mined
    report: Mapping[str, Any]

    def to_json(self) -> str:
        """The model file: indented, the same bytes for the same model."""
        said = {
            "training_as_of": self.training_as_of,
            "fingerprint": self.fingerprint,
            "tests": self.tests,
            "rules": [
                {"antecedent": list(rule.antecedent), "consequent": rule.consequent, **figures}
                for rule, figures in zip(self.rules, self.figures, strict=True)
            ],
            "report": self.report,
        }
        return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> AssociationModel:
    said = json.loads(text)
    rows = said["rules"]
    return AssociationModel(
        training_as_of=said["training_as_of"],
        fingerprint=said["fingerprint"],
        tests=said["tests"],
        rules=tuple(Rule(tuple(row["antecedent"]), row["consequent"]) for row in rows),
        figures=tuple({name: row[name] for name in ("support", "confidence", "lift")} for row in rows),
        report=said["report"],
    )


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
