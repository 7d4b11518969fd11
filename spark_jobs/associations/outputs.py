"""What the family writes: the table of rules, put in place when whole, equal bytes for equal rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from huaxiang.files import replacing
from spark_jobs.associations.rules import Counted


def write_rules(
    rules: Sequence[Counted], p_values: Sequence[float], days: tuple[date | None, date | None], mark: str, path: Path
) -> None:
    """One row per rule, by antecedent and consequent; `days` are the first and last of the orders, `mark` the model."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [
            ("antecedent", pa.string()),
            ("consequent", pa.string()),
            *((name, pa.int64()) for name in ("antecedent_size", "order_count", "antecedent_count")),
            *((name, pa.int64()) for name in ("consequent_count", "both_count")),
            *((name, pa.float64()) for name in ("support", "confidence", "lift", "leverage", "p_value")),
            ("from_on", pa.date32()),
            ("to_on", pa.date32()),
            ("model_fingerprint", pa.string()),
        ]
    )
    rows = [
        {
            "antecedent": " + ".join(one.rule.antecedent),
            "consequent": one.rule.consequent,
            "antecedent_size": len(one.rule.antecedent),
            "order_count": one.order_count,
            "antecedent_count": one.antecedent_count,
            "consequent_count": one.consequent_count,
            "both_count": one.both_count,
            "support": round(one.support, 6),
            "confidence": round(one.confidence, 6),
            "lift": round(one.lift, 6),
            "leverage": round(one.leverage, 6),
            "p_value": p_value,
            "from_on": days[0],
            "to_on": days[1],
            "model_fingerprint": mark,
        }
        for one, p_value in zip(rules, p_values, strict=True)
    ]
    rows.sort(key=lambda row: (row["antecedent"], row["consequent"]))
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), temporary)
