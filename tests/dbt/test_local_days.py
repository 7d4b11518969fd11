"""An event belongs to exactly one local day of the home, whatever the clocks do: through landing, staging and features.

Every event is the only one of its customer, so a customer's days are the event's days. The days are written by hand.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from huaxiang import landing, warehouse
from huaxiang.landing.ledger import QUARANTINED, read_ledger
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.tables import Home
from huaxiang.warehouse import state

pytestmark = pytest.mark.dbt

MAPPING = """
time_zone: {zone}
tables:
  order_lines:
    file: sales_{{load_date}}.csv
    format: csv
    columns:
      order_line_id: event
      order_id: event
      customer_id: event
      ordered_at: event
      quantity: "1"
      net_amount: "'2.50'"
"""

# China's day begins at 16:00 UTC, and in its summers up to 1991 an hour earlier.
SHANGHAI = {
    "1991-07-01T14:59:59Z": "1991-07-01",
    "1991-07-01T15:00:00Z": "1991-07-02",
    "2016-12-31T15:59:59Z": "2016-12-31",
    "2016-12-31T23:59:59Z": "2017-01-01",
    "2017-01-01T00:00:00Z": "2017-01-01",
    "2023-02-28T15:59:59Z": "2023-02-28",
    "2023-02-28T16:00:00Z": "2023-03-01",
    "2023-12-31T16:00:00Z": "2024-01-01",
    "2024-02-28T15:59:59Z": "2024-02-28",
    "2024-02-28T16:00:00Z": "2024-02-29",
    "2024-02-29 00:00:00": "2024-02-29",
    "2024-02-29T15:59:59.999999Z": "2024-02-29",
}
SHANGHAI_LATER = {
    "2024-02-29T16:00:00Z": "2024-03-01",
    "2024-02-29T23:59:59Z": "2024-03-01",
    "2024-03-01 23:59:59.999": "2024-03-01",
    "2038-01-18T15:59:59Z": "2038-01-18",
    "2038-01-18T16:00:00Z": "2038-01-19",
    "2038-01-19T03:14:07Z": "2038-01-19",
    "2038-01-19T03:14:08Z": "2038-01-19",
    "2038-01-19T15:59:59Z": "2038-01-19",
    "2038-01-19T16:00:00Z": "2038-01-20",
}
LEAP_SECONDS = ("2016-12-31T23:59:60Z", "2016-12-31 23:59:60")

# On 31 March 2024 the clocks of Berlin go from 2 to 3 (01:00 UTC), on 27 October from 3 to 2 (01:00 UTC).
BERLIN = {
    "2024-03-30T22:59:59Z": "2024-03-30",
    "2024-03-30T23:00:00Z": "2024-03-31",
    "2024-03-31 00:00:00": "2024-03-31",
    "2024-03-31T00:59:59Z": "2024-03-31",
    "2024-03-31T01:00:00Z": "2024-03-31",
    "2024-03-31 03:00:00": "2024-03-31",
    "2024-03-31T21:59:59Z": "2024-03-31",
    "2024-03-31 23:59:59": "2024-03-31",
    "2024-03-31T22:00:00Z": "2024-04-01",
    "2024-04-01 00:00:00": "2024-04-01",
    "2024-10-26T21:59:59Z": "2024-10-26",
    "2024-10-26T22:00:00Z": "2024-10-27",
    "2024-10-27T00:30:00Z": "2024-10-27",
    "2024-10-27T01:30:00Z": "2024-10-27",
    "2024-10-27 02:30:00": "2024-10-27",
    "2024-10-27T22:59:59Z": "2024-10-27",
    "2024-10-27 23:59:59": "2024-10-27",
    "2024-10-27T23:00:00Z": "2024-10-28",
    "2024-10-28 00:00:00": "2024-10-28",
}
SKIPPED = ("2024-03-31 02:00:00", "2024-03-31 02:59:59")


def shop_in(zone: str, root: Path) -> Settings:
    """An empty home in that zone; instants without an offset are of it as well."""
    (root / "sources").mkdir()
    (root / "sources" / "till.yml").write_text(MAPPING.format(zone=zone), encoding="utf-8")
    home = Home(root / "home")
    inbox = root / "inbox"
    (inbox / "till").mkdir(parents=True)
    return replace(
        load_settings(), config=root / "huaxiang.yml", home=home, inbox=inbox, sources=("till",), time_zone=zone,
        models=(), last_day=None,
    )  # fmt: skip


def built(settings: Settings, day: str, instants: list[str]) -> Run:
    """Drop the events on that day and run it up to the features."""
    drop = settings.inbox / "till" / f"sales_{day}.csv"
    drop.write_text("event\n" + "".join(f"{one}\n" for one in instants), encoding="utf-8")
    run = Run(date.fromisoformat(day), date.fromisoformat(day))
    landing.land(settings, run)
    warehouse.staging(settings, run)
    warehouse.features(settings, run)
    return run


def days_of_events(settings: Settings) -> list[tuple[str, str, int]]:
    """Event, local day, orders: one row for each day in which the event counts."""
    with state.reading(settings) as warehouse_:
        query = "select customer_id, cast(ordered_on as varchar), order_count from features.customer_days order by all"
        return warehouse_.execute(query).fetchall()


def lines_of_days(settings: Settings) -> dict[str, int]:
    with state.reading(settings) as warehouse_:
        query = "select cast(ordered_on as varchar), line_count from features.order_days"
        return dict(warehouse_.execute(query).fetchall())


def counted(run: Run, settings: Settings) -> set[str]:
    """The events that the features of the run know of."""
    import duckdb

    file = settings.home.build(run.id) / "features" / "customer_features.parquet"
    return {row[0] for row in duckdb.execute(f"select customer_id from '{file}' where order_count = 1").fetchall()}


def once_each(expected: dict[str, str]) -> list[tuple[str, str, int]]:
    return sorted((event, day, 1) for event, day in expected.items())


def refused(settings: Settings) -> int:
    return sum(row.records for row in read_ledger(settings) if row.outcome == QUARANTINED)


def test_every_event_around_midnight_in_shanghai_is_in_one_day_of_china(tmp_path):
    settings = shop_in("Asia/Shanghai", tmp_path)
    # The till's file of the leap day ends at midnight UTC, so it holds the first hours of 1 March in China.
    first_file = SHANGHAI | dict(list(SHANGHAI_LATER.items())[:2])

    leap_day = built(settings, "2024-02-29", [*first_file, *LEAP_SECONDS])

    assert days_of_events(settings) == once_each(first_file)
    assert counted(leap_day, settings) == set(SHANGHAI)
    assert refused(settings) == len(LEAP_SECONDS)

    both = SHANGHAI | SHANGHAI_LATER
    last_day = built(settings, "2038-01-20", [one for one in both if one not in first_file])

    assert days_of_events(settings) == once_each(both)
    assert lines_of_days(settings) == Counter(both.values())
    assert counted(last_day, settings) == set(both)


def test_every_event_around_both_clock_changes_is_in_one_day_of_berlin(tmp_path):
    settings = shop_in("Europe/Berlin", tmp_path)

    run = built(settings, "2024-10-28", [*BERLIN, *SKIPPED])

    assert days_of_events(settings) == once_each(BERLIN)
    assert lines_of_days(settings) == Counter(BERLIN.values())
    assert counted(run, settings) == set(BERLIN)
    assert refused(settings) == len(SKIPPED)
