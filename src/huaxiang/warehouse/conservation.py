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


# Of these no row wins over another: every record in force is read as it came, or only tells who is one person.
_AS_DELIVERED = {"promotions": (PUBLISHED, ""), "identifiers": (SUPPRESSED, "LINKS_ONLY")}


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
    arrivals = [row for row in read_ledger(settings) if row.load_date <= run.known_at]
    ledger = [row for row in arrivals if row.outcome != DUPLICATE]
    first: dict[tuple[str, str, str], LedgerRow] = {}
    for row in ledger:
        first.setdefault((row.source_name, row.table_name, row.file_id), row)
    fates = [
        _fate(first[key], QUARANTINED, reason, records, money)
        for (key, reason), (records, money) in _summed(ledger, QUARANTINED).items()
        if records or money
    ]
    files = known_files(arrivals, run.known_at)
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
    if table in _AS_DELIVERED:
        return _counted(settings, table, files)
    money = "sum(net_amount)" if table == "order_lines" else "null::decimal(38, 2)"
    landed = _landed(settings, contract, files)
    replaced, in_force, keys = connection.execute(
        f"select count(*) filter (file_rank is null), count(*) filter (file_rank is not null),"
        f" count(distinct hash({_key(contract)})) filter (file_rank is not null) from ({landed})"
    ).fetchall()[0]
    if replaced == 0 and in_force == keys:
        ends = f"select *, '{PUBLISHED}' as outcome, '' as reason from ({landed})"
    else:
        ends = _contested(landed, contract)
    found = _collect(
        connection, table, f"select source_name, file_id, outcome, reason, count(*), {money} from ({ends}) group by all"
    )
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


def _counted(settings: Settings, table: str, files: list[KnownFile]) -> dict[tuple[_Key, _End], _Sums]:
    """The ends of the records of a table whose files are not compared with each other: their footers are enough."""
    import pyarrow.parquet as pq

    found: Counter[tuple[_Key, _End]] = Counter()
    for one in files:
        end = _AS_DELIVERED[table] if one.file_rank is not None else (SUPERSEDED, "DROP_REPLACED")
        folder = settings.home.landing / one.source_name / table
        for path in folder.glob(f"load_date=*/{one.file_id}*.parquet"):  # one more for each repair
            found[(one.source_name, table, one.file_id), end] += pq.read_metadata(path).num_rows
    return {end: (records, None) for end, records in found.items()}


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


def _contested(landed: str, contract: Contract) -> str:
    """SQL for landed rows with their end: of several with one key the winner is published, an equal row is a duplicate.

    Most keys came once, so only the others are put in order.
    """
    content = ", ".join(map(quoted, contract.column_names))
    key = _key(contract)
    return f"""
        with known as (select * from ({landed}) where file_rank is not null),

        repeated as (select {key} from known group by all having count(*) > 1),

        ranked as (
            select
                *,
                row_number() over winner as place,
                first_value(hash({content})) over winner = hash({content}) as is_same
            from known semi join repeated using ({key})
            window winner as (partition by {key} order by file_rank desc, record_number desc)
        )

        select
            *,
            case when place = 1 then '{PUBLISHED}' when is_same then '{SAME}' else '{SUPERSEDED}' end as outcome,
            case when place = 1 then '' when is_same then 'EQUAL_RECORD' else 'LATER_RECORD' end as reason
        from ranked

        union all by name

        select *, '{PUBLISHED}' as outcome, '' as reason from known anti join repeated using ({key})

        union all by name

        select *, '{SUPERSEDED}' as outcome, 'DROP_REPLACED' as reason from ({landed}) where file_rank is null
    """


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
