"""Play the source systems of a data set into the inbox, as the daily drops a company would receive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb

from huaxiang.errors import BadConfiguration
from huaxiang.lease import hold_file
from huaxiang.progress import tell
from huaxiang.settings import Settings
from huaxiang.simulate import complete_journey, eshop_clothing_2008, febrl, movielens_100k
from huaxiang.simulate.drops import Drop, Sample, remove_parts, write_drops

Player = Callable[[duckdb.DuckDBPyConnection, Path, date, Sample], list[Drop]]

# A simulated data set is a module that lists its drops; its name is the name of its source.
PLAYERS: dict[str, Player] = {
    "complete_journey": complete_journey.drops,
    "eshop_clothing_2008": eshop_clothing_2008.drops,
    "movielens_100k": movielens_100k.drops,
    **{f"febrl_{system}": febrl.player(system) for system in febrl.SYSTEMS},
}


def simulate(
    settings: Settings,
    source: str,
    through: date,
    since: date | None = None,
    customers: int | None = None,
    faults: bool = False,
) -> int:
    """Write the drops of `source` with load days <= `through` into `<inbox>/<source>/`; return how many were written.

    A drop that is already there is left as it is, so playing on from day to day, or twice, is safe. Equal arguments
    give equal bytes. For a small home, `since` leaves out what happened before that day and `customers` keeps only
    that many customers (those with the smallest ids); see the data set's module for what that means table by table.
    With `faults`, rows come late, again and in parts; seven days later all has come.

    Raises BadConfiguration when nothing plays `source`, its data set is not installed, `through` lies before its
    first day, or the sample is empty by its own definition.
    """
    if source not in PLAYERS:
        raise BadConfiguration(f"source '{source}': nothing simulates it; what can be simulated: {', '.join(PLAYERS)}")
    if customers is not None and customers < 1:
        raise BadConfiguration(f"customers {customers}: a sample needs at least 1 customer")
    if since is not None and since > through:
        raise BadConfiguration(f"since {since}: lies after through {through}; choose an earlier day")
    begun = time.perf_counter()
    folder = settings.inbox / source
    with _memory() as connection:
        listed = PLAYERS[source](connection, folder, through, Sample(since, customers, faults))
        # Two at once would write into one another's files.
        with hold_file(settings.home.root / "simulate.lock", f"simulate --source {source}"):
            remove_parts(folder)
            missing = [drop for drop in listed if not drop.path.exists()]
            write_drops(connection, missing, _progress)
    seconds = time.perf_counter() - begun
    tell(
        f"{'simulate':<10} {seconds:6.1f} s  {source} through {through}: "
        f"drops written {len(missing):,}, already there {len(listed) - len(missing):,}, in {folder}"
    )
    return len(missing)


@contextmanager
def _memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """A private in-memory database that fetches nothing and leaves no file behind."""
    connection = duckdb.connect(
        config={"autoinstall_known_extensions": "false", "memory_limit": "1GB", "temp_directory": ""}
    )
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


def _progress(text: str) -> None:
    tell(f"{'simulate':<10} {text}")
