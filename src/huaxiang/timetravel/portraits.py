"""`huaxiang profiles show`: single people as they were known at the end of a day, from the drops loaded by another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from sys import stderr
from typing import Any

from huaxiang.errors import MissingPartition
from huaxiang.landing.ledger import landed_path, read_ledger
from huaxiang.release.store import Release, of_run
from huaxiang.settings import Run, Settings
from huaxiang.tables import RELEASED
from huaxiang.timetravel import errata
from huaxiang.timetravel.private_home import link_identity, link_landed, private_home

Row = dict[str, Any]


@dataclass(frozen=True)
class Portrait:
    """One customer: the row of customer_profiles, and the customer's rows of the other tables, by table."""

    customer_id: str
    profile: Row
    rows: dict[str, list[Row]]


@dataclass(frozen=True)
class Shown:
    """Portraits of a day, and the release they come from; None when they were computed for this."""

    run: Run
    release_id: str | None
    reason: str
    portraits: tuple[Portrait, ...]


def show(settings: Settings, run: Run, customers: Sequence[str]) -> Shown:
    """The customers as known then: from the day's release if it knew all that is known of it now, else computed.

    What is computed has no model outputs and leaves the home as it is. Raises MissingPartition for a customer without
    an order by then, saying since when the customer is known.
    """
    release = of_run(settings, run)
    reason = _why_not(settings, release)
    if release and not reason:
        return Shown(run, release.id, "", read(settings, run, release.path, customers))
    with computed(settings, run) as build:
        return Shown(run, None, reason, read(settings, run, build, customers))


@contextmanager
def computed(settings: Settings, run: Run) -> Iterator[Path]:
    """The day without models, computed from the landed rows in a private home; what the steps say goes to stderr."""
    from huaxiang import warehouse

    ledger = read_ledger(settings)
    if not any(row.load_date <= run.known_at for row in ledger):
        first = min((row.load_date for row in ledger), default=None)
        raise MissingPartition(
            f"nothing had been landed by {run.known_at}: "
            + (f"the first drop is of {first}" if first else "land first")
        )
    with redirect_stdout(stderr), private_home(replace(settings, models=()), f"show-{run.id}") as past:
        link_landed(settings, past, ledger)
        link_identity(settings, past)
        warehouse.staging(past, run)
        warehouse.features(past, run)
        warehouse.profiles(past, run)
        yield past.home.build(run.id)


def _why_not(settings: Settings, release: Release | None) -> str:
    """Why the release does not do; empty when it does."""
    if release is None:
        return "there is no release of it"
    late = errata.derive(settings, release, read_ledger(settings))
    return f"{release.id} did not know what came with landing call {late[-1].ledger_call}" if late else ""


def read(settings: Settings, run: Run, folder: Path, customers: Sequence[str]) -> tuple[Portrait, ...]:
    """The customers in a build or release of the day. Raises MissingPartition for one who is not there."""
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        found = []
        for place, customer in enumerate(customers, start=1):
            rows = {
                table.name: _rows(connection, folder / table.path, customer, table.key)
                for table in RELEASED
                if "customer_id" in table.key and (folder / table.path).exists()
            }
            profiles = rows.pop("customer_profiles")
            if not profiles:
                raise MissingPartition(_unknown(settings, run, customer, place))
            del rows["customer_features"]  # the profile holds them
            found.append(Portrait(customer, profiles[0], rows))
    return tuple(found)


def _rows(connection: Any, path: Path, customer: str, key: Sequence[str]) -> list[Row]:
    order = ", ".join(key)
    result = connection.execute(
        f"select * from read_parquet(?) where customer_id = ? order by {order}", [str(path), customer]
    )
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _unknown(settings: Settings, run: Run, customer: str, place: int) -> str:
    """The sentence about a customer who is not there; it does not repeat the id."""
    import duckdb

    ledger = [row for row in read_ledger(settings) if row.table_name == "order_lines" and row.records > 0]
    paths = sorted({str(landed_path(settings.home, row)) for row in ledger})
    paths = [path for path in paths if Path(path).exists()]
    ids = f"case when source_name = '{settings.sources[0]}' then customer_id else source_name || ':' || customer_id end"
    day = "cast(timezone(?, timezone('UTC', ordered_at)) as date)"
    first = (None, None)
    if paths:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            first = connection.execute(
                f"select min({day}), arg_min(load_date, {day})"
                f" from read_parquet(?, hive_partitioning = false) where {ids} = ?",
                [settings.time_zone, settings.time_zone, paths, customer],
            ).fetchall()[0]
    who = f"customer {place} of those asked for" if place > 1 else "this customer"
    if first[0] is None:
        return f"{who} is not known: no order of that id has ever been landed; see customer_id in a release's profiles"
    return (
        f"{who} has no order by {run.as_of} in the drops loaded by {run.known_at}: the first order is of {first[0]},"
        f" loaded on {first[1]}; ask for --as-of {first[0]} --known-at {max(first)} or later days"
    )
