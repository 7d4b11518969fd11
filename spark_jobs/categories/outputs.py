"""What the family writes: one table, ordered by key, put in place when whole, equal bytes for equal rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.files import replacing

if TYPE_CHECKING:
    import pandas as pd

TABLE = "customer_new_categories"
_KEY = ["customer_id", "rank"]
_TYPES = {
    "customer_id": "string", "rank": "int64", "category": "string", "score": "float64", "reason": "string",
    "because_1": "string", "because_2": "string", "because_3": "string", "because_count": "int64",
    "both_count": "int64", "model_fingerprint": "string",
}  # fmt: skip


def write(rows: pd.DataFrame, folder: Path) -> int:
    """Write the table; returns the number of its rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, getattr(pa, type_)()) for name, type_ in _TYPES.items()])
    ordered = rows.reindex(columns=list(_TYPES)).sort_values(_KEY, kind="stable")
    # Without the metadata, in which pandas notes its own version, the bytes are those of the rows.
    written = pa.Table.from_pandas(ordered, schema, preserve_index=False).replace_schema_metadata()
    with replacing(folder / f"{TABLE}.parquet") as temporary:
        pq.write_table(written, temporary, compression="zstd")
    return len(rows)
