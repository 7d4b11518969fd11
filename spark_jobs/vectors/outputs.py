"""What the family writes where a vector is published: two tables, ordered by key, equal bytes for equal rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.files import replacing
from spark_jobs.vectors.told import HIGH, LOW

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Array = np.ndarray

VECTORS, DIMENSIONS = "customer_vectors", "vector_dimensions"


def write_vectors(customers: Sequence[str], vectors: Array, fingerprint: str, folder: Path) -> int:
    """One row per customer and dimension, customers in order of id; returns the number of rows."""
    import numpy as np
    import pyarrow as pa

    count = vectors.shape[1]
    ids = pa.array(customers, pa.string()).take(pa.array(np.repeat(np.arange(len(customers)), count)))
    table = pa.table(
        {
            "customer_id": ids,
            "dimension": pa.array(np.tile(np.arange(1, count + 1), len(customers)), pa.int64()),
            "value": pa.array(vectors.reshape(-1), pa.float64()),
            "model_fingerprint": pa.repeat(fingerprint, len(ids)),
        }
    )
    return _write(table, folder / f"{VECTORS}.parquet")


def write_dimensions(dimensions: Sequence[Mapping[str, Any]], fingerprint: str, folder: Path) -> int:
    """One row per dimension, end and rank; returns the number of rows."""
    import pyarrow as pa

    rows = [
        (one["dimension"], end, rank, said["input"], said["weight"], one["variance_share"], fingerprint)
        for one in dimensions
        for end in (HIGH, LOW)
        for rank, said in enumerate(one[end], start=1)
    ]
    schema = pa.schema(
        {
            "dimension": pa.int64(), "end": pa.string(), "rank": pa.int64(), "input": pa.string(),
            "weight": pa.float64(), "variance_share": pa.float64(), "model_fingerprint": pa.string(),
        }
    )  # fmt: skip
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    return _write(pa.table(columns, schema=schema), folder / f"{DIMENSIONS}.parquet")


def remove(folder: Path) -> None:
    """Take away what an earlier try of the run wrote, where nothing is published."""
    for name in (VECTORS, DIMENSIONS):
        (folder / f"{name}.parquet").unlink(missing_ok=True)


def _write(table: pa.Table, path: Path) -> int:
    import pyarrow.parquet as pq

    with replacing(path) as temporary:
        pq.write_table(table, temporary)
    return int(table.num_rows)
