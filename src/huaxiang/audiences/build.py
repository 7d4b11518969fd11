"""Find the customers of each audience in the warehouse, and write them into the run's build."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from huaxiang.audiences.language import Audience
from huaxiang.audiences.sql import literal, statement
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.warehouse import state
from huaxiang.warehouse.export import Sourced, write_parquet

LEFT_OUT = "left_out.json"


def write(settings: Settings, run: Run, audiences: Sequence[Audience], known: Sourced) -> int:
    """Write `audiences/customer_audiences.parquet`: one row per audience and customer in it; returns the number of
    audiences.

    An audience that the home has no source for is left out, and `left_out.json` beside it says what it needs. A home
    without audiences gets no files.
    """
    folder = settings.home.build(run.id) / "audiences"
    path = folder / "customer_audiences.parquet"
    asked = [one for one in audiences if known.met(one.needs)]
    missing = [
        {"audience": one.name, "title": one.title, "needs": [need for need in one.needs if not known.met([need])]}
        for one in audiences
        if one not in asked
    ]
    if audiences:
        write_text(folder / LEFT_OUT, json.dumps(missing, indent=2) + "\n")
    if not asked:
        path.unlink(missing_ok=True)
        return 0
    with state.reading(settings) as connection:
        connection.execute("create temporary table customer_audiences (audience varchar, customer_id varchar)")
        for one in asked:
            query = members(one, audiences, run.as_of)
            connection.execute(f"insert into customer_audiences select {literal(one.name)}, customer_id from ({query})")
        write_parquet(connection, "select * from customer_audiences order by audience, customer_id", path)
    return len(asked)


def members(audience: Audience, audiences: Sequence[Audience], as_of: date, among: str | None = None) -> str:
    """The statement that gives the audience's customers from the warehouse; `among` as in `statement`."""
    return statement(audience, {one.name: one for one in audiences}, as_of, portraits(as_of), among)


def portraits(as_of: date) -> str:
    """One row per customer with all columns that a condition may ask for: the portrait's and the declared features."""
    joined = "profiles.customer_profiles left join features.customer_event_features using (customer_id, as_of)"
    return f"    select * from {joined} where as_of = {literal(as_of)}"
