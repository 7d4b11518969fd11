"""A released or built day, and its portraits asked what a tag's rule says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.audiences.sql import literal
from huaxiang.settings import Run
from huaxiang.tags import Tag

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Day:
    """The sealed (or just built) tables of a day in which the tag stands."""

    run: Run
    folder: Path
    release_id: str | None


def says_the_same(tag: Tag, day: Day, customer: str, value: str | None) -> bool:
    """Whether the tag's expression gives that value; a manual tag and one that reads other tags are not asked again."""
    import duckdb

    if not tag.value or tag.reads:
        return True
    query = f"select cast({tag.value} as string) from {_rows_of_day(day)} where profiles.customer_id = ?"
    with duckdb.connect() as connection:
        try:
            return connection.execute(query, [customer]).fetchall() == [(value,)]
        except duckdb.BinderException:  # a column that the day's portraits do not have
            return value is None


def asked_of(tag: Tag, day: Day, customer: str, column: str, values: Sequence[float]) -> list[str | None]:
    """What the tag's expression would say of the customer with each of the `values` in that column of the portrait."""
    import duckdb

    query = f"""
        with
        portrait as (select * from {_rows_of_day(day)} where profiles.customer_id = ?),
        asked as (select unnest(?::double[]) as asked_value, generate_subscripts(?::double[], 1) as place)
        select cast({tag.value} as string)
        from (select portrait.* replace (asked_value as {column}), place from portrait, asked)
        order by place
    """
    with duckdb.connect() as connection:
        rows = connection.execute(query, [customer, list(values), list(values)]).fetchall()
    return [row[0] for row in rows]


def of_day(day: Day, columns: Sequence[str]) -> pd.DataFrame:
    """These columns of every portrait of the day."""
    import duckdb

    with duckdb.connect() as connection:
        return connection.execute(f"select {', '.join(columns)} from {_profiles(day)}").df()


def _rows_of_day(day: Day) -> str:
    """The day's portraits, with the declared features where it has them, as tags read them."""
    features = day.folder / "features" / "customer_event_features.parquet"
    declared = f" left join read_parquet({literal(str(features))}) as declared using (customer_id, as_of)"
    return _profiles(day) + (declared if features.exists() else "")


def _profiles(day: Day) -> str:
    return f"read_parquet({literal(str(day.folder / 'profiles' / 'customer_profiles.parquet'))}) as profiles"
