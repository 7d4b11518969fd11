"""What the sources say about who is who: the identifiers known to a run, made comparable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from huaxiang.contracts import load_contracts
from huaxiang.expressions import literal
from huaxiang.identity.people import Id
from huaxiang.identity.policy import CLEANING, Policy
from huaxiang.settings import Settings

if TYPE_CHECKING:
    import duckdb


def attach(connection: duckdb.DuckDBPyConnection, settings: Settings, policy: Policy) -> None:
    """Make the table `known`: one row per source, customer, kind and cleaned value, with the load days on which it was
    first and last said and the place of its last row. Kinds that the policy does not name are left out.
    """
    connection.execute(
        f"create view known_files as select * from read_parquet({literal(str(settings.home.known_files))})"
    )
    cleaned = " ".join(
        f"when kind = {literal(kind.name)} then {CLEANING[kind.clean]}" for kind in policy.kinds.values()
    )
    ignored = " or ".join(
        f"(kind = {literal(kind.name)} and cleaned in ({', '.join(map(literal, kind.ignore))}))"
        for kind in policy.kinds.values()
        if kind.ignore
    )
    connection.execute(
        f"""
        create table known as
        with rows as (
            select landed.source_name, landed.customer_id, landed.kind, landed.load_date, files.file_rank,
                landed.record_number, case {cleaned} end as cleaned
            from {_landed(settings, "identifiers")} as landed
            inner join known_files as files
                on landed.source_name = files.source_name and landed.file_id = files.file_id
                and files.table_name = 'identifiers'
        )
        select source_name, customer_id, kind, cleaned,
            min(load_date) as since, max(load_date) as last_seen, 
            max({{'r': file_rank, 'n': record_number}}) as last_row
        from rows
        where cleaned <> '' and not ({ignored or "false"})
        group by all
        """
    )


def first_seen(connection: duckdb.DuckDBPyConnection, settings: Settings, tables: Sequence[str]) -> dict[Id, date]:
    """Since which load day each customer with an identifier is known, by any of the landed tables."""
    contracts = load_contracts(settings)
    parts = [
        f"""
        select landed.source_name, landed.customer_id, min(landed.load_date) as since
        from {_landed(settings, table)} as landed
        inner join known_files as files
            on landed.source_name = files.source_name and landed.file_id = files.file_id
            and files.table_name = {literal(table)}
        semi join known on landed.source_name = known.source_name and landed.customer_id = known.customer_id
        group by all
        """
        for table in tables
        if "customer_id" in contracts[table].column_names
    ]
    rows = connection.execute(
        f"select source_name, customer_id, min(since) from ({' union all '.join(parts)}) group by all order by all"
    ).fetchall()
    return {Id(source, customer): since for source, customer, since in rows}


@dataclass(frozen=True)
class Shared:
    """An identifier that several customers have: each with the first and the last load day on which it said so."""

    kind: str
    value: str
    holders: tuple[tuple[Id, date, date], ...]


def shared(connection: duckdb.DuckDBPyConnection, kinds: Sequence[str]) -> list[Shared]:
    """The identifiers of these kinds that more than one customer has, by kind and value."""
    if not kinds:
        return []
    rows = connection.execute(
        f"""
        select kind, cleaned, source_name, customer_id, since, last_seen from known
        where kind in ({", ".join(map(literal, kinds))})
        qualify count(*) over (partition by kind, cleaned) > 1
        order by kind, cleaned, source_name, customer_id
        """
    ).fetchall()
    found: dict[tuple[str, str], list[tuple[Id, date, date]]] = {}
    for kind, value, source, customer, since, last in rows:
        found.setdefault((kind, value), []).append((Id(source, customer), since, last))
    return [Shared(kind, value, tuple(holders)) for (kind, value), holders in found.items()]


def described(connection: duckdb.DuckDBPyConnection, policy: Policy) -> int:
    """Make the table `described`: one row per customer with at least two compared values, the last said of each kind.

    `unique_id` numbers the rows by source and id; `since` is the day from which all of it was said. Returns the rows.
    """
    names = [kind.name for kind in policy.compared]
    columns = ", ".join(f"max(cleaned) filter (kind = {literal(name)}) as {_quoted(name)}" for name in names)
    connection.execute(
        f"""
        create table described as
        with latest as (
            select * from known where kind in ({", ".join(map(literal, names))})
            qualify row_number() over (
                partition by source_name, customer_id, kind order by last_row desc, cleaned
            ) = 1
        )
        select cast(row_number() over (order by source_name, customer_id) as bigint) as unique_id,
            source_name, customer_id, max(since) as since, {columns}
        from latest group by source_name, customer_id having count(*) > 1 order by unique_id
        """
    )
    return int(connection.execute("select count(*) from described").fetchall()[0][0])


def answers(connection: duckdb.DuckDBPyConnection, kinds: Sequence[str]) -> dict[Id, str]:
    """Who each customer really is, where somebody knows."""
    if not kinds:
        return {}
    rows = connection.execute(
        f"select source_name, customer_id, min(kind || ':' || cleaned) from known"
        f" where kind in ({', '.join(map(literal, kinds))}) group by all order by all"
    ).fetchall()
    return {Id(source, customer): answer for source, customer, answer in rows}


def _landed(settings: Settings, table: str) -> str:
    pattern = settings.home.landing / "*" / table / "load_date=*" / "*.parquet"
    return f"read_parquet({literal(str(pattern))}, hive_partitioning = false, union_by_name = true)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
