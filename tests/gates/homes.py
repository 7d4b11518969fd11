"""Small homes for the gates: landed files, quarantine and ledger as landing writes them, from a few rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from huaxiang.settings import PROJECT
from huaxiang.tables import Home

LINES = """
    order_line_id varchar, order_id varchar, customer_id varchar, product_id varchar, store_id varchar,
    ordered_at timestamp, quantity decimal(18, 3), gross_amount decimal(18, 2), discount_amount decimal(18, 2),
    coupon_amount decimal(18, 2), net_amount decimal(18, 2)
"""
_ENGINE = duckdb.connect()  # one for all files: opening it costs more than writing a few rows

COLUMNS = {
    "order_lines": LINES,
    "products": "product_id varchar, department varchar, category varchar",
    "events": "event_id varchar, customer_id varchar, occurred_at timestamp, event_type varchar, product_id varchar, "
    "session_id varchar, page varchar",
}
LEDGER = (
    "call_number bigint, source_name varchar, table_name varchar, file_id varchar, sha256 varchar, file_name varchar, "
    "load_date date, known_at date, bytes bigint, records_in bigint, outcome varchar, reason varchar, records bigint, "
    "net_amount decimal(18, 2)"
)
QUARANTINE = """
    source_name varchar, table_name varchar, file_id varchar, file_name varchar, record_number bigint,
    line_number bigint, reason varchar, detail varchar, raw_text varchar
"""


def line(
    number: int, customer: str, at: str, net: str = "1.00", product: str | None = "p1", store: str | None = "s1"
) -> tuple:
    """One order line; `at` is UTC."""
    return (f"l{number}", f"o{number}", customer, product, store, at, 1, net, 0, 0, net)


@dataclass
class LandedHome:
    """Writes landed files call by call; `call` ends a call by writing its ledger file."""

    home: Home
    _entries: list[tuple] = field(default_factory=list)
    _calls: int = 0

    def drop(self, table: str, day: str, rows: list[tuple], refused: list[str] = (), source: str = "shop") -> Path:
        """One file of one day: accepted rows and refused raw texts. Returns the landed Parquet file."""
        file_id = hashlib.sha256(f"{source}{table}{day}{self._calls}".encode()).hexdigest()[:16]
        name = f"{source}/{table}_{day}.csv"
        landed = self.home.landing / source / table / f"load_date={day}" / f"{file_id}.parquet"
        write(
            landed,
            COLUMNS[table] + ", source_name varchar, file_id varchar, record_number bigint, load_date date",
            [(*row, source, file_id, number, day) for number, row in enumerate(rows, start=1)],
        )
        if refused:
            write(
                self.home.quarantine / source / table / f"load_date={day}" / f"{file_id}.parquet",
                QUARANTINE,
                [
                    (
                        source,
                        table,
                        file_id,
                        name,
                        len(rows) + number,
                        len(rows) + number + 1,
                        "TYPE",
                        "ordered_at: not a time",
                        text,
                    )
                    for number, text in enumerate(refused, start=1)
                ],
            )
        money = sum(float(row[-1]) for row in rows) if table == "order_lines" else None
        file = (source, table, file_id, file_id * 4, name, day, day, 1000, len(rows) + len(refused))
        self._entries.append((*file, "accepted", None, len(rows), money))
        if refused:
            self._entries.append((*file, "quarantined", "TYPE", len(refused), None))
        return landed

    def call(self) -> None:
        """End a landing call: its ledger file is written last."""
        self._calls += 1
        write(
            self.home.ledger / f"{self._calls:06}.parquet", LEDGER, [(self._calls, *entry) for entry in self._entries]
        )
        self._entries = []


def write(path: Path, columns: str, rows: list[tuple]) -> None:
    """Rows as a typed Parquet file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _ENGINE.execute(f"create or replace table rows ({columns})")
    if rows:
        _ENGINE.executemany(f"insert into rows values ({', '.join('?' * len(rows[0]))})", rows)
    _ENGINE.execute(f"copy rows to '{path}' (format parquet)")


def change(path: Path, query: str) -> None:
    """Rewrite a Parquet file by a query over `rows`, as damage or a careless hand would."""
    _ENGINE.execute(f"create or replace table rows as select * from read_parquet('{path}', hive_partitioning = false)")
    _ENGINE.execute(f"copy ({query}) to '{path}' (format parquet)")


