"""F13, F14: twenty days with late, repeated and split rows come in any order; the features are those of a rebuild.

Each permutation hands the drops over in a random order and in two landing calls, with features built after each, in one
process. The end must equal a home that got everything at once, and only days that got rows may have been recomputed.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from faults.kinds import Options
from faults.quiet import quiet
from faults.trial import Trial
from huaxiang import landing, warehouse
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.simulate import simulate
from huaxiang.tables import Home
from huaxiang.warehouse import state

FIRST, LAST, ALL_HAS_COME = date(2017, 6, 1), date(2017, 6, 20), date(2017, 6, 27)
CUSTOMERS = 200
RUN = Run(as_of=LAST, known_at=ALL_HAS_COME)
_TABLES = ("features/customer_features", "features/customer_interests")


def permutations(options: Options) -> Iterator[Trial]:
    """`options.permutations` random orders of arrival, each held against a rebuild from everything at once."""
    with quiet():
        pool = _pool(options.folder)
        at_once = _settings(options.folder / "at-once")
        wanted = _rebuilt(at_once, pool)
    for number in range(options.permutations):
        chance = random.Random(f"{options.seed} {number}")  # noqa: S311 (a reproducible order, not a secret)
        settings = _settings(options.folder / f"permutation-{number}")
        # What dbt parsed once need not be parsed for every home.
        shutil.copytree(at_once.home.dbt_target, settings.home.dbt_target)
        with quiet():
            trial = _permuted(settings, pool, wanted, number, chance)
        yield trial
        shutil.rmtree(settings.home.root)


def _pool(folder: Path) -> list[Path]:
    """The drops, faults planted, by name; promotions are left out, since no feature reads them."""
    settings = _settings(folder / "pool")
    simulate(settings, "complete_journey", ALL_HAS_COME, since=FIRST, customers=CUSTOMERS, faults=True)
    shutil.rmtree(settings.inbox / "complete_journey" / "promotions")
    return sorted(path for path in settings.inbox.rglob("*") if path.is_file())


def _rebuilt(settings: Settings, pool: list[Path]) -> dict[str, str]:
    _hand_over(settings, pool)
    _build(settings)
    return _hashes(settings)


def _permuted(
    settings: Settings, pool: list[Path], wanted: dict[str, str], number: int, chance: random.Random
) -> Trial:
    # A home needs a first drop of sales to build anything; all others come in any order.
    order = chance.sample(pool, len(pool))
    order.sort(key=lambda path: path.parent.name == "pos" and path.name == f"sales_{FIRST}.csv", reverse=True)
    borders = [0, chance.randrange(len(order) * 3 // 4, len(order)), len(order)]
    is_same, recomputed = True, 0
    before: dict[date, str] = {}
    for start, end in pairwise(borders):
        _hand_over(settings, order[start:end])
        _build(settings)
        with state.reading(settings) as connection:
            after = dict(connection.execute("select ordered_on, day_fingerprint from features.order_days").fetchall())
        changed = {day for day, mark in after.items() if before.get(day) != mark}
        touched = _days_of(settings, [path.name for path in order[start:end]])
        # A new product list changes what a day's lines mean; then every day may be recomputed.
        is_same &= changed <= touched or any(path.parent.name == "catalogue" for path in order[start:end])
        recomputed += len(changed)
        before = after
    is_same &= _hashes(settings) == wanted
    return Trial(f"F14 arrival order {number + 1}", f"2 calls, {len(order)} drops, {recomputed} days computed", is_same)


def _days_of(settings: Settings, names: list[str]) -> set[date]:
    """The local days of the order lines in drops of these names."""
    ids = {
        row.file_id
        for row in landing.ledger.read_ledger(settings)
        if row.table_name == "order_lines" and Path(row.file_name).name in names
    }
    pattern = settings.home.landing / "*" / "order_lines" / "load_date=*" / "*.parquet"
    with duckdb.connect() as connection:
        found = connection.execute(
            "select distinct cast(timezone(?, timezone('UTC', ordered_at)) as date)"
            f" from read_parquet('{pattern}', hive_partitioning = false) where list_contains(?, file_id)",
            [settings.time_zone, sorted(ids)],
        ).fetchall()
    return {day for (day,) in found}


def _hand_over(settings: Settings, drops: list[Path]) -> None:
    for path in drops:
        target = settings.inbox / path.relative_to(path.parents[2])
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)


def _build(settings: Settings) -> None:
    landing.land(settings, RUN)
    warehouse.staging(settings, RUN)
    warehouse.features(settings, RUN)


def _hashes(settings: Settings) -> dict[str, str]:
    build = settings.home.build(RUN.id)
    return {table: content_hash(build / f"{table}.parquet") for table in _TABLES}


def _settings(root: Path) -> Settings:
    changes: dict[str, Any] = {"home": Home(root), "inbox": root / "inbox", "models": ()}
    return replace(load_settings(), **changes)
