"""A small landed home: files and ledger as landing writes them, from a few rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from huaxiang.contracts import load_contracts
from huaxiang.landing.files import write_empty_tables
from huaxiang.landing.ledger import ACCEPTED, LedgerRow, next_call_number, write_call
from huaxiang.settings import Run, Settings

DAY = date(2026, 1, 31)
NEXT = date(2026, 2, 1)


@dataclass
class SmallHome:
    """Lands rows given as dicts; a column that is not given is null."""

    settings: Settings
    contracts: dict = field(init=False)

    def __post_init__(self) -> None:
        self.contracts = load_contracts(self.settings)
        write_empty_tables(self.settings, self.contracts)

    def land(self, table: str, load_date: date, rows: list[dict[str, Any]], source: str = "shop") -> Path:
        """One drop of one table, committed in the ledger."""
        number = next_call_number(self.settings)
        file_id = hashlib.sha256(f"{source}{table}{number}".encode()).hexdigest()[:16]
        path = self.settings.home.landing / source / table / f"load_date={load_date}" / f"{file_id}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        contract = self.contracts[table]
        own = "source_name varchar, file_id varchar, record_number bigint, load_date date"
        with duckdb.connect() as connection:
            connection.execute(
                f"create table landed ({', '.join(f'{one.name} {one.type}' for one in contract.columns)}, {own})"
            )
            for record, row in enumerate(rows, start=1):
                assert set(row) <= set(contract.column_names), row
                values = [*(row.get(name) for name in contract.column_names), source, file_id, record, load_date]
                connection.execute(f"insert into landed values ({', '.join('?' * len(values))})", values)
            connection.execute(f"copy landed to '{path}' (format parquet)")
        entry = LedgerRow(
            call_number=number,
            source_name=source,
            table_name=table,
            file_id=file_id,
            sha256=file_id * 4,
            file_name=f"{source}/{table}_{load_date}.csv",
            load_date=load_date,
            known_at=load_date,
            bytes=1,
            records_in=len(rows),
            outcome=ACCEPTED,
            reason="",
            records=len(rows),
            net_amount=sum((Decimal(str(row["net_amount"])) for row in rows), Decimal(0))
            if table == "order_lines"
            else None,
        )
        write_call(self.settings, number, [entry])
        return path

    def table(self, run: Run, name: str) -> list[tuple]:
        """The rows of an exported table, such as 'features/customer_features'."""
        path = self.settings.home.build(run.id) / f"{name}.parquet"
        with duckdb.connect() as connection:
            return connection.execute(f"select * from read_parquet('{path}', hive_partitioning = false)").fetchall()

    def columns(self, run: Run, name: str) -> list[str]:
        path = self.settings.home.build(run.id) / f"{name}.parquet"
        with duckdb.connect() as connection:
            described = connection.execute(
                f"describe from read_parquet('{path}', hive_partitioning = false)"
            ).fetchall()
        return [row[0] for row in described]

    def one(self, run: Run, customer_id: str, *columns: str) -> tuple:
        """Some columns of one customer's portrait."""
        path = self.settings.home.build(run.id) / "profiles/customer_profiles.parquet"
        with duckdb.connect() as connection:
            query = f"select {', '.join(columns)} from read_parquet('{path}') where customer_id = ?"
            return connection.execute(query, [customer_id]).fetchall()[0]


def line(
    number: int, customer: str, at: str, net: str, product: str = "p1", quantity: int = 1, discount: str = "0"
) -> dict:
    """One order line, an order of its own; `at` is UTC."""
    return {
        "order_line_id": f"l{number}",
        "order_id": f"o{number}",
        "customer_id": customer,
        "product_id": product,
        "store_id": "s1",
        "ordered_at": at,
        "quantity": quantity,
        "gross_amount": str(Decimal(net) + Decimal(discount)),
        "discount_amount": discount,
        "coupon_amount": "0",
        "net_amount": net,
    }


def small_shop(settings: Settings) -> SmallHome:
    """Two customers up to DAY; dropped on NEXT: a day of sales, a return, a correction and a product moved."""
    shop = SmallHome(replace(settings, sources=("shop",), time_zone="America/New_York", models=()))
    shop.land(
        "products",
        date(2026, 1, 1),
        [
            {"product_id": "p1", "category": "tea", "is_private_label": True},
            {"product_id": "p2", "category": "milk", "is_private_label": False},
        ],
    )
    shop.land("customers", date(2026, 1, 1), [{"customer_id": "anna", "age_band": "25-34"}])
    shop.land("stores", date(2026, 1, 1), [{"store_id": "s1"}])
    shop.land("campaigns", date(2026, 1, 2), [{"campaign_id": "k", "started_on": "2026-01-02"}])
    shop.land("sends", date(2026, 1, 2), [{"campaign_id": "k", "customer_id": "anna", "sent_on": "2026-01-02"}])
    shop.land(
        "responses",
        date(2026, 1, 3),
        [{"response_id": "r", "customer_id": "anna", "campaign_id": "k", "responded_on": "2026-01-03"}],
    )
    shop.land(
        "order_lines",
        date(2026, 1, 2),
        [line(1, "anna", "2026-01-01 15:00:00", "10.00"), line(2, "ben", "2026-01-01 16:00:00", "4.00", "p2")],
    )
    # 02:00 UTC on 1 February is still 31 January in New York
    shop.land("order_lines", DAY, [line(3, "anna", "2026-02-01 02:00:00", "6.00", "p2", discount="2.00")])
    shop.land(
        "order_lines",
        NEXT,
        [
            line(4, "ben", "2026-02-01 18:00:00", "5.00"),
            line(5, "anna", "2026-02-01 18:30:00", "-6.00", "p2", quantity=-1, discount="-2.00"),
            line(1, "anna", "2026-01-01 15:00:00", "1.00"),
        ],
    )
    shop.land("products", NEXT, [{"product_id": "p2", "category": "dairy", "is_private_label": False}])
    return shop
