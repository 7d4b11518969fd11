"""The OpenLineage events of real dbt invocations on a small home: what each model and each column was made from."""

import json
from dataclasses import replace

import pytest

from huaxiang import warehouse
from huaxiang.settings import Run, load_settings
from huaxiang.tables import Home
from huaxiang.warehouse import lineage
from tests.dbt.small_home import DAY, small_shop

pytestmark = pytest.mark.dbt

RUN = Run(DAY, DAY)


def build(home, monkeypatch, parent=""):
    monkeypatch.setenv(lineage.PARENT, parent)
    shop = small_shop(replace(load_settings(), home=Home(home), inbox=home / "inbox"))
    for step in (warehouse.staging, warehouse.features, warehouse.profiles):
        step(shop.settings, RUN)
    return shop


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The lines of the lineage file after one run of staging, features and profiles."""
    with pytest.MonkeyPatch.context() as patch:
        shop = build(tmp_path_factory.mktemp("home"), patch, "shop/daily.features/01890000-0000-7000-8000-000000000000")
    return shop.settings.home.lineage.read_text().splitlines()


@pytest.fixture(scope="module")
def completed(told):
    """The COMPLETE event of each model, by the model's name."""
    events = map(json.loads, told)
    return {
        event["outputs"][0]["name"].split(".")[-1]: event
        for event in events
        if event["eventType"] == "COMPLETE" and event["outputs"]
    }


def origins(event, column):
    fields = event["outputs"][0]["facets"]["columnLineage"]["fields"]
    return {(field["name"].removeprefix("huaxiang."), field["field"]) for field in fields[column]["inputFields"]}


def test_a_column_is_followed_from_the_portrait_back_to_the_landed_record(completed):
    assert origins(completed["customer_profiles"], "net_spend") == {("features.customer_features", "net_spend")}
    assert origins(completed["customer_features"], "net_spend") == {("features.customer_spend", "net_spend")}
    assert ("features.customer_days", "net_amount") in origins(completed["customer_spend"], "net_spend")
    assert ("staging.stg_order_lines", "net_amount") in origins(completed["customer_days"], "net_amount")
    assert origins(completed["stg_order_lines"], "net_amount") == {("landed.order_lines", "net_amount")}


def test_a_column_that_gets_another_name_is_followed_too(completed):
    assert origins(completed["customer_profiles"], "top_category") == {("features.customer_interests", "category")}


def test_every_model_of_the_run_begins_and_ends(told, completed):
    jobs = {(event["job"]["name"], event["eventType"]) for event in map(json.loads, told)}
    assert {name for name, kind in jobs if kind == "START"} == {name for name, kind in jobs if kind == "COMPLETE"}
    assert {"stg_order_lines", "customer_features", "customer_profiles", "customer_tags"} <= set(completed)


def test_an_event_says_which_task_its_model_belongs_to(completed):
    parent = completed["customer_profiles"]["run"]["facets"]["parent"]
    assert (parent["job"]["namespace"], parent["job"]["name"]) == ("shop", "daily.features")
    assert parent["run"]["runId"] == "01890000-0000-7000-8000-000000000000"


def test_no_event_holds_a_value_of_a_record(told):
    text = "\n".join(told)
    assert "anna" not in text and "25-34" not in text and '"sql"' not in text


def test_a_run_goes_on_when_lineage_cannot_be_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "lineage").write_text("a file where the folder should be")
    shop = build(tmp_path, monkeypatch)
    assert (shop.settings.home.build(RUN.id) / "profiles" / "customer_profiles.parquet").exists()
    assert capsys.readouterr().out.count("lineage    not told: ") == 3


def test_a_file_that_has_grown_large_is_put_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(lineage, "MAX_BYTES", 10)
    file = tmp_path / "events.jsonl"
    for number in (1, 2, 3):
        lineage.append(file, [{"run": number}, {"run": number}])
    assert file.read_text() == '{"run": 3}\n{"run": 3}\n'
    assert (tmp_path / "events.older.jsonl").read_text() == '{"run": 2}\n{"run": 2}\n'
