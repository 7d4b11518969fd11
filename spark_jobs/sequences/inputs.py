"""What the family reads: who did what in which order, a row per step and category."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.settings import Run, Settings

if TYPE_CHECKING:
    import pandas as pd


def steps_path(settings: Settings, run: Run) -> Path:
    """The steps of the run. Raises MissingPartition where there are none."""
    path = settings.home.inputs(run.id) / "steps.parquet"
    if not path.exists():
        raise MissingPartition(
            f"sequences: there are no steps of {run.id}: run 'huaxiang features --as-of {run.as_of}' first"
        )
    return path


def read_steps(path: Path, first: date, last: date) -> pd.DataFrame:
    """Rows (customer_id, sequence_id, position, happened_on, category) of these days, in order.

    Raises HuaxiangError when there is none.
    """
    import pandas as pd

    rows = pd.read_parquet(path, filters=[("happened_on", ">=", first), ("happened_on", "<=", last)])
    if rows.empty:
        raise HuaxiangError(
            f"sequences: no step from {first} to {last} has a category: map products.category (or events.page) in "
            "sources/, or leave 'sequences' out of models"
        )
    return rows.sort_values(["customer_id", "sequence_id", "position", "category"], ignore_index=True)


def days_before(as_of: date, days: int) -> date:
    """The first of so many days that end with as_of."""
    return as_of - timedelta(days=days - 1)
