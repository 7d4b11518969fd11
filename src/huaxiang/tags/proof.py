"""What tag files promise, proven on all rows: closed lists of values, a value for everybody, groups that exclude."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.errors import GateFailed
from huaxiang.tags.tag import Tag

if TYPE_CHECKING:
    import duckdb


def prove(tags: Iterable[Tag], build: Path) -> int:
    """Prove the promises on the build's customer_tags and customer_profiles; returns how many were proven.

    Raises GateFailed naming every broken promise with its count.
    """
    import duckdb

    promising = list(tags)
    with duckdb.connect() as connection:
        connection.read_parquet(str(build / "profiles" / "customer_tags.parquet")).create_view("tag_rows")
        customers = (
            connection.read_parquet(str(build / "profiles" / "customer_profiles.parquet")).count("*").fetchall()[0][0]
        )
        broken = broken_promises(connection, promising, "tag_rows", customers)
    if broken:
        raise GateFailed(
            f"tags: {'; '.join(broken)}: nothing is published; correct the tags, 'huaxiang tags diff' shows the effect"
        )
    return sum(bool(tag.values) + tag.is_exhaustive for tag in promising) + len(_groups(promising))


def broken_promises(connection: duckdb.DuckDBPyConnection, tags: Iterable[Tag], rows: str, customers: int) -> list[str]:
    """A phrase for each promise that the relation `rows` (customer_id, tag, value) of so many customers breaks.

    The phrases hold counts and what tag files say, never what a customer's row says.
    """
    found = []
    promising = list(tags)
    for tag in promising:
        [held, other] = connection.execute(
            f"select count(*), count(*) filter (not list_contains(?, value)) from {rows} where tag = ?",
            [list(tag.values), tag.name],
        ).fetchall()[0]
        if tag.values and other:
            found.append(f"{tag.name} has a value outside its list for {_customers(other)}")
        if tag.is_exhaustive and held < customers:
            found.append(f"{tag.name} leaves {_customers(customers - held)} without a value, but is to be exhaustive")
    for group, members in _groups(promising).items():
        for one, other_tag in combinations(members, 2):
            both = connection.execute(
                f"select count(*) from {rows} as one inner join {rows} as other on one.customer_id = other.customer_id"
                " where one.tag = ? and other.tag = ?",
                [one, other_tag],
            ).fetchall()[0][0]
            if both:
                found.append(
                    f"{one} and {other_tag} exclude each other ({group}), but both are true of {_customers(both)}"
                )
    return found


def _customers(count: int) -> str:
    return "1 customer" if count == 1 else f"{count:,} customers"


def _groups(tags: Iterable[Tag]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for tag in tags:
        if tag.exclusive:
            groups[tag.exclusive].append(tag.name)
    return dict(groups)
