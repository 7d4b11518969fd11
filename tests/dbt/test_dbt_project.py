"""The dbt project itself: its unit tests, its arrows, and that its yml tells the truth about its tables."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from huaxiang import warehouse
from huaxiang.errors import HuaxiangError
from huaxiang.features import columns as feature_columns
from huaxiang.settings import Settings, load_settings
from huaxiang.tables import Home
from huaxiang.warehouse import state
from huaxiang.warehouse.dbt import invoke
from tests.dbt.small_home import SmallHome, small_shop
from tests.dbt.test_warehouse import TODAY

pytestmark = pytest.mark.dbt


# Table: its family, and one row of it, for the columns that profiles read.
OUTPUTS = {
    "customer_segments": (
        "segments",
        "'anna' as customer_id, 1::bigint as segment_id, 'frequent' as segment_name, false as is_outlier,"
        " null::varchar as outlier_reason",
    ),
    "customer_items": (
        "recommendations",
        "'anna' as customer_id, 'p1' as product_id, 'new' as task, 1::bigint as rank, 'often' as reason",
    ),
    "customer_scores": (
        "scores",
        "'anna' as customer_id, 'churn_28d' as target, ''::varchar as category, 0.1::double as probability,"
        " '' as reasons",
    ),
    "customer_attributes": (
        "attributes",
        "'anna' as customer_id, 'age_band' as attribute, null::varchar as declared_value,"
        " '65+' as inferred_value, 0.8::double as confidence",
    ),
    "customer_factors": (
        "attributes",
        "'anna' as customer_id, 1::bigint as factor, 'tea, cake' as factor_name, 0.7::double as share",
    ),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> SmallHome:
    """A small shop with model outputs, built; views are its sources, since dbt's unit tests ask them for types."""
    home = tmp_path_factory.mktemp("shop")
    shop = small_shop(replace(load_settings(), home=Home(home), inbox=home / "inbox"))
    shop.settings = replace(shop.settings, models=tuple({family for family, _ in OUTPUTS.values()}))
    warehouse.staging(shop.settings, TODAY)
    warehouse.features(shop.settings, TODAY)
    paths = {}
    for table, (family, columns) in OUTPUTS.items():
        paths[table] = shop.settings.home.build(TODAY.id) / family / f"{table}.parquet"
        paths[table].parent.mkdir(exist_ok=True)
        duckdb.execute(f"copy (select {columns}) to '{paths[table]}' (format parquet)")
    warehouse.profiles(shop.settings, TODAY)
    with duckdb.connect(str(shop.settings.home.duckdb_file)) as connection:
        connection.execute("create schema landed; create schema models")
        for table in shop.contracts:
            files = f"{shop.settings.home.landing}/_none/{table}/*/*.parquet"
            connection.execute(f"create view landed.{table} as from read_parquet('{files}', hive_partitioning = false)")
        connection.execute(f"create view landed.known_files as from '{shop.settings.home.known_files}'")
        connection.execute(f"create view landed.person_keys as from '{shop.settings.home.person_keys}'")
        connection.execute(f"create view landed.product_words as from '{shop.settings.home.product_words}'")
        for table, path in paths.items():
            connection.execute(f"create view models.{table} as from read_parquet('{path}')")
    return shop


@pytest.fixture(scope="module")
def manifest(shop) -> dict:
    return json.loads((shop.settings.home.dbt_target / "manifest.json").read_text())


def run_unit_tests(settings: Settings, select: str = "test_type:unit") -> list[str]:
    """Run dbt's unit tests; give the names of those that passed."""
    results = invoke(settings, TODAY, ["test", "--select", select], warehouse.variables(settings, TODAY))
    return [result.node.name for result in results]


def test_the_unit_tests_of_the_models_hold(shop) -> None:
    assert len(run_unit_tests(shop.settings)) >= 20


WRONG = {
    "a_corrected_line_replaces": ("macros/staging.sql", "file_rank desc", "file_rank asc"),
    "a_correction_in_a_file_that_is_not_known": ("macros/staging.sql", "and landed.file_id = files.file_id", ""),
    "an_order_belongs_to_the_local_day": ("macros/engines.sql", "at time zone 'UTC' at time zone", "at time zone"),
    "orders_after_the_snapshot_day": (
        "models/features/customer_spend.sql",
        "snapshots.as_of >= days.ordered_on",
        "days.ordered_on is not null",
    ),
    "a_window_holds_exactly": ("macros/features.sql", "{{ day }} > ", "{{ day }} >= "),
    "a_purchase_weighs_half": ("macros/features.sql", "as double) / 126)', 9)", "as double) / 127)', 9)"),
    "gaps_are_between": ("models/features/customer_gaps.sql", "(gap_count - 1)", "gap_count"),
    "a_state_is_entered": ("models/features/customer_lifecycles.sql", "ordered_on >= {{", "ordered_on > {{"),
    "the_own_gaps_and": ("macros/next_purchases.sql", "category_gap_weight() -%} 6", "category_gap_weight() -%} 0.5"),
    "quintiles_put": ("macros/features.sql", "({{ place }} - 1) * 5", "{{ place }} * 5"),
}


