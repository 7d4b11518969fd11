"""What the family writes: the lists as one table, put in place when whole, equal bytes for equal rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.errors import BrokenConservation
from huaxiang.files import replacing

if TYPE_CHECKING:
    import pyarrow as pa

KEY = ("customer_id", "task", "rank")
BATCH = 250_000  # rows written at a time


def write_items(schema: pa.Schema, batches: Iterable[pa.RecordBatch], path: Path, customers: int) -> int:
    """One row per customer, task and rank, in the order of the batches, as one file. Returns the number of rows.

    Raises BrokenConservation when a customer lacks a list.
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    written, first = 0, 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        with pq.ParquetWriter(temporary, schema.remove_metadata(), compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch)
                written += len(batch)
                is_first = pc.and_(pc.equal(batch.column("rank"), 1), pc.equal(batch.column("task"), "any"))
                first += pc.sum(is_first).as_py() or 0
        if first != customers:  # of "new" there may be none: who has bought every product
            raise BrokenConservation(
                f"recommendations: {first:,} lists were made for {customers:,} customers, "
                "so none is written: look at the features step"
            )
    return written
