"""The suite `profiles`: what must be true of the portraits before they may be released.

Each file holds checks of one kind, and the views that they look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.checks import quoted, suite_of
from expectations.duckdb_engine import Database
from expectations.profiles import coverage, day, levels, models, reconciliation, rows
from expectations.profiles.portraits import TABLE, Portraits
from huaxiang.errors import MissingPartition
from huaxiang.gate_limits import GateLimits
from huaxiang.settings import Run, Settings
from huaxiang.tables import RELEASED

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite


def prepare(database: Database, settings: Settings, run: Run) -> Portraits:
    """Create the views. Raises MissingPartition when the run has no profiles yet."""
    build = settings.home.build(run.id)
    tables = tuple(table for table in RELEASED if (build / table.path).exists())
    for table in tables:
        database.run(f"create view {table.name} as select * from read_parquet({quoted(build / table.path)})")
    columns = {table.name: database.columns(table.name) for table in tables}
    if TABLE not in columns:
        raise MissingPartition(
            f"{run.id}: there are no profiles to check: run 'huaxiang profiles --as-of {run.as_of}' first"
        )
    rows.buyers_view(database, columns[TABLE])
    day.volume_view(database, settings, run)
    day.freshness_view(database, run, columns[TABLE])
    if "customer_tags" in columns:
        coverage.tags_view(database)
    if "segments" in columns:
        coverage.segments_view(database)
    if "portrait_levels" in columns and "net_spend" in columns[TABLE]:
        levels.levels_view(database, columns[TABLE])
    if "customer_attributes" in columns:
        models.attributes_view(database)
    if "customer_vectors" in columns:
        models.vectors_view(database)
    lines = "*/order_lines/load_date=*/*.parquet"
    has_money = "net_spend" in columns[TABLE] and any(settings.home.landing.glob(lines))
    if has_money:
        reconciliation.balance_views(database, settings, run, lines)
    purchases = settings.home.inputs(run.id) / "purchases.parquet"
    has_new_categories = "customer_new_categories" in columns and purchases.exists()
    if has_new_categories:
        models.new_categories_view(database, purchases)
    return Portraits(
        as_of=run.as_of,
        tables=tables,
        columns=columns,
        has_money=has_money,
        has_drift=models.drift_view(database, build),
        has_new_categories=has_new_categories,
    )


def profiles(portraits: Portraits, limits: GateLimits) -> ExpectationSuite:
    """Volume, freshness, keys, empty values, bounds, coverage and reconciliation of the run's tables."""
    checks = [
        *day.volume(limits),
        *day.freshness(portraits, limits),
        *rows.uniqueness(portraits),
        *rows.completeness(portraits, limits),
        *rows.bounds(portraits),
        *coverage.coverage(portraits, limits),
        *levels.levels(portraits),
        *models.attributes(portraits),
        *models.new_categories(portraits),
        *models.vectors(portraits),
        *models.drift(portraits, limits),
        *reconciliation.reconciliation(portraits),
    ]
    return suite_of("profiles", checks)
