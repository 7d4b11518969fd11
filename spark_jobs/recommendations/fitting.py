"""Fit what needs fitting: ALS factors of products by Spark, and each product's neighbours by co-purchase."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from spark_jobs.recommendations import inputs
from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.inputs import Encoded
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import Products

if TYPE_CHECKING:
    from pyspark.ml.recommendation import ALSModel
    from pyspark.sql import DataFrame, SparkSession

Array = np.ndarray


@dataclass(frozen=True)
class Fitted:
    """What was learned from the purchases up to a cut-off, and the seconds each part took."""

    catalogue: Catalogue
    products: Products
    bought: DataFrame  # `inputs.pairs`, cached
    seconds: dict[str, float]


def fit(spark: SparkSession, known: Encoded, cut_off: date, scratch: Path, params: RecommendationParams) -> Fitted:
    """Learn from purchases up to `cut_off`. Raises HuaxiangError when there are too few products or customers.

    `scratch` takes ALS's checkpoints meanwhile; a cluster's workers must see it too.
    """
    began = time.perf_counter()
    bought = inputs.pairs(known.rows, cut_off).cache()
    products = inputs.catalogue(known, bought, cut_off, params)
    counted = time.perf_counter()
    learned, factors = item_factors(als(spark, bought, products, scratch, params))
    shutil.rmtree(scratch, ignore_errors=True)
    factorised = time.perf_counter()
    paired, neighbours, similarities = item_neighbours(bought, products, params)
    done = time.perf_counter()
    return Fitted(
        products,
        Products(products.ids, products.recent_buyers, learned, factors, paired, neighbours, similarities),
        bought,
        {"counts": counted - began, "als": factorised - counted, "item_based": done - factorised},
    )


def als(
    spark: SparkSession, bought: DataFrame, products: Catalogue, scratch: Path, params: RecommendationParams
) -> ALSModel:
    """Spark's ALS for implicit feedback on log(1 + orders) of the products with enough buyers.

    With fixed blocks, seed, partitions and order the factors are equal bit by bit, however the rows were read.
    """
    from pyspark.ml.recommendation import ALS

    enough = np.flatnonzero(products.buyers >= min(params.fewest_buyers, int(products.buyers.max())))
    rows = (
        bought.join(F.broadcast(_items(spark, enough)), on="item", how="inner")
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
    factors = np.array(rows["features"].tolist(), dtype=np.float32).reshape(len(rows), model.rank)
    return rows["id"].to_numpy(dtype=np.int32), factors


def item_neighbours(bought: DataFrame, products: Catalogue, params: RecommendationParams) -> tuple[Array, Array, Array]:
    """Item-based filtering: the most bought products, and for each the ones most alike, and how alike they are.

    Similarity is the cosine of who bought (Sarwar et al. 2001): common buyers over the root of the product of buyers.
    Counting is exact; of equals the lower number comes first. At most `neighbour_customers` customers are looked at,
    since their purchases of these products come to the driver.
    """
    import scipy.sparse

    order = np.lexsort((np.arange(len(products.ids)), -products.buyers))
    paired = np.sort(order[: params.neighbour_products])
    rows = bought.where(F.col("customer") < params.neighbour_customers).select("customer", "item")
    kept = F.broadcast(_items(bought.sparkSession, paired))
    found = inputs.on_driver(rows.join(kept, on="item", how="left_semi"))
    columns = np.searchsorted(paired, found["item"])
    shape = (int(found["customer"].max()) + 1, len(paired))
    matrix = scipy.sparse.csr_matrix((np.ones(len(found), np.float32), (found["customer"], columns)), shape)
    count = min(params.neighbours, len(paired) - 1)
    root = np.sqrt(np.maximum(np.asarray(matrix.sum(axis=0)).ravel(), 1.0))
    neighbours = np.zeros((len(paired), count), np.int32)
    similarities = np.zeros((len(paired), count), np.float32)
    transposed = matrix.T.tocsr()
    for start in range(0, len(paired), 500):
        block = slice(start, start + 500)
        # Whole numbers below 2^24 are exact in single precision, in whatever order they are added.
        alike = (transposed[block] @ matrix).toarray() / root[block, None] / root[None, :]
        alike[np.arange(len(alike)), start + np.arange(len(alike))] = 0.0
        alike = np.round(alike, 6)
        best = np.argsort(-alike, axis=1, kind="stable")[:, :count]
        neighbours[block] = paired[best]
        similarities[block] = np.take_along_axis(alike, best, axis=1)
    return paired.astype(np.int32), neighbours, similarities


def _items(spark: SparkSession, items: Array) -> DataFrame:
    import pandas as pd

    return spark.createDataFrame(pd.DataFrame({"item": items.astype(np.int32)}))
