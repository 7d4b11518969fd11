"""What the family writes: three tables, ordered by key, put in place when whole, equal bytes for equal rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.files import replacing

if TYPE_CHECKING:
    import pandas as pd

# Table: column and its type; the first `keys` of them are the key.
_TABLES = {
    "customer_attributes": (
        2,
        {
            "customer_id": "string", "attribute": "string", "declared_value": "string", "inferred_value": "string",
            "confidence": "float64", "status": "string", "model_fingerprint": "string",
        },
    ),
    "customer_factors": (
        2,
        {
            "customer_id": "string", "factor": "int64", "factor_name": "string", "weight": "float64",
            "share": "float64", "model_fingerprint": "string",
        },
    ),
    "factors": (
        2,
        {
            "factor": "int64", "rank": "int64", "factor_name": "string", "category": "string", "weight": "float64",
            "stability": "float64", "model_fingerprint": "string",
        },
    ),
}  # fmt: skip


def write(table: str, rows: pd.DataFrame, folder: Path) -> int:
    """Write one of the family's tables; returns the number of its rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys, types = _TABLES[table]
    schema = pa.schema([(name, getattr(pa, type_)()) for name, type_ in types.items()])
    ordered = rows.reindex(columns=list(types)).sort_values(list(types)[:keys], kind="stable")
    # Without the metadata, in which pandas notes its own version, the bytes are those of the rows.
    written = pa.Table.from_pandas(ordered, schema, preserve_index=False).replace_schema_metadata()
    with replacing(folder / f"{table}.parquet") as temporary:
        pq.write_table(written, temporary)
    return len(rows)
