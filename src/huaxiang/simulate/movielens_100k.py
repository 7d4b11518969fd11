"""MovieLens 100K (Harper and Konstan 2015), played as a film site would drop it.

| Drop | Load days | Columns of |
|---|---|---|
| `ratings/ratings_D.csv` | every local day with ratings | the file of ratings, and `rating_number`: its line there |
| `members/members_D.csv` | the first day | user_id and age of the file of users |
| `members/answers_D.csv` | the first day | its gender, occupation and zip_code, an answer per row |
| `catalogue/films_D.csv` | the first day | the file of films |

Names and values stay as the files have them, without the types behind the names. Members are declared on the first day,
though most of them came later: when each said so is not known.

The data set may be used for research and not be passed on, so it is not here: it comes in a package of the environment
`bench` (`make bench-ratings`). A sample for a small home: `customers` keeps the members with the smallest numbers,
`since` leaves out earlier days.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

from huaxiang.errors import BadConfiguration
from huaxiang.settings import PROJECT
from huaxiang.simulate.drops import Drop, Sample

FIRST_DAY = date(1997, 9, 19)
TIME_ZONE = "America/Chicago"
ENVIRONMENT = PROJECT / ".venv" / "bench"
_TABLES = ("inter", "user", "item")


def drops(connection: duckdb.DuckDBPyConnection, folder: Path, through: date, sample: Sample) -> list[Drop]:
    """List the drops in `folder` with load days <= `through`; the connection gets the tables they read.

    Raises BadConfiguration when the data set is not installed, `through` lies before its first day, or faults are asked
    for.
    """
    if through < FIRST_DAY:
        raise BadConfiguration(
            f"through {through}: movielens_100k begins on {FIRST_DAY}; choose that day or a later one"
        )
    if sample.faults:
        raise BadConfiguration("faults: movielens_100k is played as it is; leave --faults out")
    _load(connection, _folder(), sample)
    days = connection.execute(
        f"select distinct rated_on from ratings where rated_on <= date '{through}' order by rated_on"
    ).fetchall()
    return [
        Drop(folder / f"members/members_{FIRST_DAY}.csv", "select user_id, age from members order by user_id::int"),
        Drop(
            folder / f"members/answers_{FIRST_DAY}.csv",
            "select user_id, question, answer from members "
            "unpivot (answer for question in (gender, occupation, zip_code)) order by user_id::int, question",
        ),
        Drop(folder / f"catalogue/films_{FIRST_DAY}.csv", "select * from films order by item_id::int"),
        *(
            Drop(
                folder / f"ratings/ratings_{day}.csv",
                f"select * exclude (rated_on) from ratings where rated_on = date '{day}' order by rating_number",
            )
            for (day,) in days
        ),
    ]


def _folder() -> Path:
    """Where the package keeps the data set; it is not imported, since it would ask for a deep-learning library."""
    found = next(ENVIRONMENT.glob("lib/python*/site-packages/recbole/dataset_example/ml-100k"), None)
    if found is None or not all((found / f"ml-100k.{table}").is_file() for table in _TABLES):
        raise BadConfiguration(
            "movielens_100k: the data set is not installed, so it cannot be played; run 'make bench-ratings'"
        )
    return found


def _load(connection: duckdb.DuckDBPyConnection, folder: Path, sample: Sample) -> None:
    """The tables `ratings`, `members` and `films`, all text as written, cut down to the sample."""
    for table, file in (("every_rating", "inter"), ("every_member", "user"), ("films", "item")):
        path = folder / f"ml-100k.{file}"
        names = [name.partition(":")[0] for name in path.read_text(encoding="utf-8").partition("\n")[0].split("\t")]
        listed = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
        place = str(path).replace("'", "''")
        connection.execute(
            f"create table {table} as select * from read_csv('{place}', delim = '\t', header = false, skip = 1, "
            f"quote = '', escape = '', columns = {{{listed}}}, parallel = false)"
        )
    kept = "true"
    if sample.customers:
        kept = f"user_id in (select user_id from every_member order by user_id::int limit {sample.customers})"
    since = f"rated_on >= date '{sample.since}'" if sample.since else "true"
    connection.execute(f"create table members as select * from every_member where {kept}")
    connection.execute(
        f"""
        create table ratings as
        with numbered as (select row_number() over () as rating_number, * from every_rating)
        select *, cast(to_timestamp(timestamp::bigint) at time zone '{TIME_ZONE}' as date) as rated_on
        from numbered where {kept} and {since}
        """
    )
