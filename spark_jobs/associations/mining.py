"""From purchases to rules worth telling, mined by the engine that the home's size asks for and judged on later days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.errors import HuaxiangError
from spark_jobs import engine
from spark_jobs.associations import chance, counting, inputs, judge, laptop, rules
from spark_jobs.associations.params import AssociationParams

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Mined:
    """The rules worth telling, with their counts on the days mined, and how many rules were tested for it."""

    rules: tuple[rules.Counted, ...]
    p_values: tuple[float, ...]
    tests: int
    types: tuple[str, ...]  # that are frequent by themselves
    orders: int
    sampled_share: float


def mine(
    spark: SparkSession | None, path: Path, first: date, last: date, where: str, params: AssociationParams
) -> Mined:
    """The rules of these days that reach support, confidence and lift and are surely no chance.

    `where` names the engine (`spark_jobs.engine`). Raises HuaxiangError when there are too few orders or no rule.
    """
    orders = counting.count(path, first, last, []).orders
    if orders == 0:
        raise HuaxiangError(no_types(first, last))
    if orders < params.fewest_orders:
        raise HuaxiangError(
            f"associations: {orders} orders with a product type from {first} to {last} are too few for "
            f"rules; {params.fewest_orders} are needed, so wait for more or leave 'associations' out of models"
        )
    fewest = rules.fewest_both(orders, params)
    share = 1.0 if where == engine.LAPTOP else min(1.0, params.mined_orders / orders)
    if where == engine.LAPTOP:
        largest = params.largest_antecedent + 1
        itemsets = laptop.often_together(path, first, last, fewest, largest)
    else:
        itemsets = _by_spark(spark, path, first, last, share, fewest, params)
    candidates = rules.candidates(itemsets, params.largest_antecedent)
    singles = [items for items in itemsets if len(items) == 1]
    wanted = [*rules.itemsets_of(candidates), *singles]
    counts = itemsets if share == 1 else counting.count(path, first, last, wanted).of
    counted = [one for one in rules.counted(candidates, counts) if one.both_count >= fewest]
    found = rules.strong(counted, params)
    sure = [
        (one, p)
        for one, p in zip(found, chance.p_values(found, len(counted)), strict=True)
        if p < params.largest_p_value
    ][: params.most_rules]
    if not sure:
        raise HuaxiangError(
            f"associations: no two product types are bought together often enough in {orders:,} orders from "
            f"{first} to {last}: lower min_support in spark_jobs/associations/params.py, or leave "
            "'associations' out of models"
        )
    return Mined(
        rules=tuple(one for one, _ in sure),
        p_values=tuple(p for _, p in sure),
        tests=len(counted),
        types=tuple(items[0] for items in sorted(singles) if counts.get(items, 0) >= fewest),
        orders=orders,
        sampled_share=round(share, 6),
    )


def judged(path: Path, days: inputs.Window, mined: Mined, params: AssociationParams) -> dict[str, float]:
    """Do the rules hold on the days after? Figures beside random pairs. Raises HuaxiangError without orders there."""
    import numpy as np

    found = [one.rule for one in mined.rules]
    baseline = judge.random_pairs(mined.types, len(found), params.seed)
    itemsets = rules.itemsets_of([*found, *baseline])
    bits = counting.bits_of(itemsets)
    rows = counting.masks(path, days.held_from, days.last, bits, params.judged_customers)
    if rows.empty:
        raise HuaxiangError(
            f"associations: no order from {days.held_from} to {days.last} has a product type, so no rule can be checked"
        )
    sets = np.array([bits.of(itemset) for itemset in itemsets], dtype=np.int64)
    per_customer = judge.counts_per_customer(rows["customer_id"].to_numpy(), rows[bits.words].to_numpy(np.int64), sets)
    metrics = judge.judge(per_customer, itemsets, found, baseline, params)
    return {**metrics, "rules": float(len(found)), "rules_tested": float(mined.tests), "orders": float(mined.orders)}


def no_types(first: date, last: date) -> str:
    """What to say of days without any order that rules could be about."""
    return (
        f"associations: no order from {first} to {last} has a product type, which is what rules are about: map "
        "products.product_type in sources/, or leave 'associations' out of models"
    )


def _by_spark(
    spark: SparkSession | None,
    path: Path,
    first: date,
    last: date,
    share: float,
    fewest: int,
    params: AssociationParams,
) -> dict[rules.ItemSet, int]:
    from spark_jobs.associations import cluster

    assert spark is not None
    bought = cluster.read_bought(spark, path, first, last)
    margin = params.sample_margin if share < 1 else 1.0
    return cluster.often_together(cluster.orders_to_mine(bought, share), max(2, round(fewest * share * margin)))
