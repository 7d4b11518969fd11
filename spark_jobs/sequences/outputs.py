"""What the family writes: two tables, put in place when whole, equal bytes for equal rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from huaxiang.files import replacing
from spark_jobs.sequences.patterns import Mined, in_words


def write_sequences(mined: Mined, most: int, days: tuple[date, date], mark: str, path: Path) -> int:
    """One row per frequent sequence, the most frequent `most` of them, by their words; returns how many."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("sequence", pa.string()),
            *((name, pa.int64()) for name in ("step_count", "category_count", "sequence_count", "of_sequences")),
            ("support", pa.float64()),
            *((name, pa.date32()) for name in ("from_on", "to_on")),
            ("model_fingerprint", pa.string()),
        ]
    )
    ranked = sorted(mined.counts.items(), key=lambda one: (-one[1], in_words(one[0])))[:most]
    rows: list[dict[str, Any]] = [
        {
            "sequence": in_words(pattern),
            "step_count": len(pattern),
            "category_count": sum(map(len, pattern)),
            "sequence_count": count,
            "of_sequences": mined.sequences,
            "support": round(count / mined.sequences, 6),
            "from_on": days[0],
            "to_on": days[1],
            "model_fingerprint": mark,
        }
        for pattern, count in ranked
    ]
    rows.sort(key=lambda row: row["sequence"])
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary)
    return len(rows)


def write_next(rows: Iterable[tuple[str, int, str, float]], mark: str, path: Path) -> int:
    """One row per customer and rank: customer_id, rank, category, probability; returns how many."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("customer_id", pa.string()),
            ("rank", pa.int64()),
            ("category", pa.string()),
            ("probability", pa.float64()),
            ("model_fingerprint", pa.string()),
        ]
    )
    listed = [dict(zip(schema.names, (*row, mark), strict=True)) for row in sorted(rows)]
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(listed, schema=schema), temporary)
    return len(listed)
