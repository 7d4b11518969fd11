"""Association rules through real Spark and real MLflow: Groceries, whose figures are published, and a small shop."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations
from math import comb
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huaxiang import tracking
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from huaxiang.yaml_files import read_mapping
from spark_jobs import engine
from spark_jobs.associations import counting, laptop, rules
from spark_jobs.associations.params import AssociationParams

pytestmark = pytest.mark.spark

GROCERIES = Path(__file__).parents[1] / "data" / "groceries" / "groceries.csv.gz"
MONDAY, TUESDAY = Run(date(2024, 4, 1), date(2024, 4, 1)), Run(date(2024, 4, 2), date(2024, 4, 2))
PARAMS = replace(AssociationParams(), bootstraps=50)


# Groceries: 9,835 baskets (Hahsler, Hornik, Reutterer 2006).


@pytest.fixture(scope="module")
def baskets() -> list[list[str]]:
    return [line.split(",") for line in gzip.open(GROCERIES, "rt", encoding="utf-8").read().splitlines()]


@pytest.fixture(scope="module")
def groceries(baskets, tmp_path_factory) -> Path:
    rows = [(f"order-{number}", item) for number, basket in enumerate(baskets) for item in basket]
    frame = pd.DataFrame(rows, columns=["order_id", "product_type"])
    path = tmp_path_factory.mktemp("groceries") / "purchases.parquet"
    frame.assign(customer_id="cust", ordered_on=MONDAY.as_of).to_parquet(path)
    return path


@pytest.fixture(scope="module")
def mined(spark, groceries) -> dict:
    """Every set of products in at least 10 of the baskets: a support of .001."""
    from spark_jobs.associations.cluster import often_together, orders_to_mine

    return often_together(orders_to_mine(spark.read.parquet(str(groceries)), 1), 10)


@pytest.mark.parametrize(
    ("support", "confidence", "expected"), [(0.006, 0.25, 463), (0.01, 0.5, 15), (0.001, 0.8, 410), (0.001, 0.9, 129)]
)
def test_the_rules_of_groceries_are_as_many_as_published(mined, support, confidence, expected):
    params = replace(PARAMS, min_support=support, fewest_both=1, min_confidence=confidence, min_lift=0)
    found = rules.strong(rules.counted(rules.candidates(mined, 99), mined), params)
    assert len(found) == expected


def test_the_most_bought_of_groceries_are_as_often_as_published(mined):
    shares = {item: round(mined[(item,)] / mined[()], 4) for item in ("whole milk", "soda", "yogurt", "rolls/buns")}
    assert shares == {"whole milk": 0.2555, "soda": 0.1744, "yogurt": 0.1395, "rolls/buns": 0.1839}


def test_counts_are_those_of_counting_every_set_in_every_basket(groceries, mined, baskets):
    wanted = [items for items, count in mined.items() if count >= 0.006 * 9835 and len(items) <= 3]
    by_hand = Counter(
        part for basket in baskets for size in (0, 1, 2, 3) for part in combinations(sorted(set(basket)), size)
    )
    found = counting.count(groceries, MONDAY.as_of, MONDAY.as_of, wanted)
    assert len(wanted) > 500 and found.orders == 9835
    assert found.of == {items: by_hand[items] for items in wanted}
    assert {items: mined[items] for items in wanted} == found.of


def test_both_engines_find_the_same_sets_with_the_same_counts(groceries, mined):
    found = laptop.often_together(groceries, MONDAY.as_of, MONDAY.as_of, 10, largest=3)
    assert len(found) > 5000
    assert found == {items: count for items, count in mined.items() if len(items) <= 3}


def test_item_sets_over_several_words_and_orders_without_any_of_them_are_counted(tmp_path):
    rng = np.random.default_rng(3)
    orders = {f"order-{number}": {f"type-{kind:03d}" for kind in rng.integers(0, 150, 40)} for number in range(60)}
    orders["order-x"] = {"none that is asked for"}
    rows = [(order, kind, "cust", MONDAY.as_of) for order, kinds in orders.items() for kind in sorted(kinds)]
    path = tmp_path / "purchases.parquet"
    pd.DataFrame(rows, columns=["order_id", "product_type", "customer_id", "ordered_on"]).to_parquet(path)
    wanted = [("type-000", "type-149"), ("type-061", "type-062"), ("type-123", "type-124"), ("type-005",)]
    wanted += [(f"type-{kind:03d}",) for kind in range(150) if kind != 5]
    found = counting.count(path, MONDAY.as_of, MONDAY.as_of, wanted)
    expected = {items: sum(kinds.issuperset(items) for kinds in orders.values()) for items in wanted}
    assert {items: found.of.get(items, 0) for items in wanted} == expected
    assert found.orders == 61


# A shop: of three orders one is bread and butter, one tea, one soap; of ten with soap one has bread, too.


def purchases(numbers: range, first: date, days: int) -> pd.DataFrame:
    kinds = [["bread", "butter"], ["tea"], ["soap"]]
    rows = [
        (f"order-{n}", f"cust-{n % 40}", f"p-{kind}", "food", kind, first + timedelta(days=n % days))
        for n in numbers
        for kind in [*kinds[n % 3], *(["bread"] if n % 30 == 2 else [])]
    ]
    columns = ["order_id", "customer_id", "product_id", "category", "product_type", "ordered_on"]
    return pd.DataFrame(rows, columns=columns)


def a_year() -> pd.DataFrame:
    """300 orders in winter, to mine from, and 60 in the last 28 days, from 5 March on."""
    return pd.concat([purchases(range(300), date(2023, 12, 1), 60), purchases(range(300, 360), date(2024, 3, 5), 28)])


@dataclass
class Shop:
    """A home with purchases, in which rules are mined and counted."""

    spark: object
    settings: Settings

    def has(self, run: Run, table: pd.DataFrame) -> None:
        path = self.settings.home.inputs(run.id) / "purchases.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path, index=False)

    def trains(self, run: Run, params: AssociationParams = PARAMS) -> tracking.Version | None:
        from spark_jobs.associations import job

        return job.train(self.spark, self.settings, run, StepLog("train"), params)

    def scores(self, run: Run) -> pd.DataFrame:
        from spark_jobs.associations import job

        job.score(self.spark, self.settings, run, StepLog("models"), PARAMS)
        return pd.read_parquet(self.file(run, "rules.parquet"))

    def file(self, run: Run, name: str) -> Path:
        return self.settings.home.build(run.id) / "associations" / name

    def card(self, run: Run) -> dict:
        return json.loads(self.file(run, "model.associations.json").read_text())


def a_shop(spark, folder) -> Shop:
    return Shop(spark, replace(load_settings(), home=Home(folder / "home")))


@pytest.fixture
def shop(spark, tmp_path) -> Shop:
    return a_shop(spark, tmp_path)


@pytest.fixture(scope="module")
def scored(spark, tmp_path_factory) -> Shop:
    """A shop on the evening of its first Monday. Tests that use it only look."""
    shop = a_shop(spark, tmp_path_factory.mktemp("scored"))
    shop.has(MONDAY, a_year())
    shop.trains(MONDAY)
    shop.scores(MONDAY)
    return shop


def test_bread_and_butter_are_the_only_rules_and_their_figures_are_counted_up_to_today(scored):
    rows = pd.read_parquet(scored.file(MONDAY, "rules.parquet"))
    # 360 orders: 120 with butter, all with bread; bread in 12 more. By chance 132 x 120 / 360 = 44 would have both, so
    # 76 are beyond it: 0.211111 of all.
    p_value = float(f"{2 * comb(132, 12) / comb(360, 120):.3e}")
    assert [tuple(row)[:-3] for row in rows.itertuples(index=False)] == [
        ("bread", "butter", 1, 360, 132, 120, 120, 0.333333, 0.909091, 2.727273, 0.211111, p_value),
        ("butter", "bread", 1, 360, 120, 132, 120, 0.333333, 1.0, 2.727273, 0.211111, p_value),
    ]
    assert {(row.from_on, row.to_on) for row in rows.itertuples()} == {(date(2023, 12, 1), date(2024, 4, 1))}


def test_the_table_has_the_columns_and_types_it_is_described_with(scored):
    import duckdb

    said = read_mapping(load_settings().project / "dbt_project/models/sources.yml", what="the sources")
    [models] = [source for source in said["sources"] if source["name"] == "models"]
    [described] = [table for table in models["tables"] if table["name"] == "rules"]
    query = f"describe from read_parquet('{scored.file(MONDAY, 'rules.parquet')}')"
    found = [(row[0], row[1].lower()) for row in duckdb.connect().execute(query).fetchall()]
    assert found == [(column["name"], column["data_type"]) for column in described["columns"]]


def test_the_card_says_how_many_rules_held_on_days_they_were_not_mined_from(scored):
    card = scored.card(MONDAY)
    assert (card["model"], card["version"], card["recipe"]) == ("associations", "1", "frequent-sets")
    assert (card["training_as_of"], card["scored_as_of"]) == ("2024-04-01", "2024-04-01")
    assert card["split"].startswith("Mined from 2023-04-04 to 2024-03-04, checked from 2024-03-05 to 2024-04-01")
    metrics = card["metrics"]
    assert (metrics["held_share"], metrics["rules"], metrics["orders"], metrics["judged_orders"]) == (1, 2, 300, 60)
    assert metrics["later_lift"] == 2.727273  # 20 of 60 orders with butter, 22 with bread
    assert card["tried"] == [{"recipe": "frequent-sets", "metrics": metrics, "outcome": "won"}]
    assert "fit_seconds" not in metrics


def test_a_purchase_before_the_window_and_one_without_a_product_type_count_for_nothing(shop, scored):
    early = a_year().head(2).assign(order_id="order-early", ordered_on=date(2023, 4, 2))
    unknown = a_year().head(1).assign(order_id="order-unknown", product_type=None)
    shop.has(MONDAY, pd.concat([early, unknown, a_year()]))
    shop.trains(MONDAY)
    rows = shop.scores(MONDAY).drop(columns="model_fingerprint")
    expected = pd.read_parquet(scored.file(MONDAY, "rules.parquet")).drop(columns="model_fingerprint")
    pd.testing.assert_frame_equal(rows, expected)


def test_scoring_twice_and_the_same_orders_in_another_home_give_the_same_bytes(scored, shop):
    shop.has(MONDAY, a_year().sample(frac=1, random_state=1))
    shop.trains(MONDAY)
    names = ["model.associations.json", "rules.parquet"]
    shop.scores(MONDAY)
    before = [shop.file(MONDAY, name).read_bytes() for name in names]
    shop.scores(MONDAY)
    assert [shop.file(MONDAY, name).read_bytes() for name in names] == before
    assert sorted(path.name for path in shop.file(MONDAY, "").iterdir()) == names
    assert shop.file(MONDAY, "rules.parquet").read_bytes() == scored.file(MONDAY, "rules.parquet").read_bytes()


def test_a_training_on_the_same_orders_leaves_the_champion(shop):
    shop.has(MONDAY, a_year())
    assert shop.trains(MONDAY).version == "1"
    assert shop.trains(MONDAY) is None


def test_a_rule_that_is_chance_today_is_left_out_with_a_note(shop):
    shop.has(MONDAY, a_year())
    shop.trains(MONDAY)
    # From now on butter is bought alone: all orders of the window are new ones.
    apart = a_year().assign(ordered_on=TUESDAY.as_of)
    butter = apart["product_type"] == "butter"
    shop.has(TUESDAY, apart.assign(order_id=apart["order_id"].where(~butter, apart["order_id"] + "-b")))
    assert len(shop.scores(TUESDAY)) == 0
    card = shop.card(TUESDAY)
    assert (card["rules_of_model"], card["rules_released"], card["training_as_of"]) == (2, 0, "2024-04-01")
    assert card["notes"][-1].startswith("2 of 2 rules are no longer surely above chance on 2024-04-02")


def test_spark_and_duckdb_make_the_same_rules(shop, scored, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, engine.SPARK)
    shop.has(MONDAY, a_year())
    shop.trains(MONDAY)
    shop.scores(MONDAY)
    assert shop.file(MONDAY, "rules.parquet").read_bytes() == scored.file(MONDAY, "rules.parquet").read_bytes()


def test_candidates_that_spark_mines_from_a_part_of_the_orders_are_counted_in_all(shop, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, engine.SPARK)
    shop.has(MONDAY, a_year())
    shop.trains(MONDAY, replace(PARAMS, mined_orders=150))
    rows = shop.scores(MONDAY)
    assert list(rows["both_count"]) == [120, 120]
    assert "Candidates were mined from 50% of 300 orders" in shop.card(MONDAY)["notes"][-1]


def test_a_fit_is_tracked_whole_and_nothing_about_a_customer_with_it(scored):
    mlflow = tracking.connect(scored.settings)
    champion = tracking.champion(scored.settings, "associations")
    run = mlflow.get_run(champion.run_id)
    assert run.data.metrics["held_share"] == 1.0 and run.data.metrics["fit_seconds"] > 0
    assert (run.data.params["min_support"], run.data.tags["recipe"]) == ("0.01", "frequent-sets")
    pictures = [file.path for file in mlflow.MlflowClient().list_artifacts(champion.run_id, "plots")]
    assert pictures == ["plots/support_confidence.png", "plots/top_lift.png"]
    home = scored.settings.home
    tracked = [home.root / "mlflow.db", *(path for path in home.mlflow_artifacts.rglob("*") if path.is_file())]
    assert [path.name for path in tracked if b"cust-" in path.read_bytes() or b"order-" in path.read_bytes()] == []


def test_the_registered_model_says_what_goes_with_a_basket(scored):
    model = tracking.connect(scored.settings).pyfunc.load_model("models:/associations@champion")
    found = model.predict(pd.DataFrame({"product_types": ["tea + bread", "butter", "bread + butter", "soap"]}))
    assert found["consequent"].where(found["consequent"].notna(), "").tolist() == ["butter", "bread", "", ""]
    # As of the training: 110 of 300 orders with bread, 100 of them with butter.
    assert found.loc[0, ["confidence", "lift"]].tolist() == [0.909091, 2.727273]


def test_a_home_without_product_types_or_with_too_few_orders_is_told_so(shop):
    with pytest.raises(MissingPartition, match="run 'huaxiang features --as-of 2024-04-01' first"):
        shop.trains(MONDAY)
    shop.has(MONDAY, a_year().assign(product_type=pd.array([None] * len(a_year()), dtype="string")))
    with pytest.raises(HuaxiangError, match=r"no order from 2023-04-04 to 2024-03-04 has a product type"):
        shop.trains(MONDAY)
    shop.has(MONDAY, purchases(range(199), date(2023, 12, 1), 60))
    with pytest.raises(HuaxiangError, match=r"199 orders .* are too few for rules; 200 are needed"):
        shop.trains(MONDAY)
    shop.has(MONDAY, purchases(range(300), date(2023, 12, 1), 60))
    with pytest.raises(HuaxiangError, match=r"no order from 2024-03-05 to 2024-04-01 .* no rule can be checked"):
        shop.trains(MONDAY)
    alone = a_year()[a_year()["product_type"].isin(["tea", "soap"])]
    shop.has(MONDAY, pd.concat([alone, alone.assign(order_id=alone["order_id"] + "-2")]))
    with pytest.raises(HuaxiangError, match="no two product types are bought together often enough"):
        shop.trains(MONDAY)
    with pytest.raises(HuaxiangError, match="associations: no model has been trained yet"):
        shop.scores(MONDAY)
