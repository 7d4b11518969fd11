"""What a run has built, as the checks of the suite `profiles` need to know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from huaxiang.tables import ReleasedTable

TABLE = "customer_profiles"
FILE = "profiles/customer_profiles.parquet"
BUYERS = "buyers"  # the view of those of them who have ordered
BUILD_AGAIN = "run the day again; if it fails again, report the table and the check: it is a fault of the computation"


@dataclass(frozen=True)
class Portraits:
    """What the run has built: which checks make sense depends on it. `columns` are those of each table there is."""

    as_of: date
    tables: tuple[ReleasedTable, ...]
    columns: dict[str, tuple[str, ...]]
    has_money: bool
    has_drift: bool = False
    has_new_categories: bool = False

    def has(self, table: str, column: str) -> bool:
        return column in self.columns.get(table, ())
