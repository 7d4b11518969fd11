"""What became of the records that came in: every one has one end, and so has the money of the order lines."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from huaxiang.report.tables import BuildTables

WORDS = {
    ("published", ""): "in use",
    ("duplicate", "EQUAL_RECORD"): "equal to a later record of the same key",
    ("superseded", "LATER_RECORD"): "replaced by a later record of the same key",
    ("superseded", "DROP_REPLACED"): "in a drop that was sent again under its name",
    ("suppressed", "AFTER_AS_OF"): "of a day after this one",
    ("suppressed", "LINKS_ONLY"): "identifiers say who is one person and go no further",
    ("quarantined", ""): "refused",
}


@dataclass(frozen=True)
class End:
    """Records of a table that came to the same end; `net_amount` for order lines only."""

    table: str
    words: str
    records: int
    net_amount: Decimal | None


def ends(tables: BuildTables) -> list[End]:
    """By table, the largest first, and in it from use to refusal; empty for a build that keeps no such account."""
    if not tables.view_of_files("ends", tables.build / "ledger", "ledger.parquet"):
        return []
    found = tables.rows(
        """
        select
            table_name as "table",
            outcome,
            case when outcome = 'quarantined' then '' else reason end as reason,
            sum(records)::bigint as records,
            sum(net_amount)::decimal(38, 2) as net_amount
        from ends
        group by all
        """
    )
    order = list(WORDS)
    size = {name: sum(row["records"] for row in found if row["table"] == name) for name in {r["table"] for r in found}}
    found.sort(key=lambda row: (-size[row["table"]], row["table"], order.index((row["outcome"], row["reason"]))))
    return [End(row["table"], WORDS[row["outcome"], row["reason"]], row["records"], row["net_amount"]) for row in found]
