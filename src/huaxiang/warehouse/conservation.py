"""What became of every accepted record: accepted = published + duplicates + superseded + suppressed, money too.

Two sides that know nothing of each other must agree, file by file: the ledger says what was accepted, and what staging
published is added to what the landed rows explain (a row of the same key has won over this one).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from huaxiang.contracts import Contract, load_contracts
from huaxiang.errors import BrokenConservation
from huaxiang.expressions import literal, quoted
from huaxiang.files import replacing
from huaxiang.landing.ledger import ACCEPTED, DUPLICATE, QUARANTINED, LedgerRow, read_ledger
from huaxiang.landing.versions import KnownFile, known_files
from huaxiang.settings import Run, Settings
from huaxiang.warehouse import state

if TYPE_CHECKING:
    import duckdb

PUBLISHED, SAME, SUPERSEDED, SUPPRESSED = "published", "duplicate", "superseded", "suppressed"
# The landed rows behind a staging table, where that is not one each: rows made of other tables, or one of several.
_LANDED_ROWS = {
    "customers": "coalesce(sum(declared_count), 0)",
    "orders": "count(*) filter (where is_supplied)",
    "sends": "coalesce(sum(send_count), 0)",
}


@dataclass(frozen=True)
class Fate:
    """So many records of a file came to this end in this run. `net_amount` is the money of order lines, else None."""

    source_name: str
    table_name: str
    file_id: str
    file_name: str
    load_date: date
    outcome: str
    reason: str
    records: int
    net_amount: Decimal | None


def settle(settings: Settings, run: Run) -> list[Fate]:
    """Say what became of every record known to the run; write it to `<build>/ledger/ledger.parquet`.

    Called when staging is built. Raises BrokenConservation naming the first file whose records do not add up.
    """
    ledger = [row for row in read_ledger(settings) if row.load_date <= run.known_at and row.outcome != DUPLICATE]
    first: dict[tuple[str, str, str], LedgerRow] = {}
    for row in ledger:
        first.setdefault((row.source_name, row.table_name, row.file_id), row)
    fates = [
        _fate(first[key], QUARANTINED, reason, records, money)
        for (key, reason), (records, money) in _summed(ledger, QUARANTINED).items()
        if records or money
    ]
    files = known_files(ledger, run.known_at)
    contracts = load_contracts(settings)
    with state.reading(settings) as connection:
        for table in sorted({one.table_name for one in files}):
            of_table = [one for one in files if one.table_name == table]
            found = _fates_of(connection, settings, run, contracts[table], of_table)
            fates += [_fate(first[key], *end, *sums) for (key, end), sums in found.items() if sums[0]]
    _check(ledger, first, fates)
    _write(settings, run, fates)
    return fates


_Key = tuple[str, str, str]  # source, table, file id
_End = tuple[str, str]  # outcome, reason
_Sums = tuple[int, Decimal | None]


def _fates_of(
    connection: duckdb.DuckDBPyConnection, settings: Settings, run: Run, contract: Contract, files: list[KnownFile]
) -> dict[tuple[_Key, _End], _Sums]:
    """The ends of the accepted records of one table."""
    table = contract.name
    landed = _landed(settings, contract, files)
    money = "sum(net_amount)" if table == "order_lines" else "null::decimal(38, 2)"
    used = connection.execute(
        "select 1 from information_schema.tables where table_schema = 'staging' and table_type = 'BASE TABLE'"
        " and table_name = ?",
        [f"stg_{table}"],
    ).fetchall()
    is_used = bool(used) or (settings.engine == "spark" and _is_there(connection, f"stg_{table}"))
    if not is_used:
        reason = "LINKS_ONLY" if table == "identifiers" else "NOT_USED"
        return _collect(connection, table, _all_end(landed, SUPPRESSED, reason, money))
    lost = connection.execute(
        f"select count(*) filter (file_rank is null), count(*) filter (file_rank is not null),"
        f" count(distinct hash({_key(contract)})) filter (file_rank is not null) from ({landed})"
    ).fetchall()[0]
    if lost[0] == 0 and lost[1] == lost[2]:
        ends = _all_end(landed, PUBLISHED, "", money)
    else:
        ends = _contested(landed, contract, money)
    found = _collect(connection, table, ends)
    published = sum(records for (_, end), (records, _) in found.items() if end[0] == PUBLISHED)
    behind = _LANDED_ROWS.get(table, "count(*)")
    staged = int(connection.execute(f"select {behind} from staging.stg_{table}").fetchall()[0][0])
    if published != staged:
        raise BrokenConservation(
            f"staging.stg_{table}: {staged:,} rows where {published:,} landed rows ought to be, so the run stops; run"
            f" 'huaxiang staging --as-of {run.as_of}' again, and report this fault if it stays"
        )
    if table == "order_lines":
        found = {**_without(found, PUBLISHED), **_published_lines(connection, run)}
    return found


def _published_lines(connection: duckdb.DuckDBPyConnection, run: Run) -> dict[tuple[_Key, _End], _Sums]:
    """Order lines as staging holds them, not as the landed rows say: in the portraits, or of a day after as_of."""
    held_back = f"ordered_on > date '{run.as_of}'"
    return _collect(
        connection,
        "order_lines",
        f"""
        select
            source_name,
            file_id,
            case when {held_back} then '{SUPPRESSED}' else '{PUBLISHED}' end,
            case when {held_back} then 'AFTER_AS_OF' else '' end,
            count(*),
            sum(net_amount)
        from staging.stg_order_lines
        group by all
        """,
    )


def _landed(settings: Settings, contract: Contract, files: list[KnownFile]) -> str:
    """SQL for the known landed rows with their file's rank. None where it was replaced."""
    pattern = settings.home.landing / "*" / contract.name / "load_date=*" / "*.parquet"
    ranks = ", ".join(
        f"({literal(one.source_name)}, {literal(one.file_id)}, {'null' if one.file_rank is None else one.file_rank})"
        for one in files
    )
    return f"""
        select landed.*, files.file_rank
        from read_parquet({literal(str(pattern))}, hive_partitioning = false, union_by_name = true) as landed
        inner join (values {ranks}) as files (source_name, file_id, file_rank) using (source_name, file_id)
    """


