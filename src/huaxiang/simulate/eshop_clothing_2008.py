"""Clicks of "e-shop clothing 2008" (UCI 553), played as the shop's web log would drop them.

| Drop | Load days | Columns of |
|---|---|---|
| `clicks/clicks_D.csv` | every day with clicks | the file itself |
| `catalogue/models_D.csv` | the first day | clothing model and main category |

Names and values stay as the file has them. The catalogue is made of the clicks: the one model that stands in two main
categories gets the one it was mostly clicked in.

A sample for a small home: `customers` keeps the sessions with the smallest numbers, `since` leaves out earlier days.
"""

from __future__ import annotations

import io
import zipfile
from datetime import date
from pathlib import Path

import duckdb

from huaxiang.errors import BadConfiguration
from huaxiang.settings import PROJECT
from huaxiang.simulate.drops import Drop, Sample

FIRST_DAY = date(2008, 4, 1)
ARCHIVE = PROJECT / "tests" / "data" / "eshop-clothing-2008" / "clickstream+data+for+online+shopping.zip"
_FILE = "e-shop clothing 2008.csv"


def drops(connection: duckdb.DuckDBPyConnection, folder: Path, through: date, sample: Sample) -> list[Drop]:
    """List the drops in `folder` with load days <= `through`; the connection gets the table `clicks`.

    Raises BadConfiguration when the data set is not there, `through` lies before its first day, or faults are
    asked for.
    """
    if through < FIRST_DAY:
        raise BadConfiguration(
            f"through {through}: eshop_clothing_2008 begins on {FIRST_DAY}; choose that day or a later one"
        )
    if sample.faults:
        raise BadConfiguration("faults: eshop_clothing_2008 is played as it is; leave --faults out")
    _load(connection, sample)
    days = connection.execute(
        f"select distinct clicked_on from clicks where clicked_on <= date '{through}' order by clicked_on"
    ).fetchall()
    return [
        Drop(
            folder / f"catalogue/models_{FIRST_DAY}.csv",
            """
            select "page 2 (clothing model)" as model, "page 1 (main category)" as category
            from every_click
            group by model, category
            qualify row_number() over (partition by model order by count(*) desc, category) = 1
            order by model
            """,
        ),
        *(
            Drop(
                folder / f"clicks/clicks_{day}.csv",
                f"select columns(c -> c <> 'clicked_on') from clicks where clicked_on = date '{day}'"
                ' order by "session ID"::int, "order"::int',
            )
            for (day,) in days
        ),
    ]


def _load(connection: duckdb.DuckDBPyConnection, sample: Sample) -> None:
    """The tables `every_click`, all text as written, and `clicks`, those of the sample with their day."""
    import pyarrow.csv as csv

    if not ARCHIVE.is_file():
        raise BadConfiguration(f"{ARCHIVE}: not found, so nothing can be played; take it from a checkout")
    with zipfile.ZipFile(ARCHIVE) as archive:
        data = archive.read(_FILE)
    names = data.split(b"\n", 1)[0].decode().strip().split(";")
    rows = csv.read_csv(
        io.BytesIO(data),
        parse_options=csv.ParseOptions(delimiter=";"),
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(names, "string"), strings_can_be_null=False),
    )
    connection.register("file", rows)
    connection.execute("create table every_click as select * from file")
    connection.unregister("file")
    since = f"clicked_on >= date '{sample.since}'" if sample.since else "true"
    kept = (
        f'"session ID" in (select distinct "session ID" from every_click order by "session ID"::int '
        f"limit {sample.customers})"
        if sample.customers
        else "true"
    )
    connection.execute(
        "create table clicks as select *, make_date(year::int, month::int, day::int) as clicked_on "
        f"from every_click where {since} and {kept}"
    )
