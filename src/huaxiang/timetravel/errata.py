"""Errata: what came to light about a release after it was sealed, in `errata/<release id>.json` beside the releases.

A release knows the drops of load days up to its known_at. One that arrives late belongs to what it should have known.
An erratum is derived from ledger and landed rows alone: a call that was cut short is made up for by the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from huaxiang.contracts import Contract, load_contracts
from huaxiang.errors import BrokenConservation
from huaxiang.expressions import literal
from huaxiang.files import write_text
from huaxiang.landing.files import empty_table
from huaxiang.landing.ledger import ACCEPTED, LedgerRow, landed_path, read_ledger
from huaxiang.landing.versions import known_files
from huaxiang.release.store import Release, releases
from huaxiang.report import words
from huaxiang.settings import Settings
from huaxiang.timetravel.knowledge import last_call, up_to

# When the thing happened that a record tells of. Records of other tables hold for every day.
_HAPPENED = {
    "events": "occurred_at",
    "order_lines": "ordered_at",
    "orders": "ordered_at",
    "manual_tags": "said_on",
    "promotions": "week_start_on",
    "responses": "responded_on",
    "reviews": "reviewed_at",
    "sends": "sent_on",
    "suppressions": "suppressed_on",
    "surveys": "answered_at",
}


@dataclass(frozen=True)
class Erratum:
    """What one landing call changed in a table of what a release should have known, up to its day.

    `rows` are keys that came, went or say something else; `net_amount` is the money more or less (order lines only).
    """

    ledger_call: int
    source: str
    table: str
    files: tuple[str, ...]
    load_days: tuple[str, ...]
    days: tuple[str, ...]
    rows: int
    customers: int
    net_amount: str | None
    next_step: str


@dataclass(frozen=True)
class OpenErratum:
    """An erratum of a release, and the release of the same day that knows better, if there is one."""

    release: Release
    erratum: Erratum
    corrected_by: str | None

    @property
    def money(self) -> Decimal | None:
        """The money more or less."""
        return None if self.erratum.net_amount is None else Decimal(self.erratum.net_amount)


def record(settings: Settings) -> int:
    """Write what came to light about the releases that are kept; returns how many errata are new."""
    new = 0
    ledger = read_ledger(settings)
    for release in releases(settings):
        had = read(settings, release.id)
        told = {one.ledger_call for one in had}
        found = derive(settings, release, ledger, skip=told)
        if found:
            said = {"release_id": release.id, "errata": [asdict(one) for one in (*had, *found)]}
            write_text(_path(settings, release.id), json.dumps(said, indent=2) + "\n")
            new += len(found)
    return new


def read(settings: Settings, release_id: str) -> list[Erratum]:
    """The errata written about a release, in the order they came. Raises BrokenConservation for a damaged file."""
    path = _path(settings, release_id)
    if not path.exists():
        return []
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        lists = ("files", "load_days", "days")
        return [Erratum(**(one | {name: tuple(one[name]) for name in lists})) for one in said["errata"]]
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenConservation(f"{path}: cannot be read; remove it, the next run writes it anew") from error


def with_corrections(settings: Settings) -> list[OpenErratum]:
    """The errata of all releases that are kept, the newest day first; each with the release that corrects it.

    One that changed nothing of its release, as publishing the day again has shown, is no longer told.
    """
    kept = releases(settings)
    return [
        OpenErratum(release, one, _corrected_by(settings, release, one, kept))
        for release in reversed(kept)
        for one in read(settings, release.id)
        if one.ledger_call > _confirmed(settings, release.id)
    ]


def confirm(settings: Settings, release_id: str, ledger_call: int) -> None:
    """Note that the day, published again with all landing calls up to this one, gave this very release."""
    said = {"release_id": release_id, "ledger_call": ledger_call}
    write_text(_confirmed_path(settings, release_id), json.dumps(said, indent=2) + "\n")


def sentence(one: OpenErratum, currency: str) -> str:
    """An erratum in words, with what to do about it."""
    said = one.erratum
    more = f" and {len(said.files) - 1:,} more" if said.files[1:] else ""
    days = f" of {days_in_words(said)}" if said.days else ""
    money = f", net amount {words.money(one.money, currency)}" if one.money is not None else ""
    todo = f"corrected by {one.corrected_by}" if one.corrected_by else said.next_step
    return (
        f"landing call {said.ledger_call} brought {said.files[0]}{more}: {words.plural(said.rows, 'row')} of"
        f" {said.table}{days} changed, {words.plural(said.customers, 'customer')}{money}; {todo}"
    )


def days_in_words(erratum: Erratum) -> str:
    """The days affected: `2017-11-01`, or the first and the last of several and how many they are."""
    days = erratum.days
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]} ({len(days):,} days)" if days else "no day"


def derive(
    settings: Settings, release: Release, ledger: Sequence[LedgerRow], skip: Iterable[int] = ()
) -> list[Erratum]:
    """What the landing calls after the release changed in what it should have known."""
    since = last_call(release, ledger)
    if since is None:
        return []
    since = max(since, _confirmed(settings, release.id))
    known = [row for row in ledger if row.load_date <= release.known_at]
    late = sorted({row.call_number for row in known if row.call_number > since} - set(skip))
    if not late:
        return []
    contracts = load_contracts(settings)
    found = []
    for call in late:
        arrived = [row for row in known if row.call_number == call]
        for source, table in sorted({(row.source_name, row.table_name) for row in arrived}):
            of_table = [row for row in known if (row.source_name, row.table_name) == (source, table)]
            before, after = (_in_force(settings, up_to(of_table, number), release) for number in (call - 1, call))
            change = _change(settings, contracts[table], before, after, release)
            if change["rows"]:
                drops = [row for row in arrived if (row.source_name, row.table_name) == (source, table)]
                found.append(_erratum(release, call, source, table, drops, change))
    return found


def _erratum(
    release: Release, call: int, source: str, table: str, drops: Sequence[LedgerRow], change: dict[str, Any]
) -> Erratum:
    days = f"--as-of {release.as_of}" + ("" if release.known_at == release.as_of else f" --known-at {release.known_at}")
    return Erratum(
        ledger_call=call,
        source=source,
        table=table,
        files=tuple(sorted({row.file_name for row in drops})),
        load_days=tuple(sorted({str(row.load_date) for row in drops})),
        days=tuple(map(str, change["days"])),
        rows=change["rows"],
        customers=change["customers"],
        net_amount=None if change["net_amount"] is None else str(change["net_amount"]),
        next_step=f"run 'huaxiang run {days}' to publish the day as it is known now",
    )


_Files = list[tuple[int, Path]]  # rank and place of the landed files in force


def _in_force(settings: Settings, ledger: Sequence[LedgerRow], release: Release) -> _Files:
    """The landed files of one source's table that are in force, the one that wins last."""
    places: dict[str, set[Path]] = {}
    for row in ledger:
        if row.outcome == ACCEPTED and row.records:
            places.setdefault(row.file_id, set()).add(landed_path(settings.home, row))
    ranked = [(one.file_rank, one.file_id) for one in known_files(ledger, release.known_at) if one.file_rank]
    return [(rank, path) for rank, file_id in sorted(ranked) for path in sorted(places[file_id])]


