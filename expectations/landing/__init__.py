"""The suite `landing`: what must be true of the data that has come in, before anything is computed from it.

Each file holds checks of one kind, and the views that they look at, as known on the day K.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.checks import quoted, suite_of
from expectations.duckdb_engine import Database
from expectations.landing import day, landed, reconciliation, refusals, rows
from expectations.landing.intake import Intake
from huaxiang.errors import MissingPartition
from huaxiang.gate_limits import GateLimits
from huaxiang.landing.arrivals import activity_table, arrivals
from huaxiang.settings import Run, Settings

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

# Of the tables that say what customers do, the columns that are never empty, and those that point to another table and
# may be empty.
_KEYS = {
    "order_lines": (("order_line_id", "order_id", "customer_id", "ordered_at"), ("product_id", "store_id")),
    "events": (("event_id", "customer_id", "occurred_at", "event_type"), ("product_id",)),
    "identifiers": (("customer_id", "kind", "value"), ()),
}


def prepare(database: Database, settings: Settings, run: Run) -> Intake:
    """Create the views. Raises MissingPartition when nothing was ever landed."""
    home, known_at = settings.home, quoted(run.known_at)
    if not any(home.ledger.glob("*.parquet")):
        raise MissingPartition(f"ledger: nothing has been landed: run 'huaxiang landing --as-of {run.as_of}' first")
    ledger = f"read_parquet({quoted(home.ledger / '*.parquet')}, union_by_name = true)"
    database.run(f"create table ledger as select * from {ledger} where load_date <= {known_at}")
    tables = [name for (name,) in database.rows("select distinct table_name from ledger order by 1")]
    activity = activity_table(tables)
    for table in sorted({*tables, activity}):
        landed.landed_view(database, home.landing, table, known_at)
    landed.quarantined_view(database, home, known_at)
    landed.files_view(database, [table for table in tables if database.columns(f"landed_{table}")])
    day.arrivals_view(database, arrivals(settings, run.known_at))
    day.newest_day_views(database, activity, settings.gates, known_at)
    refusals.refusals_view(database, settings.gates)
    reconciliation.balance_views(database)
    has_products = "products" in tables
    rows.arrived_view(database, activity, has_products)
    keys, links = _KEYS[activity]
    said = ", ".join(f"count({link}) > 0" for link in links)
    filled = database.row(f"select {said} from landed_{activity}") if links else ()
    return Intake(
        activity=activity,
        keys=keys,
        links=tuple(link for link, is_filled in zip(links, filled, strict=True) if is_filled),
        is_covered=has_products,
        has_money="order_lines" in tables,
    )


def landing(intake: Intake, limits: GateLimits) -> ExpectationSuite:
    """Volume, freshness, share of refused and of empty values, coverage and reconciliation of the landed data."""
    checks = [
        *day.volume(intake, limits),
        *day.freshness(intake, limits),
        *day.arrivals(limits),
        *refusals.refusals(limits),
        *rows.completeness(intake, limits),
        *rows.coverage(intake, limits),
        *reconciliation.reconciliation(intake),
    ]
    return suite_of("landing", checks)
