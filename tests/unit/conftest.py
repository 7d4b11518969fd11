"""A small home of its own for tests of landing: one source, whose mapping and drops a test writes as text."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from huaxiang.contracts import load_contracts
from huaxiang.landing import land
from huaxiang.landing.ledger import LedgerRow, read_ledger
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.sources import TableMapping, load_sources
from huaxiang.tables import Home

MAPPING = """
tables:
  order_lines:
    file: sales_{load_date}.csv
    format: csv
    columns:
      order_line_id: line
      order_id: line
      customer_id: who
      ordered_at: bought_at
      quantity: pieces
      net_amount: paid
"""


@dataclass(frozen=True)
class Shop:
    """A home with the source `shop`."""

    settings: Settings

    def maps(self, text: str) -> None:
        """Write the source's mapping."""
        path = self.settings.sources_dir / "shop.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def mapping(self, table: str = "order_lines") -> TableMapping:
        return load_sources(self.settings, load_contracts(self.settings))["shop"].tables[table]

    def drops(self, name: str, content: bytes | str) -> Path:
        """Put a drop into the source's inbox folder."""
        path = self.settings.inbox / "shop" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def lands(self, day: str = "2024-01-01") -> None:
        as_of = date.fromisoformat(day)
        land(self.settings, Run(as_of, as_of))

    def rows(self, columns: str = "*", table: str = "order_lines") -> list[Any]:
        """Landed rows in record order; a single column comes as plain values."""
        return self._query("landing", columns, table)

    def refused(self, columns: str = "line_number, reason", table: str = "order_lines") -> list[Any]:
        """Quarantined records in record order."""
        return self._query("quarantine", columns, table)

    def ledger(self) -> list[LedgerRow]:
        return read_ledger(self.settings)

    def files(self) -> dict[str, bytes]:
        """Every file of the home that landing wrote, but the build's step log."""
        root = self.settings.home.root
        folders = [root / name for name in ("raw", "landing", "quarantine", "ledger")]
        return {
            str(path.relative_to(root)): path.read_bytes()
            for one in folders
            for path in one.rglob("*")
            if path.is_file()
        }

    def _query(self, folder: str, columns: str, table: str) -> list[Any]:
        import duckdb

        files = sorted(map(str, (self.settings.home.root / folder).glob(f"*/{table}/*/*.parquet")))
        if not files:
            return []
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            found = connection.execute(
                f"select {columns} from read_parquet(?, hive_partitioning = false) order by file_id, record_number",
                [files],
            ).fetchall()
        return [row[0] for row in found] if found and len(found[0]) == 1 else found


@pytest.fixture
def shop(tmp_path) -> Shop:
    """A home in UTC with the source `shop` and the mapping above."""
    home = tmp_path / "home"
    settings = replace(
        load_settings(),
        config=tmp_path / "huaxiang.yml",
        home=Home(home),
        inbox=home / "inbox",
        sources=("shop",),
        time_zone="UTC",
    )
    shop = Shop(settings)
    shop.maps(MAPPING)
    return shop
