"""Words of texts on Spark's executors."""

from __future__ import annotations

import csv
import gzip
from itertools import islice
from pathlib import Path

import pytest

from huaxiang.tokenizer import Tokenizer
from spark_jobs.words import words

pytestmark = pytest.mark.spark

REVIEWS = Path(__file__).parents[1] / "data" / "waimai_reviews" / "waimai_10k.csv.gz"


@pytest.mark.parametrize("partitions", [1, 3])
def test_executors_cut_texts_as_the_driver_does(spark, partitions):
    with gzip.open(REVIEWS, "rt", encoding="utf-8-sig", newline="") as lines:
        texts = [row["review"] for row in islice(csv.DictReader(lines), 300)] + [None, "", "黄焖鸡米饭 12元"]
    tokenizer = Tokenizer(("黄焖鸡米饭",))
    rows = spark.createDataFrame(list(enumerate(texts)), "number int, text string").repartition(partitions)
    cut = rows.select("number", words(rows.text, tokenizer).alias("words"))
    found = {row.number: row.words for row in cut.collect()}
    assert found == {number: None if text is None else tokenizer.words(text) for number, text in enumerate(texts)}
    assert found[len(texts) - 1] == ["黄焖鸡米饭", "元"]