def _change(settings: Settings, contract: Contract, before: _Files, after: _Files, release: Release) -> dict[str, Any]:
    """How the versions of the keys differ that the files that came, went or moved hold."""
    old, new = [path for _, path in before], [path for _, path in after]
    common = set(old) & set(new)
    is_moved = [path for path in old if path in common] != [path for path in new if path in common]
    touched = set(old) | set(new) if is_moved else set(old) ^ set(new)
    if not touched:
        return {"rows": 0}
    import duckdb

    empty = [(0, empty_table(settings.home, contract.name))]  # it has all columns; an old file may lack newer ones
    keys = ", ".join(contract.key)
    columns = ", ".join(contract.column_names)
    day = _day(settings, contract.name)
    on = " and ".join(f"old.{key} = new.{key}" for key in contract.key)
    is_different = " or ".join(f"old.{name} is distinct from new.{name}" for name in contract.column_names)
    customer = "customer_id" if "customer_id" in contract.column_names else None
    money = "net_amount" if contract.name == "order_lines" else None
    last = f"date '{release.as_of}'"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows_of_touched = _rows([*empty, *((0, path) for path in touched)])
        connection.execute(f"create temp table touched as select distinct {keys} from {rows_of_touched}")
        for name, files in (("old", [*empty, *before]), ("new", [*empty, *after])):
            # A record of a day after the release is no part of what it should have known.
            connection.execute(
                f"create temp table {name} as select {columns}, {day} as happened_on from {_rows(files)}"
                f" semi join touched using ({keys})"
                f" qualify row_number() over (partition by {keys} order by file_rank desc, record_number desc) = 1"
            )
            connection.execute(f"delete from {name} where happened_on > {last}")
        people = f"len(list_distinct(list(old.{customer}) || list(new.{customer})))" if customer else "0"
        days_of = "list_sort(list_distinct(list(old.happened_on) || list(new.happened_on)))"
        amount = f"coalesce(sum(new.{money}), 0) - coalesce(sum(old.{money}), 0)" if money else "null"
        rows, customers, days, net = connection.execute(
            f"select count(*), {people}, {days_of}, {amount} from old full join new on {on} where {is_different}"
        ).fetchall()[0]
    return {"rows": rows, "customers": customers, "days": days or [], "net_amount": _money(net)}


def _rows(files: _Files) -> str:
    """The rows of landed files, each with its file's rank."""
    ranks = ", ".join(f"({rank}, {literal(str(path))})" for rank, path in files)
    paths = ", ".join(literal(str(path)) for _, path in files)
    return (
        f"(select rows.*, ranks.file_rank from read_parquet([{paths}], filename = 'place', union_by_name = true,"
        f" hive_partitioning = false) as rows inner join (values {ranks}) as ranks (file_rank, place) using (place))"
    )


def _day(settings: Settings, table: str) -> str:
    """The local day on which what the row tells of happened, as SQL."""
    column = _HAPPENED.get(table)
    if column is None:
        return "cast(null as date)"
    if column.endswith("_on"):
        return column
    return f"cast(timezone({literal(settings.time_zone)}, timezone('UTC', {column})) as date)"


def _money(amount: Any) -> Decimal | None:
    return None if amount is None else Decimal(amount)


def _corrected_by(settings: Settings, release: Release, erratum: Erratum, kept: Sequence[Release]) -> str | None:
    """The newest release of the same day, known at the same day, that knew the call."""
    same = [
        one
        for one in kept
        if (one.as_of, one.known_at) == (release.as_of, release.known_at)
        and max(one.manifest["inputs"].get("ledger_call", 0), _confirmed(settings, one.id)) >= erratum.ledger_call
    ]
    return same[-1].id if same else None


def _confirmed(settings: Settings, release_id: str) -> int:
    """The last landing call that is known to change nothing of the release since it was sealed; 0 where none is."""
    try:
        return int(json.loads(_confirmed_path(settings, release_id).read_text(encoding="utf-8"))["ledger_call"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):  # a damaged note confirms nothing
        return 0


def _confirmed_path(settings: Settings, release_id: str) -> Path:
    return settings.home.errata / f"{release_id}.confirmed.json"


def _path(settings: Settings, release_id: str) -> Path:
    return settings.home.errata / f"{release_id}.json"
