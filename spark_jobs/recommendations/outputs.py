"""What the family writes: the lists as one table, put in place when whole, equal bytes for equal rows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from huaxiang.errors import BrokenConservation
from huaxiang.files import replacing

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

KEY = ("customer_id", "task", "rank")


def write_items(reasoned: DataFrame, fingerprints: dict[str, str], path: Path, customers: int) -> int:
    """One row per customer, task and rank, in that order, as one file. Returns the number of rows.

    Raises BrokenConservation when a customer lacks a list.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    of_task = F.create_map(*(F.lit(text) for pair in sorted(fingerprints.items()) for text in pair))
    rows = reasoned.select(
        "customer_id",
        "product_id",
        "task",
        "rank",
        "score",
        "reason",
        of_task[F.col("task")].alias("model_fingerprint"),
    )
    scratch = path.parent / ".spark"
    shutil.rmtree(scratch, ignore_errors=True)
    rows.repartition(1).sortWithinPartitions(*KEY).write.parquet(str(scratch))
    [part] = scratch.glob("part-*.parquet")
    written, first = 0, 0
    # Copied once more: Spark notes a file's encodings in an order that differs from run to run.
    with replacing(path) as temporary, pq.ParquetFile(part) as made:
        with pq.ParquetWriter(temporary, made.schema_arrow.remove_metadata(), compression="zstd") as writer:
            for batch in made.iter_batches(batch_size=250_000):
                writer.write_batch(batch)
                written += len(batch)
                is_first = pc.and_(pc.equal(batch.column("rank"), 1), pc.equal(batch.column("task"), "any"))
                first += pc.sum(is_first).as_py() or 0
        if first != customers:  # of "new" there may be none: who has bought every product
            raise BrokenConservation(
                f"recommendations: {first:,} lists were made for {customers:,} customers, "
                "so none is written: look at the features step"
            )
    shutil.rmtree(scratch)
    return written
