"""Frequent sequences by Spark's PrefixSpan: what comes, in this order, in many sequences."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from spark_jobs.sequences.params import SequenceParams

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

Pattern = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Mined:
    """The patterns of two steps and more with the number of sequences that hold them, out of `sequences`."""

    counts: dict[Pattern, int]
    sequences: int


def widespread(rows: pd.DataFrame, most: int) -> list[str]:
    """The categories that are in the most sequences; of equally many the first by name."""
    found = rows[["category", "customer_id", "sequence_id"]].drop_duplicates()["category"].value_counts()
    ranked = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    return [str(name) for name, _ in ranked[:most]]


def sequences_of(rows: pd.DataFrame) -> list[list[list[str]]]:
    """Each sequence of rows in order as its steps, a step as its categories; the same step twice running is one."""
    columns = [rows[name].tolist() for name in ("customer_id", "sequence_id", "position", "category")]
    found = []
    for _, of in groupby(zip(*columns, strict=True), key=itemgetter(0, 1)):
        steps = [sorted({row[3] for row in step}) for _, step in groupby(of, key=itemgetter(2))]
        found.append([step for place, step in enumerate(steps) if place == 0 or step != steps[place - 1]])
    return found


def mine(spark: SparkSession, rows: pd.DataFrame, params: SequenceParams) -> Mined:
    """Patterns of at most `longest` categories in at least `min_support` of the sequences, exactly counted."""
    from pyspark.ml.fpm import PrefixSpan

    kept = rows[rows["category"].isin(widespread(rows, params.most_categories))]
    sequences = sequences_of(kept)
    total = int(rows[["customer_id", "sequence_id"]].drop_duplicates().shape[0])
    fewest = fewest_of(total, params)
    if len(sequences) < fewest:
        return Mined({}, total)
    frame: DataFrame = spark.createDataFrame([(one,) for one in sequences], "sequence array<array<string>>").coalesce(2)
    # PrefixSpan asks for ceil(minSupport * sequences): half a sequence below `fewest` rounds up to it
    span = PrefixSpan(
        minSupport=(fewest - 0.5) / len(sequences), maxPatternLength=params.longest, maxLocalProjDBSize=32_000_000
    )
    counts = {
        tuple(tuple(sorted(step)) for step in row["sequence"]): int(row["freq"])
        for row in span.findFrequentSequentialPatterns(frame).collect()
        if len(row["sequence"]) > 1
    }
    return Mined(counts, total)


def fewest_of(sequences: int, params: SequenceParams) -> int:
    """In how many sequences a pattern must be: the support, and never fewer than two."""
    return max(2, -int(-params.min_support * sequences // 1))


def in_words(pattern: Pattern) -> str:
    """`bread + milk > tea`: steps in order, the categories of a step in alphabetical order."""
    return " > ".join(" + ".join(step) for step in pattern)
