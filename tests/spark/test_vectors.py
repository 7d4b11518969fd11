"""Vectors trained, judged, promoted and written in a planted home, with scikit-learn and MLflow."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from huaxiang import families, tracking
from huaxiang.drift import daily
from huaxiang.models import scoring
from huaxiang.reference.tables import model_outputs
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from spark_jobs.vectors import job, portable
from spark_jobs.vectors.params import RFM, VectorParams

pytestmark = pytest.mark.spark

SUNDAY, MONDAY, TUESDAY = (Run(date(2024, 10, day), date(2024, 10, day)) for day in (20, 21, 22))
PARAMS = replace(VectorParams(), recipes=("svd",), dimension_counts=(3,), fewest_columns=6, resamples=100)
GARDEN, KITCHEN = ("hose", "lawn", "pots", "seeds"), ("flour", "milk", "salt", "tea")
CUSTOMERS = 200
IDS = [f"c{number:03d}" for number in range(CUSTOMERS)]


def a_day(settings: Settings, run: Run, tells: bool) -> None:
    """Write a day's inputs. Who buys for the garden is drawn anew every 28 days; where it `tells`, they then mostly
    drink coffee, order at all, and spend much. RFM figures are noise."""
    rng = np.random.default_rng(7)
    cutoffs = [*job.snapshot_days(run.as_of), run.as_of]
    is_garden = rng.random((len(cutoffs), CUSTOMERS)) < 0.5
    orders, days, snapshots = [], [], []
    for cutoff, mine in zip(cutoffs, is_garden, strict=True):
        figures = {name: rng.poisson(9, CUSTOMERS).astype(float) for name in (*RFM, "order_count")}
        snapshots.append(pd.DataFrame({"customer_id": IDS, "as_of": cutoff, **figures, "tenure_days": 99.0}))
        chances = np.where(mine if tells else rng.random(CUSTOMERS) < 0.5, 0.8, 0.2)
        for customer, for_garden, chance in zip(IDS, mine, chances, strict=True):
            liked = rng.choice(GARDEN if for_garden else KITCHEN, 8)
            bought = [(str(name), cutoff - timedelta(days=1)) for name in liked]
            if rng.random() < chance:
                bought.append(("COFFEE", cutoff + timedelta(days=5)))
            orders += [(f"o{len(orders)}-{place}", customer, "p", *one) for place, one in enumerate(bought)]
            if rng.random() < chance:
                spent = 500.0 if rng.random() < chance else 5.0
                days.append((customer, cutoff + timedelta(days=9), 1, spent))
    build, inputs = settings.home.build(run.id), settings.home.inputs(run.id)
    (build / "features").mkdir(parents=True)
    inputs.mkdir(parents=True)
    pd.concat(snapshots).to_parquet(inputs / "snapshots.parquet")
    snapshots[-1].to_parquet(build / "features" / "customer_features.parquet")
    names = ["order_id", "customer_id", "product_id", "category", "ordered_on"]
    pd.DataFrame(orders, columns=names).to_parquet(inputs / "purchases.parquet")
    names = ["customer_id", "ordered_on", "order_count", "net_amount"]
    pd.DataFrame(days, columns=names).to_parquet(inputs / "customer_days.parquet")
    pd.DataFrame(
        {"customer_id": pd.Series([], dtype=str), "responded_on": pd.Series([], dtype="datetime64[s]")}
    ).to_parquet(inputs / "responses.parquet")


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """On Sunday a task is asked for that there is not, on Monday purchases tell nothing of what comes, on Tuesday they
    do. Tests that use it only look."""
    settings = replace(load_settings(), home=Home(tmp_path_factory.mktemp("vectors") / "home"), models=("vectors",))
    boat = replace(PARAMS, tasks=("churn_28d", "buys_a_boat_28d"))
    for run, tells, params in ((SUNDAY, True, boat), (MONDAY, False, PARAMS), (TUESDAY, True, PARAMS)):
        a_day(settings, run, tells)
        job.train(None, settings, run, StepLog("train"), params)
        job.score(None, settings, run, StepLog("models"))
        daily.measure(settings, run)
    return settings


def card(settings: Settings, run: Run) -> dict:
    return json.loads((settings.home.build(run.id) / "vectors" / "model.json").read_text())


def test_a_vector_that_lost_publishes_nothing_but_its_figures(settings):
    folder = settings.home.build(MONDAY.id) / "vectors"
    assert [path.name for path in folder.iterdir()] == ["model.json"]
    said = card(settings, MONDAY)
    assert said["recipe"] == "rfm"
    assert {row["recipe"]: row["outcome"] for row in said["tried"]} == {"rfm": "won", "svd": "lost"}
    assert {row["task"] for row in said["by_task"]} == {"Staying away", "Coffee", "High spend"}
    assert min(row["gain_low"] for row in said["by_task"]) < 0
    assert [row["dimension"] for row in said["by_dimension"]] == [1, 2, 3]  # what was tried stays visible


def test_nothing_is_trained_daily_because_nothing_was_promoted(settings):
    assert families.has_written(settings.home.build(MONDAY.id), "vectors")
    assert not scoring.lacks_champion(settings, "vectors")


def test_a_vector_that_is_surely_better_on_every_task_is_published(settings):
    said = card(settings, TUESDAY)
    assert said["recipe"] == "svd"
    assert all(row["gain_low"] > 0.05 for row in said["by_task"])
    rows = pd.read_parquet(settings.home.build(TUESDAY.id) / "vectors" / "customer_vectors.parquet")
    assert list(rows.columns) == ["customer_id", "dimension", "value", "model_fingerprint"]
    assert list(rows["customer_id"].unique()) == IDS and len(rows) == 3 * CUSTOMERS
    assert set(rows["model_fingerprint"]) == {said["fingerprint"]}
    told = pd.read_parquet(settings.home.build(TUESDAY.id) / "vectors" / "vector_dimensions.parquet")
    ends = [set(told.query(f"dimension == 1 and end == '{end}'")["input"]) for end in ("high", "low")]
    assert any(set(GARDEN) <= end for end in ends) and any(set(KITCHEN) <= end for end in ends)


@pytest.mark.parametrize("table", ["customer_vectors", "vector_dimensions"])
def test_a_table_has_the_columns_and_types_it_is_described_with(settings, table):
    [said] = [one for one in model_outputs(settings.project) if one["name"] == table]
    path = settings.home.build(TUESDAY.id) / "vectors" / f"{table}.parquet"
    found = duckdb.execute(f"describe from read_parquet('{path}')").fetchall()
    described = [(column["name"], column["data_type"].upper()) for column in said["columns"]]
    assert [(name, kind) for name, kind, *_ in found] == described


def test_every_dimension_is_watched_for_drift(settings):
    watched = daily.read(settings.home.build(TUESDAY.id))
    assert [one.name for one in watched if one.kind == daily.DIMENSION] == [
        f"dimension {number} of the vectors" for number in (1, 2, 3)
    ]
    assert daily.DIMENSION not in {one.kind for one in daily.read(settings.home.build(MONDAY.id))}


def test_the_registered_model_answers_what_the_day_published(settings):
    model = tracking.connect(settings).pyfunc.load_model("models:/customer_vectors@champion")
    bought = pd.read_parquet(settings.home.inputs(TUESDAY.id) / "purchases.parquet").query("customer_id == 'c007'")
    age = (pd.Timestamp(TUESDAY.as_of) - pd.to_datetime(bought["ordered_on"])).dt.days
    asked = {
        portable.name_of({"category": name, "window_days": days}): float((some & (bought["category"] == name)).sum())
        for days in PARAMS.windows
        for some in [(age >= 0) & (age < days)]
        for name in (*GARDEN, *KITCHEN, "COFFEE")
    }
    answer = model.predict(pd.DataFrame([asked])).iloc[0]
    rows = pd.read_parquet(settings.home.build(TUESDAY.id) / "vectors" / "customer_vectors.parquet")
    mine = rows.query("customer_id == 'c007'")["value"].tolist()
    assert answer["dimension_count"] == 3
    assert [answer[f"dimension_{number}"] for number in (1, 2, 3)] == pytest.approx(mine)


def test_the_same_day_trained_again_leaves_the_champion(settings):
    before = tracking.champion(settings, "customer_vectors")
    assert job.train(None, settings, TUESDAY, StepLog("train"), PARAMS) == {"customer_vectors": None}
    assert tracking.champion(settings, "customer_vectors") == before


def test_what_cannot_be_judged_keeps_rfm_and_says_why(settings):
    said = card(settings, SUNDAY)
    assert said["recipe"] == "rfm" and said["by_task"] == []
    assert said["split"] == "Nothing was judged: buys_a_boat_28d is not declared in targets/."
