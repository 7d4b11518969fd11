import json
from dataclasses import replace

import pytest
import yaml

from huaxiang.contracts import load_contracts
from huaxiang.errors import BadConfiguration

CANONICAL = {
    "customers", "identifiers", "products", "stores", "orders", "order_lines", "promotions", "events", "campaigns",
    "sends", "coupons", "responses", "reviews", "relations", "surveys", "consents", "manual_tags",
    "suppressions",
}  # fmt: skip


@pytest.fixture
def broken(settings, tmp_path):
    """Load the contracts after one text of order_lines.yml was replaced; gives the error."""

    def load_with(old: str, new: str) -> str:
        text = (settings.contracts_dir / "order_lines.yml").read_text()
        assert old in text
        folder = tmp_path / "contracts"
        folder.mkdir()
        (folder / "order_lines.yml").write_text(text.replace(old, new, 1))
        with pytest.raises(BadConfiguration) as caught:
            load_contracts(replace(settings, project=tmp_path))
        return str(caught.value).replace(str(tmp_path), "")

    return load_with


def test_every_canonical_table_has_a_contract(settings):
    assert set(load_contracts(settings)) == CANONICAL


@pytest.mark.parametrize("table", sorted(CANONICAL))
def test_a_contract_is_valid_open_data_contract_standard(settings, table):
    from importlib.resources import files

    import jsonschema
    from open_data_contract_standard.model import OpenDataContractStandard

    path = settings.contracts_dir / f"{table}.yml"
    schema = json.loads((files("open_data_contract_standard") / "schema.json").read_text())
    OpenDataContractStandard.from_file(str(path))
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_a_contract_tells_types_key_rules_defaults_and_retention(settings):
    contract = load_contracts(settings)["order_lines"]

    assert contract.key == ("order_line_id",)
    assert contract.column("quantity").type == "decimal(18,3)"
    assert contract.column("net_amount").is_required
    assert not contract.column("store_id").is_required
    assert contract.column("discount_amount").default == "0"
    assert contract.column("gross_amount").default == "net_amount + discount_amount + coupon_amount"
    assert [rule.name for rule in contract.rules] == ["ordered_at_is_sane", "figures_are_sane", "amounts_add_up"]
    assert contract.retention_years == 3


def test_a_key_of_several_columns_keeps_its_order(settings):
    assert load_contracts(settings)["promotions"].key == (
        "product_id", "store_id", "week_start_on", "display_location", "mailer_location",
    )  # fmt: skip


def test_every_instant_and_day_has_a_sane_range(settings):
    for contract in load_contracts(settings).values():
        for column in contract.columns:
            if column.type == "timestamp" or (column.type == "date" and column.is_required):
                assert f"{column.name}_is_sane" in {rule.name for rule in contract.rules}, (contract.name, column.name)


def test_no_contract_at_all_is_said_in_one_sentence(settings, tmp_path):
    with pytest.raises(BadConfiguration, match="no contract found; restore the folder"):
        load_contracts(replace(settings, project=tmp_path))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("kind: DataContract", "kind: Poem", "'kind, apiVersion' is not an Open Data Contract Standard v3 contract"),
        ("- name: order_lines", "- name: orderlines", "'schema.name' is 'orderlines', but the file is order_lines.yml"),
        (
            "physicalType: timestamp",
            "physicalType: datetime",
            "'properties.ordered_at.physicalType' 'datetime' is not a type",
        ),
        ("logicalType: timestamp", "logicalType: string", "'string' does not go with timestamp; say timestamp"),
        (
            "primaryKeyPosition: 1",
            "primaryKeyPosition: 2",
            "'properties.primaryKeyPosition' must number the key columns 1, 2",
        ),
        (
            "classification: pseudonymous",
            "classification: secret",
            "'secret' is unknown; use one of none, pseudonymous",
        ),
        ("mustBe: 0", "mustBe: 1", "'quality.ordered_at_is_sane.query' is not a row rule"),
        ("= net_amount)", "= paid_amount)", 'paid_amount" not found'),
        ("- coupon_amount = net_amount)", "- coupon_amount - net_amount)", "not true or false; write a comparison"),
        ("value: net_amount +", "value: no_amount +", "'properties.gross_amount.default' Binder Error"),
        ("- name: order_id", "- name: order_line_id", "'properties.order_line_id' stands there twice"),
        ("property: retention", "property: kept", "'slaProperties' does not say how long rows are kept"),
        ("schema:", "scheme:", "'schema' is missing or not a list"),
    ],
)
def test_a_broken_contract_is_named_with_key_and_reason(broken, old, new, reason):
    message = broken(old, new)

    assert message.startswith("/contracts/order_lines.yml: '")
    assert reason in message
    assert ";" in message