def days_before(day: str, count: int) -> list[str]:
    """The `count` days that end with `day`, the earliest first."""
    last = date.fromisoformat(day)
    return [str(last - timedelta(days=back)) for back in reversed(range(count))]


PROFILES = """
    customer_id varchar, as_of date, first_order_on date, last_order_on date, recency_days bigint, tenure_days bigint,
    order_count bigint, net_spend decimal(18, 2), line_count bigint, discount_share double,
    preferred_hour_share double, recency_quintile bigint, top_category varchar, segment_id bigint, segment_name varchar,
    churn_probability_28d double, any_product_id varchar
"""
TAGS = (
    "customer_id varchar, as_of date, tag varchar, value varchar, confidence double, evidence varchar, source varchar"
)
LEVELS = (
    "level varchar, group_id varchar, as_of date, customers bigint, orders bigint, order_lines bigint, "
    "net_spend decimal(18, 2)"
)
ATTRIBUTES = (
    "customer_id varchar, attribute varchar, declared_value varchar, inferred_value varchar, confidence double, "
    "status varchar"
)
NEW_CATEGORIES = "customer_id varchar, rank bigint, category varchar, because_count bigint, both_count bigint"
VECTORS = "customer_id varchar, dimension bigint, value double, model_fingerprint varchar"
SEGMENTS = "segment_id bigint, segment_name varchar, customer_count bigint, customer_share double"


def profile(customer: str, as_of: str, net: str, lines: int, segment: int | None = 1) -> tuple:
    """A portrait of a customer who ordered once, on the day itself."""
    return (
        customer,
        as_of,
        as_of,
        as_of,
        0,
        0,
        1,
        net,
        lines,
        0.1,
        1.0,
        3,
        "bread",
        segment,
        f"segment {segment}",
        0.2,
        "p1",
    )


def portraits(folder: Path, profiles: list[tuple], is_released: bool = False) -> None:
    """The tables of a build, or of a release, from its portraits: each customer with one tag."""
    as_of = profiles[0][1]
    write(folder / "profiles" / "customer_profiles.parquet", PROFILES, profiles)
    tags = [(row[0], as_of, "newcomer", "yes", 1.0, "first order this day", "fact") for row in profiles]
    write(folder / "profiles" / "customer_tags.parquet", TAGS, tags)
    said = [(row[0], "age_band", None, "65+", 0.8, "inferred") for row in profiles]
    write(folder / "attributes" / "customer_attributes.parquet", ATTRIBUTES, said)
    new = [(row[0], rank, category, 9, 8) for row in profiles for rank, category in ((1, "tea"), (2, "salt"))]
    write(folder / "categories" / "customer_new_categories.parquet", NEW_CATEGORIES, new)
    bought = [(row[0], "bread") for row in profiles]
    write(folder / ".inputs" / "purchases.parquet", "customer_id varchar, category varchar", bought)
    places = [(row[0], dimension, 0.5, "f1") for row in profiles for dimension in (1, 2)]
    write(folder / "vectors" / "customer_vectors.parquet", VECTORS, places)
    sizes = [(1, "segment 1", len(profiles), 1.0)]
    write(folder / "segments" / "segments.parquet", SEGMENTS, sizes)
    spend, lines = sum(Decimal(row[7]) for row in profiles), sum(row[8] for row in profiles)
    everybody = (as_of, len(profiles), len(profiles), lines, spend)
    levels = [(level, group, *everybody) for level, group in (("population", "all"), ("segment", "1"))]
    write(folder / "profiles" / "portrait_levels.parquet", LEVELS, levels)
    if is_released:
        manifest = {"as_of": as_of, "known_at": as_of, "fence": 1, "inputs": {}, "tables": {}}
        (folder / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")


def documented(names: Iterable[str]) -> set[str]:
    """Those of the check names that the manual explains, by name or as `<column>_...`."""
    manual = (PROJECT / "docs" / "how-to" / "read-a-quality-report.md").read_text(encoding="utf-8")
    patterns = [re.sub(r"<\w+>", r"\\w+", name) for name in re.findall(r"`([a-z_<>]+)`", manual)]
    return {name for name in names if any(re.fullmatch(pattern, name) for pattern in patterns)}
