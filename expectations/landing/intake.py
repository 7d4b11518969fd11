"""What has landed, as the checks of the suite `landing` need to know it."""

from __future__ import annotations

from dataclasses import dataclass

LAND_AGAIN = "keep the home as it is, report it with the ledger, and restore the named file from a copy"


@dataclass(frozen=True)
class Intake:
    """What has landed by the day K: which checks make sense depends on it.

    `activity` is the table that is watched day by day, `keys` its columns that are never empty, `links` those that this
    home fills, `is_covered` says whether its products can be looked up.
    """

    activity: str
    keys: tuple[str, ...]
    links: tuple[str, ...]
    is_covered: bool
    has_money: bool
