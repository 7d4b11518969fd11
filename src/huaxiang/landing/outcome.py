"""What became of one drop, and the law it must obey: records in = accepted + quarantined."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from huaxiang.errors import BrokenConservation
from huaxiang.landing.drops import Drop


@dataclass(frozen=True)
class Outcome:
    """One drop taken: `records_in` counted on the raw file, `accepted` and `quarantined` read back from disk.

    `refused` counts records per reason. `net_amount` is the sum over accepted order lines, None for other tables.
    """

    drop: Drop
    bytes: int
    records_in: int
    accepted: int
    quarantined: int
    refused: Counter[str]
    net_amount: Decimal | None = None


def check_conservation(outcome: Outcome) -> None:
    """Raises BrokenConservation when a record vanished or multiplied between the raw file and what was written."""
    given = outcome.accepted + outcome.quarantined
    if outcome.records_in != given or outcome.quarantined != outcome.refused.total():
        raise BrokenConservation(
            f"{outcome.drop.file_name}: {outcome.records_in:,} records came in, but {outcome.accepted:,} were accepted"
            f" and {outcome.quarantined:,} quarantined, so nothing was landed; keep the file and report this fault"
        )
