"""Take drops of one table, whatever their format; and take a landed drop again from its raw bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from huaxiang.contracts import Contract, load_contracts
from huaxiang.errors import MissingPartition
from huaxiang.landing.drops import Drop
from huaxiang.landing.files import SCRATCH, kept_raw
from huaxiang.landing.ledger import LedgerRow
from huaxiang.landing.money import with_money
from huaxiang.landing.outcome import Outcome, check_conservation
from huaxiang.landing.parquet import land_parquet
from huaxiang.landing.text import land_text
from huaxiang.settings import Settings
from huaxiang.sources import load_sources
from huaxiang.tables import Home


def take(home: Home, contract: Contract, drops: Sequence[Drop]) -> Iterator[Outcome]:
    """Land the drops of one table and source, giving each one's outcome when it is written."""
    land = land_parquet if drops[0].mapping.format == "parquet" else land_text
    yield from land(home, contract, list(drops))


def take_again(settings: Settings, home: Home, arrival: LedgerRow, repair_number: int) -> Outcome:
    """Land the whole drop of a ledger row once more in `home`, under today's mapping and the number of a repair.

    Raises MissingPartition when it is not mapped any more, HuaxiangError for damaged raw bytes, BrokenConservation when
    records or money do not add up.
    """
    contract, drop = drop_of(settings, arrival)
    kept_raw(settings.home, drop.sha256)
    (outcome,) = with_money(home, list(take(home, contract, [replace(drop, repair_number=repair_number)])))
    check_conservation(outcome)
    return outcome


@contextmanager
def scratch_home(settings: Settings) -> Iterator[Home]:
    """A home beside the data, on the same disk, that goes away with the body."""
    with TemporaryDirectory(prefix=SCRATCH, dir=settings.home.root) as folder:
        yield Home(Path(folder))


def drop_of(settings: Settings, row: LedgerRow) -> tuple[Contract, Drop]:
    """The contract and the drop under today's mapping. Raises MissingPartition when the source no longer maps it."""
    contracts = load_contracts(settings)
    source = load_sources(settings, contracts).get(row.source_name)
    if source is None or row.table_name not in source.tables:
        raise MissingPartition(
            f"{settings.sources_dir / row.source_name}.yml: {row.table_name} is not mapped any more, so"
            f" {row.file_name} cannot be taken again; map it, or leave its records as they are"
        )
    raw, mapping = settings.home.raw / row.sha256, source.tables[row.table_name]
    return contracts[row.table_name], Drop(
        row.source_name, mapping, raw, row.file_name, row.load_date, sha256=row.sha256
    )
