from dataclasses import replace
from datetime import date

import pytest

from huaxiang.contracts import load_contracts
from huaxiang.errors import BadConfiguration
from huaxiang.sources import DropPattern, load_sources

from .conftest import MAPPING


def test_the_mapping_of_the_complete_journey_can_be_used(settings):
    tables = load_sources(settings, load_contracts(settings))["complete_journey"].tables

    assert set(tables) == {
        "order_lines", "responses", "promotions", "customers", "products", "stores", "campaigns", "sends", "coupons",
    }  # fmt: skip
    assert dict(tables["sends"].columns)["sent_on"].drop_columns == ("load_date",)
    assert tables["stores"].source_columns == ("store_id",)


@pytest.mark.parametrize(
    ("pattern", "name", "day"),
    [
        ("pos/sales_{load_date}.csv", "pos/sales_2024-02-29.csv", date(2024, 2, 29)),
        ("{load_date:%Y%m%d}/sales.csv", "20240229/sales.csv", date(2024, 2, 29)),
        ("*/sales_*_{load_date:%d.%m.%Y}.csv", "north/sales_2_29.02.2024.csv", date(2024, 2, 29)),
        ("pos/sales_{load_date}.csv", "pos/sales_2024-02-30.csv", None),
        ("pos/sales_{load_date}.csv", "pos/sales_2024-02-29.csv.part", None),
        ("pos/sales_{load_date}.csv", "pos/salesX2024-02-29.csv", None),
        ("*/sales_{load_date}.csv", "a/b/sales_2024-02-29.csv", None),
        ("sales.{load_date}", "salesX2024-02-29", None),
    ],
)
def test_a_drop_tells_its_load_day_by_its_name(pattern, name, day):
    assert DropPattern(pattern).load_date(name) == day


def test_a_table_overrides_how_its_source_is_written(shop):
    shop.maps("decimal_mark: ','\ndelimiter: ;\n" + MAPPING.replace("format: csv", "format: csv\n    delimiter: '|'"))

    assert shop.mapping().delimiter == "|"
    assert shop.mapping().reading.decimal_mark == ","
    assert shop.mapping().reading.time_zone == "UTC"


def test_a_source_without_a_mapping_is_named_with_the_next_step(settings):
    with pytest.raises(
        BadConfiguration, match=r"sources/moon.yml: not found, but huaxiang.yml names the source 'moon'.*write it"
    ):
        load_sources(replace(settings, sources=("moon",)), load_contracts(settings))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("  order_lines:", "  sales:", "'tables.sales' is not a canonical table; use one of campaigns, consents"),
        ("customer_id: who", "client: who", "'tables.order_lines.columns.client' is not a column of order_lines"),
        ("      customer_id: who\n", "", "lacks 'customer_id', which order_lines requires; map it"),
        ("net_amount: paid", "net_amount: paid +", "columns.net_amount' is not SQL: syntax error"),
        ("net_amount: paid", "net_amount: paid - less", "source columns are text: read them by number(x)"),
        ("net_amount: paid", "net_amount: nmber(paid)", "Scalar Function with name nmber does not exist"),
        ("net_amount: paid", "net_amount: load_date", "gives date, but the contract wants decimal(18,2)"),
        ("net_amount: paid", "net_amount: sum(number(paid))", "must appear in the GROUP BY clause"),
        ("net_amount: paid", "net_amount: (select 1)", "uses a subquery, but an expression sees one record"),
        ("net_amount: paid", "net_amount: row_number() over ()", "uses a window, but an expression sees one record"),
        ("net_amount: paid", "net_amount: paid as x", "must not be given a name with 'as'"),
        ("net_amount: paid", "net_amount: paid, number", "is not one SQL expression"),
        ("net_amount: paid", "net_amount: paid from secrets", "is not one SQL expression"),
        ("net_amount: paid", "net_amount: paid; drop table x", "is not"),
        ("net_amount: paid", "net_amount:", "columns.net_amount' is not an SQL expression"),
        ("net_amount: paid", "net_amount: off", "which YAML does not take for text; put it in quotes"),
        (
            "ordered_at: bought_at",
            "ordered_at: now()",
            "asks the clock (now), so the same drop would give other rows tomorrow",
        ),
        ("ordered_at: bought_at", "ordered_at: current_date", "asks the clock (current_date)"),
        ("net_amount: paid", "net_amount: random()", "uses random(), whose answer changes from call to call"),
        ("sales_{load_date}.csv", "sales.csv", "'sales.csv' must hold {load_date} once"),
        ("sales_{load_date}.csv", "../sales_{load_date}.csv", "leaves the source's inbox folder"),
        ("sales_{load_date}.csv", "'sales_{load_date:%y%m%d}.csv'", "'%y%m%d' is not a form of a day"),
        ("format: csv", "format: xlsx", "'tables.order_lines.format' is 'xlsx'; use one of csv, jsonl, parquet"),
        ("format: csv", "format: csv\n    names: [line, who]", "reads 'bought_at', which is not among 'names'"),
        ("format: csv", "format: csv\n    encoding: utf-7", "cannot be read record by record"),
        ("format: csv", "format: csv\n    encoding: klingon", "'klingon' is unknown; use a name such as utf-8"),
        ("format: csv", "format: csv\n    delimiter: '::'", "'::' is not one ASCII character"),
        ("format: csv", "format: csv\n    time_zone: Mars", "'Mars' is not an IANA zone"),
        ("format: csv", "format: csv\n    timestamp_formats: ['%Q']", "use strptime's letters"),
        (
            "format: csv",
            "format: csv\n    separator: ','",
            "'tables.order_lines.separator' is an unknown key; the keys are",
        ),
        ("tables:", "currency: XXX\ntables:", "'currency' is XXX, but the home counts in USD"),
        ("tables:", "nothing:", "'nothing' is an unknown key"),
    ],
)
def test_a_broken_mapping_is_named_with_key_and_reason(shop, old, new, reason):
    shop.maps(MAPPING.replace(old, new, 1))

    with pytest.raises(BadConfiguration) as caught:
        shop.mapping()

    assert "sources/shop.yml: '" in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
