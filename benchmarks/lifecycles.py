"""How steady the lifecycle states are: `python -m benchmarks.lifecycles`, on the home of HUAXIANG_HOME.

The dbt model customer_lifecycles is built for every day of several months, on a copy of the home's work file. A
customer flaps when the state changes and changes back within 28 days. Beside it the plain rule without two thresholds:
at risk after three times the mean gap and 28 days, lapsed after 91, active again with the next order. For both: how
many of the customers in a state, 28 days before the last day, order nothing until then.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from huaxiang.settings import Run, Settings, load_settings

if TYPE_CHECKING:
    import duckdb

_DAYS = 28

_PLAIN = """
create temp table plain as
with order_days as (
    select customer_id, ordered_on from features.customer_days where order_count > 0
),
seen as (
    select customer_id, as_of, min(ordered_on) as first_on, max(ordered_on) as last_on,
        (max(ordered_on) - min(ordered_on)) / nullif(count(*) - 1, 0) as gap_days
    from features.snapshot_days inner join order_days on ordered_on <= as_of and ordered_on > as_of - 364
    group by all
)
select customer_id, as_of,
    case
        when as_of - last_on > 91 then 'lapsed'
        when as_of - first_on < 28 then 'new'
        when as_of - last_on > 28 and as_of - last_on > 3 * coalesce(gap_days, 28) then 'at risk'
        else 'active'
    end as lifecycle_state
from seen
"""

_FLAPS = """
with changes as (
    select customer_id, as_of, lifecycle_state,
        lag(lifecycle_state) over (partition by customer_id order by as_of) as before
    from {table}
),
runs as (
    select customer_id, as_of as began_on, lifecycle_state,
        lead(as_of) over own as ended_on, lag(lifecycle_state) over own as state_before,
        lead(lifecycle_state) over own as state_after
    from changes where before is distinct from lifecycle_state
    window own as (partition by customer_id order by as_of)
),
flaps as (
    select distinct date_trunc('month', ended_on) as month, customer_id
    from runs where state_before = state_after and ended_on - began_on <= 28
),
present as (
    select date_trunc('month', as_of) as month, count(distinct customer_id) as customers from {table} group by 1
)
select strftime(month, '%Y-%m') as month, count(flaps.customer_id) / any_value(customers) as share
from present left join flaps using (month) group by month order by month
"""

_SILENT = """
select lifecycle_state, count(*) as customers,
    avg((not exists (
        select 1 from features.customer_days as days where days.customer_id = {table}.customer_id
            and order_count > 0 and ordered_on > as_of and ordered_on <= as_of + 28
    ))::int) as silent
from {table} where as_of = $day group by 1 order by 2 desc
"""


def main() -> None:
    """Print the share of customers that flap in each month, and how silent each state is afterwards."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lifecycles", description=__doc__)
    parser.add_argument("--since", type=date.fromisoformat, default=date(2017, 5, 1))
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2017, 11, 30))
    said = parser.parse_args()
    days = [said.since + timedelta(days=day) for day in range((said.as_of - said.since).days + 1)]
    with _built(load_settings(), days) as connection:
        connection.execute(_PLAIN)
        print("\n".join(report(connection, days[-1] - timedelta(days=_DAYS))))


def report(connection: duckdb.DuckDBPyConnection, day: date) -> list[str]:
    """The lines of the report."""
    lines = []
    for name, table in (("two thresholds", "features.customer_lifecycles"), ("plain rule", "plain")):
        months = connection.execute(_FLAPS.format(table=table)).fetchall()
        shares = [share for _, share in months]
        said = ", ".join(f"{month} {100 * share:.2f} %" for month, share in months)
        mean = sum(shares) / len(shares)
        lines.append(f"{name}: flapping {said}; mean {100 * mean:.2f} %, most {100 * max(shares):.2f} %")
        for state, customers, silent in connection.execute(_SILENT.format(table=table), {"day": day}).fetchall():
            lines.append(f"  {state} on {day}: {customers} customers, {100 * silent:.1f} % without an order in 28 days")
    return lines


@contextmanager
def _built(settings: Settings, days: list[date]) -> Iterator[duckdb.DuckDBPyConnection]:
    """The model built for these days in a copy of the work file, which goes afterwards."""
    import duckdb

    from huaxiang import warehouse
    from huaxiang.warehouse.dbt import invoke

    apart = replace(settings, home=replace(settings.home, work="benchmark"))
    shutil.copytree(settings.home.warehouse, apart.home.warehouse)
    try:
        run = Run(days[-1], days[-1])
        select = ["run", "--select", "snapshot_days", "customer_lifecycles"]
        invoke(apart, run, select, warehouse.variables(apart, run, days))
        with duckdb.connect(str(apart.home.duckdb_file)) as connection:
            yield connection
    finally:
        shutil.rmtree(apart.home.warehouse, ignore_errors=True)


if __name__ == "__main__":
    main()
