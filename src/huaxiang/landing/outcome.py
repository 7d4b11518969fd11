"""What became of one drop, and the law it must obey: records in = accepted + quarantined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from huaxiang.contracts import Contract
from huaxiang.errors import BrokenConservation
from huaxiang.landing.drops import Drop

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Outcome:
    """One drop taken: `records_in` counted on the raw file, `accepted` and `quarantined` read back from disk.

    `refused` counts records per reason. The money of order lines, None for other tables: `net_in` as it was mapped,
    `net_amount` of accepted and `net_refused` (by reason) of quarantined records, read back from disk.
    """

    drop: Drop
    bytes: int
    records_in: int
    accepted: int
    quarantined: int
    refused: Counter[str]
    net_in: Decimal | None = None
    net_amount: Decimal | None = None
    net_refused: Mapping[str, Decimal] = field(default_factory=dict)


def money_of(contract: Contract, rows: pa.Table) -> Decimal | None:
    """The sum of the rows' net amounts that can be read; None where the table holds no money."""
    import pyarrow.compute as pc

    if contract.name != "order_lines":
        return None
    return pc.sum(rows["net_amount"]).as_py() or Decimal(0)


def check_conservation(outcome: Outcome) -> None:
    """Raises BrokenConservation when records or money vanished or multiplied between the raw file and the disk."""
    given = outcome.accepted + outcome.quarantined
    if outcome.records_in != given or outcome.quarantined != outcome.refused.total():
        raise BrokenConservation(
            f"{outcome.drop.file_name}: {outcome.records_in:,} records came in, but {outcome.accepted:,} were accepted"
            f" and {outcome.quarantined:,} quarantined, so nothing was landed; keep the file and report this fault"
        )
    money_out = (outcome.net_amount or Decimal(0)) + sum(outcome.net_refused.values(), Decimal(0))
    if outcome.net_in is not None and outcome.net_in != money_out:
        raise BrokenConservation(
            f"{outcome.drop.file_name}: order lines of {outcome.net_in:,} came in, but {money_out:,} were written, so"
            " nothing was landed; keep the file and report this fault"
        )
