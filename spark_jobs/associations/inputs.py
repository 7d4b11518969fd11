"""What the family reads: the purchases of the run, cut to its window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from huaxiang.errors import MissingPartition
from huaxiang.settings import Run, Settings
from spark_jobs.associations.params import AssociationParams


@dataclass(frozen=True)
class Window:
    """The days looked at: rules are mined from `first` to `mined_to`, and checked from the day after to `last`."""

    first: date
    mined_to: date
    last: date

    @property
    def held_from(self) -> date:
        return self.mined_to + timedelta(days=1)


def window(as_of: date, params: AssociationParams) -> Window:
    first = as_of - timedelta(days=params.window_days - 1)
    return Window(first, as_of - timedelta(days=params.held_days), as_of)


def purchases_path(settings: Settings, run: Run) -> Path:
    """The purchases of the run. Raises MissingPartition where there are none."""
    path = settings.home.inputs(run.id) / "purchases.parquet"
    if not path.exists():
        raise MissingPartition(
            f"associations: there are no purchases of {run.id}: run 'huaxiang features --as-of {run.as_of}' first"
        )
    return path