def _contested(landed: str, contract: Contract, money: str) -> str:
    """SQL for the ends where rows of the same key meet: the winner is published, an equal row is a duplicate."""
    content = ", ".join(map(quoted, contract.column_names))
    return f"""
        with ranked as (
            select
                *,
                row_number() over winner as place,
                first_value(hash({content})) over winner = hash({content}) as is_same
            from ({landed})
            where file_rank is not null
            window winner as (partition by {_key(contract)} order by file_rank desc, record_number desc)
        )

        select
            source_name,
            file_id,
            case when place = 1 then '{PUBLISHED}' when is_same then '{SAME}' else '{SUPERSEDED}' end,
            case when place = 1 then '' when is_same then 'EQUAL_RECORD' else 'LATER_RECORD' end,
            count(*),
            {money}
        from ranked
        group by all

        union all

        {_all_end(f"select * from ({landed}) where file_rank is null", SUPERSEDED, "DROP_REPLACED", money)}
    """


def _all_end(rows: str, outcome: str, reason: str, money: str) -> str:
    return f"select source_name, file_id, '{outcome}', '{reason}', count(*), {money} from ({rows}) group by all"


def _key(contract: Contract) -> str:
    return ", ".join(("source_name", *map(quoted, contract.key)))


def _collect(connection: duckdb.DuckDBPyConnection, table: str, sql: str) -> dict[tuple[_Key, _End], _Sums]:
    return {
        ((source, table, file_id), (outcome, reason)): (int(records), money)
        for source, file_id, outcome, reason, records, money in connection.execute(sql).fetchall()
    }


def _check(ledger: list[LedgerRow], first: dict[_Key, LedgerRow], fates: list[Fate]) -> None:
    """Each file: accepted by the ledger = what all its ends but the quarantine add up to; order lines' money too."""
    accepted: dict[_Key, list[Decimal]] = {key: [Decimal(0), Decimal(0)] for key in first}
    ended: dict[_Key, list[Decimal]] = {key: [Decimal(0), Decimal(0)] for key in first}
    for row in ledger:
        if row.outcome == ACCEPTED:
            _add(accepted[row.source_name, row.table_name, row.file_id], row.records, row.net_amount)
    for fate in fates:
        if fate.outcome != QUARANTINED:
            _add(ended[fate.source_name, fate.table_name, fate.file_id], fate.records, fate.net_amount)
    for key, row in first.items():
        if accepted[key] != ended[key]:
            (records, money), (told, told_money) = accepted[key], ended[key]
            raise BrokenConservation(
                f"{row.file_name}: {records:,} records with {money:,} were accepted, but {told:,} with {told_money:,}"
                " are published, duplicates, superseded or suppressed, so the run stops; run the day again, and"
                " report this fault if it stays"
            )


def _add(sums: list[Decimal], records: int, money: Decimal | None) -> None:
    sums[0] += records
    sums[1] += money or Decimal(0)


def _summed(ledger: Iterable[LedgerRow], outcome: str) -> dict[tuple[_Key, str], _Sums]:
    records: Counter[tuple[_Key, str]] = Counter()
    money: dict[tuple[_Key, str], Decimal] = {}
    for row in ledger:
        if row.outcome == outcome:
            end = ((row.source_name, row.table_name, row.file_id), row.reason)
            records[end] += row.records
            if row.net_amount is not None:
                money[end] = money.get(end, Decimal(0)) + row.net_amount
    return {end: (count, money.get(end)) for end, count in records.items()}


def _without(found: dict[tuple[_Key, _End], _Sums], outcome: str) -> dict[tuple[_Key, _End], _Sums]:
    return {key: sums for key, sums in found.items() if key[1][0] != outcome}


def _is_there(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    return bool(connection.execute("select 1 from information_schema.tables where table_name = ?", [name]).fetchall())


def _fate(row: LedgerRow, outcome: str, reason: str, records: int, money: Decimal | None) -> Fate:
    return Fate(
        row.source_name, row.table_name, row.file_id, row.file_name, row.load_date, outcome, reason, records, money
    )


def _write(settings: Settings, run: Run, fates: list[Fate]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {"str": pa.string(), "date": pa.date32(), "int": pa.int64(), "Decimal | None": pa.decimal128(38, 2)}
    schema = pa.schema([(one.name, kinds[str(one.type)]) for one in fields(Fate)])
    rows = sorted(map(astuple, fates), key=lambda row: row[:7])
    columns = [[row[at] for row in rows] for at in range(len(schema))]
    with replacing(settings.home.build(run.id) / "ledger" / "ledger.parquet") as temporary:
        pq.write_table(pa.table(columns, schema=schema), temporary)
