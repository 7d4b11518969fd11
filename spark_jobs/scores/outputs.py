"""What the family writes: the scores, ordered by key, put in place when whole, equal bytes for equal rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.errors import BrokenConservation
from huaxiang.files import replacing

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("customer_id", "target", "category", "probability", "reasons", "model_fingerprint")


def write_scores(parts: Sequence[pd.DataFrame], path: Path) -> int:
    """One row per customer, target and category; returns their number.

    Raises BrokenConservation when a probability is missing or outside 0 to 1.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pd.concat(parts, ignore_index=True).sort_values(["customer_id", "target", "category"], kind="stable")
    wrong = int((~rows["probability"].between(0, 1)).sum())
    if wrong:
        raise BrokenConservation(
            f"scores: {wrong:,} of {len(rows):,} probabilities are none, so no score is written; a feature is not a "
            "number: look at the features step"
        )
    schema = pa.schema([(name, pa.float64() if name == "probability" else pa.string()) for name in COLUMNS])
    # Without the metadata, in which pandas notes its own version, the bytes are those of the rows.
    table = pa.Table.from_pandas(rows[list(COLUMNS)], schema, preserve_index=False).replace_schema_metadata()
    with replacing(path) as temporary:
        pq.write_table(table, temporary)
    return len(rows)
