"""The statement of an audience gives the same customers on Spark as on DuckDB."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from random import Random

import duckdb
import pytest

from huaxiang.audiences.language import Audience
from huaxiang.audiences.read import load_askable, load_audiences
from huaxiang.audiences.sql import statement
from huaxiang.settings import load_settings
from tests.audience_language import Dice
from tests.dbt.audience_world import read_world

pytestmark = pytest.mark.spark

DAY = date(2026, 1, 31)
_LINE = (
    "order_id varchar, product_id varchar, store_id varchar, ordered_on date, ordered_at timestamp,"
    " quantity decimal(18,3)"
)
_MONEY = ", ".join(f"{one}_amount decimal(18,2)" for one in ("gross", "discount", "coupon", "net"))
_COLUMNS = {
    "staging.stg_order_lines": f"customer_id varchar, {_LINE}, {_MONEY}, is_return boolean",
    "staging.stg_orders": "customer_id varchar, order_id varchar, store_id varchar, ordered_on date,"
    " ordered_hour bigint",
    "staging.stg_sends": "customer_id varchar, campaign_id varchar, sent_on date, channel varchar",
    "staging.stg_responses": "customer_id varchar, campaign_id varchar, responded_on date, coupon_id varchar",
    "staging.stg_events": "customer_id varchar, occurred_on date, event_type varchar, product_id varchar,"
    " session_id varchar, page varchar",
    "staging.stg_campaigns": "campaign_id varchar, campaign_type varchar",
    "staging.stg_products": "product_id varchar, department varchar, category varchar, product_type varchar,"
    " is_private_label boolean, manufacturer_id varchar",
    "profiles.customer_tags": "customer_id varchar, tag varchar, value varchar, confidence double",
}
_DROP = ", source_name varchar, file_id varchar, record_number bigint"


def small_warehouse(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, Path]:
    """Twelve customers' rows of three months, drawn once; the tables as Parquet."""
    random, askable = Random(7), load_askable(load_settings())
    connection.execute("create schema staging; create schema profiles; create schema features")
    connection.execute("create table features.customer_event_features (customer_id varchar, as_of date)")
    for table, columns in _COLUMNS.items():
        has_drop = table.startswith("staging.") and "customer_id" in columns
        connection.execute(f"create table {table} ({columns}{_DROP if has_drop else ''})")
    typed = ", ".join(f"{name} {column.type}" for name, column in askable.columns.items())
    connection.execute(f"create table profiles.customer_profiles (customer_id varchar, as_of date, {typed})")
    for product, department in (("p1", "PRODUCE"), ("p2", "GROCERY"), ("p3", None)):
        connection.execute("insert into staging.stg_products values (?, ?, ?, ?, ?, ?)",
                           [product, department, f"it's {product}", None, product == "p1", "m1"])  # fmt: skip
    connection.execute("insert into staging.stg_campaigns values ('k1', 'Type A'), ('k2', null)")

    def put(table: str, **values: object) -> None:
        names = ", ".join(values)
        connection.execute(f"insert into {table} ({names}) values ({', '.join('?' * len(values))})", [*values.values()])

    for customer in map("c{}".format, range(12)):
        put("profiles.customer_profiles", customer_id=customer, as_of=DAY, order_count=random.randint(1, 9),
            price_level=random.choice([None, 0.9, 1.000001, 1.25]), age_band=random.choice([None, "25-34", "65+"]),
            last_order_on=DAY - timedelta(days=random.randint(0, 60)), net_spend_28d=random.choice(["0.00", "12.50"]),
            frequency_quintile=random.randint(1, 5))  # fmt: skip
        for tag, values in (("value_tier", ["top fifth", "average"]), ("churn_risk", ["high", "low"])):
            if random.random() < 0.8:
                put(
                    "profiles.customer_tags", customer_id=customer, tag=tag, value=random.choice(values), confidence=0.7
                )
        for number in range(random.randint(0, 9)):
            day, order = DAY - timedelta(days=random.randint(-3, 90)), f"{customer}-{number // 2}"
            put("staging.stg_order_lines", customer_id=customer, order_id=order, ordered_on=day, store_id="s1",
                product_id=random.choice(["p1", "p2", "p3", "p4", None]), quantity=1, gross_amount="3.10",
                discount_amount=random.choice([None, "0.60"]), net_amount=random.choice(["2.50", "-2.50"]),
                is_return=random.random() < 0.2)  # fmt: skip
            put("staging.stg_orders", customer_id=customer, order_id=order, ordered_on=day, ordered_hour=9)
        for _ in range(random.randint(0, 3)):
            sent = DAY - timedelta(days=random.randint(0, 60))
            put("staging.stg_sends", customer_id=customer, campaign_id=random.choice(["k1", "k2"]), sent_on=sent)
            put("staging.stg_responses", customer_id=customer, campaign_id="k1",
                responded_on=sent + timedelta(days=random.randint(0, 9)))  # fmt: skip
            put("staging.stg_events", customer_id=customer, occurred_on=sent, event_type="view", product_id="p1")
    paths = {}
    for table in (*_COLUMNS, "profiles.customer_profiles"):
        paths[table] = folder / f"{table}.parquet"
        connection.execute(f"copy {table} to '{paths[table]}' (format parquet)")
    return paths


def test_audiences_hold_the_same_customers_on_both_engines(spark, tmp_path) -> None:
    settings = load_settings()
    own = {one.name: one for one in load_audiences(settings)}
    with duckdb.connect() as connection:
        paths = small_warehouse(connection, tmp_path)
        ids = [f"c{number}" for number in range(12)]
        dice = Dice(Random(3), read_world(connection, DAY, load_askable(settings), own.values(), ids))
        drawn = [Audience(f"random_{number}", "", "", "", "", dice.condition(2)) for number in range(20)]
        portraits = "select * from profiles.customer_profiles"
        asked = " union all ".join(
            f"select '{one.name}' as audience, customer_id from ({statement(one, own, DAY, portraits)}) as held_{place}"
            for place, one in enumerate([*own.values(), *drawn])
        )
        here = sorted(connection.execute(asked).fetchall())
    for table, path in paths.items():
        spark.read.parquet(str(path)).createOrReplaceTempView(table.replace(".", "_"))
        name = table.replace(".", "_")
        asked = asked.replace(f"{table} ", f"{name} ").replace(f"{table}\n", f"{name}\n")
    there = sorted(tuple(row) for row in spark.sql(asked).collect())
    assert there == here
    assert len({audience for audience, _ in here}) > 15
