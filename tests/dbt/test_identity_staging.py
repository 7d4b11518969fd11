"""Persons and their golden values in staging, through real dbt: two systems, four customers, three persons."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from huaxiang import warehouse
from huaxiang.settings import PROJECT, Run, load_settings
from huaxiang.tables import Home
from huaxiang.warehouse import state
from tests.dbt.small_home import SmallHome, line

pytestmark = pytest.mark.dbt

EARLY, LATE = date(2026, 1, 1), date(2026, 1, 2)
RUN = Run(LATE, LATE)
POLICY = (PROJECT / "identity.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> SmallHome:
    root: Path = tmp_path_factory.mktemp("identity")
    (root / "identity.yml").write_text(POLICY, encoding="utf-8")
    settings = replace(
        load_settings(), home=Home(root / "home"), config=root / "huaxiang.yml", sources=("crm", "web"), models=()
    )
    home = SmallHome(settings)
    said = {"email": {"crm": {"a": "ann@x", "b": "bob@x"}, "web": {"1": "ANN@x", "2": "eve@x"}}}
    for kind, by_source in said.items():
        for source, values in by_source.items():
            rows = [{"customer_id": one, "kind": kind, "value": value} for one, value in values.items()]
            home.land("identifiers", EARLY, rows, source=source)
    home.land(
        "customers",
        EARLY,
        [{"customer_id": "a", "age_band": "25-34", "income_band": "low"}, {"customer_id": "b", "age_band": "45-54"}],
        source="crm",
    )
    web = [{"customer_id": "1", "age_band": "35-44", "income_band": "high", "children": "2"}, {"customer_id": "2"}]
    home.land("customers", LATE, web, source="web")
    home.land("order_lines", EARLY, [line(1, "a", "2026-01-01 10:00:00", "4.00")], source="crm")
    home.land("order_lines", LATE, [line(2, "1", "2026-01-02 10:00:00", "6.00")], source="web")
    home.land("sends", EARLY, [{"campaign_id": "k", "customer_id": "a", "sent_on": "2026-01-01"}], source="crm")
    home.land("sends", LATE, [{"campaign_id": "k", "customer_id": "1", "sent_on": "2026-01-02"}], source="web")
    warehouse.staging(settings, RUN)
    return home


def rows(home: SmallHome, query: str) -> list[tuple]:
    with state.reading(home.settings) as connection:
        return connection.execute(query).fetchall()


CUSTOMERS = "from staging.stg_customers order by customer_id"


def test_the_rows_of_all_sources_are_the_persons(home: SmallHome) -> None:
    assert rows(home, f"select customer_id, age_band, income_band, children, declared_count {CUSTOMERS}") == [
        ("a", "25-34", "low", "2", 2), ("b", "45-54", None, None, 1), ("web:2", None, None, None, 1),
    ]  # fmt: skip
    assert rows(home, "select order_line_id, customer_id from staging.stg_order_lines order by all") == [
        ("l1", "a"), ("web:l2", "a"),
    ]  # fmt: skip
    assert rows(home, "select customer_id, sent_on, send_count from staging.stg_sends") == [("a", EARLY, 2)]


def test_every_golden_value_cites_the_landed_row_that_says_it(home: SmallHome) -> None:
    said = rows(
        home,
        "select customer_id, field, said_value, source_name, file_id, record_number from staging.customer_values"
        " where is_golden order by all",
    )
    assert len(said) == 4
    landing = home.settings.home.landing
    for _, field, value, source, file_id, number in said:
        path = next(landing.glob(f"{source}/customers/*/{file_id}.parquet"))
        assert rows(home, f"select {field} from '{path}' where record_number = {number}") == [(value,)]


def test_another_policy_changes_the_fields_it_names_and_no_other(home: SmallHome) -> None:
    columns = "customer_id, age_band, income_band, household_size, children, marital_status, home_ownership"
    before = rows(home, f"select {columns} {CUSTOMERS}")
    flipped = POLICY.replace("fields: {}", "fields: {age_band: [recency, source]}")
    home.settings.identity_policy.write_text(flipped, encoding="utf-8")
    warehouse.staging(home.settings, RUN)
    after = rows(home, f"select {columns} {CUSTOMERS}")
    expected = [("a", "35-44", *before[0][2:]), *before[1:]]
    assert after == expected
    assert after != before
