"""What the family writes: its tables, each put in place when whole, equal bytes for equal rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.errors import BrokenConservation
from huaxiang.files import replacing
from spark_jobs.segments import moves, naming
from spark_jobs.segments.inputs import Past
from spark_jobs.segments.model import SegmentModel

if TYPE_CHECKING:
    import pandas as pd


def write_customers(assigned: pd.DataFrame, model: SegmentModel, path: Path) -> None:
    """One row per customer, in the order of ids. Raises BrokenConservation when a customer has no segment."""
    import numpy as np

    without = int((~np.isfinite(assigned["distance"])).sum())
    if without:
        raise BrokenConservation(
            f"segments: {without:,} of {len(assigned):,} customers got no segment, so none is written; "
            "a feature of theirs is not a number: look at the features step"
        )
    columns = ["customer_id", "segment_id", "segment_name", "distance", "is_outlier", "outlier_score", "outlier_reason"]
    rows = assigned[columns]
    kinds = {
        "customer_id": "string", "segment_id": "int64", "segment_name": "string", "is_outlier": "bool",
        "outlier_reason": "string", "model_fingerprint": "string",
    }  # fmt: skip
    _write(rows.assign(model_fingerprint=model.fingerprint), path, kinds)


def write_segments(assigned: pd.DataFrame, model: SegmentModel, path: Path) -> None:
    """One row per segment that has a customer: size, share, and mean features in plain units."""
    columns = [name for name in naming.PLAIN if name in assigned.columns]
    rows = means(assigned, columns)
    rows.insert(1, "segment_name", rows["segment_id"].map({s.segment_id: s.name for s in model.segments}))
    rows.insert(3, "customer_share", (rows["customer_count"] / rows["customer_count"].sum()).round(6))
    _write(rows, path, {"segment_id": "int64", "segment_name": "string", "customer_count": "int64"})


def write_facts(facts: dict[int, list[naming.Fact]], path: Path) -> None:
    import pandas as pd

    kinds = {
        "segment_id": "int64", "rank": "int64", "feature": "string", "word": "string", "statement": "string",
        "segment_mean": "float64", "rest_mean": "float64", "effect": "float64", "p_value": "float64",
    }  # fmt: skip
    rows = [
        {"segment_id": segment_id, "rank": rank, **asdict(fact)}
        for segment_id, found in facts.items()
        for rank, fact in enumerate(found, start=1)
    ]
    _write(pd.DataFrame(rows, columns=list(kinds)), path, kinds)


def write_moves(past: Past, reasons: Sequence[moves.Reason], path: Path) -> None:
    """One row per customer who moved and feature of the explanation; one with an empty feature where it has none."""
    import pandas as pd

    kinds = {
        "customer_id": "string", "rank": "int64", "from_segment": "int64", "from_name": "string",
        "to_segment": "int64", "to_name": "string", "feature": "string", "before": "float64", "after": "float64",
        "how": "string",
    }  # fmt: skip
    rows = [
        {
            **{name: None if pd.isna(row[name]) else row[name] for name in kinds if name in row},
            "rank": rank,
            "feature": feature,
            "before": row[f"before_{feature}"] if feature else None,
            "after": row[f"after_{feature}"] if feature else None,
            "how": reason.how,
        }
        for row, reason in zip(past.moved.to_dict("records"), reasons, strict=True)
        for rank, feature in enumerate(reason.features or (None,), start=1)
    ]
    table = pd.DataFrame(rows, columns=list(kinds)).astype({"from_segment": "Int64", "to_segment": "Int64"})
    _write(table.round({"before": 6, "after": 6}), path, kinds)


def means(assigned: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """One row per segment: `segment_id`, `customer_count` and the mean of each column, rounded."""
    groups = assigned.groupby("segment_id", sort=True)
    rows = groups[columns].mean().round(4)
    rows.insert(0, "customer_count", groups.size())
    return rows.reset_index()


def _write(rows: pd.DataFrame, path: Path, kinds: Mapping[str, str]) -> None:
    """A small table as Parquet; columns that are not in `kinds` are doubles."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = {"int64": pa.int64(), "string": pa.string(), "float64": pa.float64(), "bool": pa.bool_()}
    schema = pa.schema([(name, arrow[kinds.get(name, "float64")]) for name in rows.columns])
    # Without the metadata, in which pandas notes its own version, the bytes are those of the rows.
    table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False).replace_schema_metadata()
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
