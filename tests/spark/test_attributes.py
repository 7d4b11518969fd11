"""Attributes and factors trained, judged, promoted and written in a planted home, with scikit-learn and MLflow."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from huaxiang import tracking
from huaxiang.errors import BadConfiguration
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from spark_jobs.attributes import job
from spark_jobs.attributes.params import AttributeParams

pytestmark = pytest.mark.spark

DAY = Run(date(2024, 10, 20), date(2024, 10, 20))
PARAMS = replace(
    AttributeParams(), repeats=1, penalties=(1.0,), resamples=300, splits=2, judged_splits=4, factor_counts=(2, 3)
)
GARDEN, KITCHEN = (
    ("lawn", "seeds", "tools", "pots", "soil", "hose"),
    ("flour", "sugar", "eggs", "butter", "milk", "tea"),
)
CUSTOMERS = 500


def a_home(folder, is_declared: bool = True) -> Settings:
    """500 customers; who owns a home buys for the garden. Half declared; the age they declared goes with nothing."""
    settings = replace(load_settings(), home=Home(folder / "home"))
    rng = np.random.default_rng(7)
    ids = [f"c{number:03d}" for number in range(CUSTOMERS)]
    is_owner = rng.random(CUSTOMERS) < 0.5
    orders = []
    for number, customer in enumerate(ids):
        liked, other = (GARDEN, KITCHEN) if is_owner[number] else (KITCHEN, GARDEN)
        for category in (*rng.choice(liked, 24), *rng.choice(other, 6), "WINE"):
            orders.append((f"o{len(orders)}", customer, "p", str(category), "t", date(2024, 9, 1)))
    features = pd.DataFrame({"customer_id": ids, "as_of": DAY.as_of, "order_count": rng.poisson(20, CUSTOMERS)})
    declared = pd.DataFrame(
        {
            "customer_id": ids,
            "age_band": rng.choice(["25-34", "65+"], CUSTOMERS),
            "children": np.where(is_owner, "2", "0"),
            "home_ownership": np.where(is_owner, "Homeowner", "Renter"),
            "is_declared": True,
        }
    )
    declared.loc[CUSTOMERS // 2 if is_declared else 0 :, ["age_band", "children", "home_ownership"]] = None
    build, inputs = settings.home.build(DAY.id), settings.home.inputs(DAY.id)
    (build / "features").mkdir(parents=True)
    inputs.mkdir(parents=True)
    features.to_parquet(build / "features" / "customer_features.parquet")
    declared.to_parquet(inputs / "declared.parquet")
    names = ["order_id", "customer_id", "product_id", "category", "product_type", "ordered_on"]
    pd.DataFrame(orders, columns=names).to_parquet(inputs / "purchases.parquet")
    return settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """A home on the evening of its first training. Tests that use it only look."""
    settings = a_home(tmp_path_factory.mktemp("attributes"))
    job.train(None, settings, DAY, StepLog("train"), PARAMS)
    job.score(None, settings, DAY, StepLog("models"), PARAMS)
    return settings


def table(settings: Settings, name: str) -> pd.DataFrame:
    return pd.read_parquet(settings.home.build(DAY.id) / "attributes" / f"{name}.parquet")


def card(settings: Settings, target: str) -> dict:
    return json.loads((settings.home.build(DAY.id) / "attributes" / f"model.{target}.json").read_text())


def test_what_purchases_tell_of_is_inferred_of_those_who_declared_nothing(settings):
    rows = table(settings, "customer_attributes").query("attribute == 'home_ownership'").set_index("customer_id")
    buys = table(settings, "customer_factors").query("factor_name.str.contains('lawn|seeds|tools|pots|soil|hose')")
    inferred = rows[rows["status"] == "inferred"]
    assert len(inferred) > 200
    assert (inferred["confidence"] >= 0.7).all() and inferred["declared_value"].isna().all()
    gardens = buys[buys["share"] > 0.5]["customer_id"]
    owners = inferred.index.isin(gardens)
    assert (owners == (inferred["inferred_value"] == "Homeowner")).mean() > 0.95


def test_declared_and_inferred_are_never_in_one_row(settings):
    rows = table(settings, "customer_attributes")
    assert len(rows) == 3 * CUSTOMERS
    assert not (rows["declared_value"].notna() & rows["inferred_value"].notna()).any()
    assert (rows["status"] == "declared").sum() == 3 * CUSTOMERS / 2


def test_what_purchases_do_not_tell_of_and_what_is_sensitive_stay_unknown(settings):
    rows = table(settings, "customer_attributes")
    for attribute in ("age_band", "children"):
        assert set(rows[rows["attribute"] == attribute]["status"]) == {"declared", "unknown"}


def test_what_was_tried_and_lost_is_shown_with_its_figures(settings):
    said = card(settings, "attributes")
    assert said["recipe"] == "logistic"
    tried = {row["attribute"]: row for row in said["by_attribute"]}
    assert set(tried) == {"age_band", "home_ownership"}  # children were not even tried
    assert tried["home_ownership"]["is_inferred"] and tried["home_ownership"]["accuracy_gain_low"] > 0.3
    assert not tried["age_band"]["is_inferred"] and tried["age_band"]["accuracy_gain_low"] <= 0
    runs = tracking.connect(settings).search_runs(experiment_names=["attributes"])
    runs = runs[runs["tags.recipe"] != "leaderboard"]
    assert sorted(runs["tags.recipe"]) == ["logistic", "majority"]
    assert runs["metrics.accuracy_of_age_band"].notna().all()


def test_the_same_day_trained_again_leaves_the_champion(settings):
    before = tracking.champion(settings, "attributes")
    made = job.train(None, settings, DAY, StepLog("train"), PARAMS)
    assert made == {"attributes": None, "lifestyle_factors": None}
    assert tracking.champion(settings, "attributes") == before


def test_stable_factors_are_told_without_what_is_not_looked_at(settings):
    told = table(settings, "factors")
    assert {frozenset(rows["category"][:6]) for _, rows in told.groupby("factor")} == {
        frozenset(GARDEN), frozenset(KITCHEN)
    }  # fmt: skip
    assert "WINE" not in set(told["category"])
    assert (told["stability"] >= 0.9).all()
    shares = table(settings, "customer_factors").groupby("customer_id")["share"].sum()
    assert shares.between(0, 1.000001).all()


def test_the_registered_models_answer_by_themselves(settings):
    mlflow = tracking.connect(settings)
    row = pd.DataFrame(
        {"order_count": [20.0, 20.0]}
        | {f"category:{name}": [4.0, 0.0] for name in GARDEN}
        | {f"category:{name}": [0.0, 4.0] for name in KITCHEN}
    )
    answer = mlflow.pyfunc.load_model("models:/attributes@champion").predict(row)
    assert list(answer["home_ownership"]) == ["Homeowner", "Renter"]
    factors = mlflow.pyfunc.load_model("models:/lifestyle_factors@champion")
    row.columns = row.columns.str.removeprefix("category:")
    assert factors.predict(row.drop(columns="order_count"))["leading_factor"].nunique() == 2


def test_an_attribute_that_is_never_inferred_is_refused_by_the_training(settings):
    with pytest.raises(BadConfiguration, match="'children' is never inferred, since it speaks of minors"):
        job.train(None, settings, DAY, StepLog("train"), replace(PARAMS, attributes=("children",)))


def test_a_home_in_which_nobody_declared_anything_gets_empty_tables(tmp_path):
    settings = a_home(tmp_path, is_declared=False)
    params = replace(PARAMS, fewest_categories=99)
    job.train(None, settings, DAY, StepLog("train"), params)
    job.score(None, settings, DAY, StepLog("models"), params)
    assert [len(table(settings, name)) for name in ("customer_attributes", "customer_factors", "factors")] == [0, 0, 0]
    assert "No attribute is declared by 200 customers" in card(settings, "attributes")["split"]