@pytest.mark.parametrize(("unit_test", "file", "right", "wrong"), [(name, *change) for name, change in WRONG.items()])
def test_a_wrong_model_fails_its_unit_test(
    shop, tmp_path: Path, unit_test: str, file: str, right: str, wrong: str
) -> None:
    project = tmp_path / "project"
    for folder in ("dbt_project", "contracts", "tags", "features"):
        shutil.copytree(shop.settings.project / folder, project / folder)
    text = (project / "dbt_project" / file).read_text()
    assert right in text
    (project / "dbt_project" / file).write_text(text.replace(right, wrong))
    with pytest.raises(HuaxiangError, match=unit_test):
        run_unit_tests(replace(shop.settings, project=project), f"test_type:unit,*{unit_test}*")


def layer(node_id: str, manifest: dict) -> str:
    """A model's folder; of a source, its name."""
    node = manifest["sources"].get(node_id) or manifest["nodes"][node_id]
    return node["source_name"] if node["resource_type"] == "source" else node["fqn"][1]


ALLOWED = {
    "staging": {"landed", "staging"},
    "features": {"staging", "features"},
    "profiles": {"features", "profiles", "models", "staging"},
}


def wrong_arrows(manifest: dict) -> list[str]:
    """Arrows between models that point the wrong way, as 'reader <- read'."""
    wrong = []
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model":
            continue
        for read in node["depends_on"]["nodes"]:
            name = read.rsplit(".", 1)[-1]
            is_allowed = layer(read, manifest) in ALLOWED[node["fqn"][1]]
            # of staging, a portrait may read who the customer is and what a product is called, and nothing else
            if node["fqn"][1] == "profiles" and layer(read, manifest) == "staging":
                is_allowed = name in ("stg_customers", "stg_products")
            if name == "product_words":  # the step staging makes them of what it staged
                is_allowed = node["fqn"][1] == "features"
            if not is_allowed:
                wrong.append(f"{node['name']} <- {name}")
    return wrong


def test_the_arrows_go_one_way(manifest) -> None:
    assert wrong_arrows(manifest) == []


@pytest.mark.parametrize(
    ("reader", "read"),
    [
        ("model.huaxiang.stg_orders", "model.huaxiang.customer_days"),
        ("model.huaxiang.customer_features", "source.huaxiang.landed.order_lines"),
        ("model.huaxiang.customer_features", "source.huaxiang.models.customer_segments"),
        ("model.huaxiang.customer_profiles", "model.huaxiang.stg_order_lines"),
    ],
)
def test_an_arrow_that_points_back_is_found(manifest, reader: str, read: str) -> None:
    bent = json.loads(json.dumps(manifest))
    bent["nodes"][reader]["depends_on"]["nodes"].append(read)
    assert wrong_arrows(bent) == [f"{reader.split('.')[-1]} <- {read.split('.')[-1]}"]


def test_every_column_is_described_with_its_type(shop, manifest) -> None:
    with state.reading(shop.settings) as connection:
        found = connection.execute(
            "select table_schema, table_name, column_name, lower(data_type) from information_schema.columns"
            " where table_schema in ('staging', 'features', 'profiles') order by ordinal_position"
        ).fetchall()
    actual: dict[str, dict[str, str]] = {}
    for _, table, column, type_ in found:
        actual.setdefault(table, {})[column] = type_
    models = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert set(actual) == set(models)
    for name, node in models.items():
        described = {column["name"]: column["data_type"] for column in node["columns"].values()}
        if name == "customer_event_features":  # the others stand in features/*.yml
            described |= {column.name: column.type for column in feature_columns(shop.settings)}
        if name == "customer_event_days":  # and the measures in the plan of them
            actual[name] = {key: type_ for key, type_ in actual[name].items() if not re.fullmatch(r"m\d+", key)}
        assert list(described.items()) == list(actual[name].items()), name
        assert all(column["description"] for column in node["columns"].values()), name


def test_only_types_both_engines_share_are_exposed(shop) -> None:
    allowed = r"varchar|bigint|integer|date|timestamp|decimal\(\d+,\d+\)|double|boolean"
    with state.reading(shop.settings) as connection:
        others = connection.execute(
            "select table_name, column_name, data_type from information_schema.columns"
            " where table_schema in ('staging', 'features', 'profiles')"
            f" and not regexp_full_match(lower(data_type), '{allowed}')"
        ).fetchall()
    assert others == []


def test_staging_keys_come_from_the_contracts(shop) -> None:
    """The key test of a staging model follows the contract: with another key in it, the same rows break it."""
    variables = warehouse.variables(shop.settings, TODAY)
    invoke(shop.settings, TODAY, ["test", "--select", "follows_contract_stg_order_lines_order_lines"], variables)
    variables["contract_keys"]["order_lines"]["key"] = ["customer_id"]
    with pytest.raises(HuaxiangError, match="follows_contract_stg_order_lines"):
        invoke(shop.settings, TODAY, ["test", "--select", "follows_contract_stg_order_lines_order_lines"], variables)
