"""What people have said of customers by a release's day, as the next run of that day would know it."""

from __future__ import annotations

from contextlib import redirect_stdout
from dataclasses import replace
from sys import stderr
from typing import TYPE_CHECKING

from huaxiang.settings import Run, Settings
from huaxiang.tags.reading import MANUAL_TABLE

if TYPE_CHECKING:
    import pyarrow as pa

_MODEL = "customer_statements"


def last_statements(settings: Settings, run: Run) -> pa.Table | None:
    """The table `customer_statements` of the run's day: a row per customer and tag, what was last said of it.

    None where no statement is known by then. Else that one model is built in a private home, with the landed rows, the
    decisions and the code of now; nothing of the home changes.
    """
    from huaxiang import warehouse
    from huaxiang.landing.ledger import landed_tables, read_ledger
    from huaxiang.timetravel.private_home import link_identity, link_landed, private_home
    from huaxiang.warehouse import state

    if MANUAL_TABLE not in landed_tables(settings, run.known_at):
        return None
    alone = replace(settings, models=(), engine="duckdb")
    with redirect_stdout(stderr), private_home(alone, f"tags-{run.id}") as past:
        link_landed(settings, past, read_ledger(settings))
        link_identity(settings, past)
        warehouse.only(past, run, _MODEL)
        with state.reading(past) as connection:
            return connection.execute(f"select * from features.{_MODEL} where as_of = $1", [run.as_of]).to_arrow_table()
