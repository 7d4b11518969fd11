"""A home that only lands: small sources, each with a mapping of its own, and what became of each of their files."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from huaxiang.landing import land
from huaxiang.landing.ledger import ACCEPTED, QUARANTINED, read_ledger
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.tables import Home

DAY = date(2024, 1, 1)

_COLUMNS = """\
      order_line_id: line
      order_id: line
      customer_id: who
      product_id: note
      ordered_at: bought_at
      quantity: pieces
      net_amount: paid
"""
_REVIEWS = """\
      review_id: line
      customer_id: who
      product_id: note
      reviewed_at: bought_at
      rating: paid
"""


@dataclass(frozen=True)
class Kind:
    """How the files of one source are written: the end of their name, their format, further keys of the mapping."""

    name: str
    ending: str = "csv"
    format: str = "csv"
    keys: str = ""
    table: str = "order_lines"

    @property
    def mapping(self) -> str:
        columns = _COLUMNS if self.table == "order_lines" else _REVIEWS
        return (
            f"{self.keys}\ntables:\n  {self.table}:\n    file: drop_{{load_date}}_*.{self.ending}\n"
            f"    format: {self.format}\n    columns:\n{columns}"
        )

    def file_name(self, name: str) -> str:
        return f"drop_{DAY}_{name}.{self.ending}"


@dataclass
class Fate:
    """What became of one file: `rows` are the accepted ones by record number."""

    records_in: int = 0
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    rows: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def unaccounted(self) -> int:
        """Records that are neither accepted nor refused, or of which nothing can be read back."""
        gone = self.records_in - self.accepted - self.refused.total()
        return abs(gone) + abs(self.accepted - len(self.rows))


class LandingHome:
    """Drop files, land them once, ask."""

    def __init__(self, folder: Path, kinds: list[Kind]) -> None:
        self.settings: Settings = replace(
            load_settings(),
            config=folder / "huaxiang.yml",
            home=Home(folder / "home"),
            inbox=folder / "inbox",
            sources=tuple(kind.name for kind in kinds),
            time_zone="UTC",
        )
        self.settings.sources_dir.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            (self.settings.sources_dir / f"{kind.name}.yml").write_text(kind.mapping, encoding="utf-8")
            (self.settings.inbox / kind.name).mkdir(parents=True, exist_ok=True)

    def drop(self, kind: Kind, name: str, content: bytes) -> None:
        (self.settings.inbox / kind.name / kind.file_name(name)).write_bytes(content)

    def lands(self, day: date = DAY) -> dict[tuple[str, str], Fate]:
        """Land and tell the fate of every file: by source and name in its inbox folder."""
        land(self.settings, Run(day, day))
        fates: dict[tuple[str, str], Fate] = defaultdict(Fate)
        names = {}
        for row in read_ledger(self.settings):
            if row.outcome not in (ACCEPTED, QUARANTINED):
                continue
            source, _, name = row.file_name.partition("/")
            fate = fates[source, name]
            fate.records_in = row.records_in
            names[source, row.file_id] = fate
            if row.outcome == ACCEPTED:
                fate.accepted += row.records
            else:
                fate.refused[row.reason] += row.records
        for source, file_id, number, *values in self._rows():
            names[source, file_id].rows[number] = tuple(values)
        return fates

    def _rows(self) -> list[tuple[Any, ...]]:
        import duckdb

        found: list[tuple[Any, ...]] = []
        wanted = {
            "order_lines": "order_line_id, customer_id, product_id, ordered_at, quantity, net_amount",
            "reviews": "review_id, customer_id, product_id, reviewed_at, null, rating",
        }
        with duckdb.connect() as connection:
            for table, columns in wanted.items():
                files = sorted(map(str, self.settings.home.landing.glob(f"*/{table}/*/*.parquet")))
                found += connection.execute(
                    f"select source_name, file_id, record_number, {columns}"
                    " from read_parquet(?, hive_partitioning = false)",
                    [files],
                ).fetchall()
        return found
