"""New categories trained, judged, promoted and written in a planted home, with MLflow."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from huaxiang import tracking
from huaxiang.errors import HuaxiangError
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from spark_jobs.categories import job, recipes
from spark_jobs.categories.params import CategoryParams

pytestmark = pytest.mark.spark

DAY = Run(date(2024, 10, 20), date(2024, 10, 20))
PARAMS = replace(CategoryParams(), bootstraps=200, top=5, fewest_customers=20)
GARDEN, KITCHEN = (
    ("LAWN", "SEEDS", "TOOLS", "POTS", "SOIL", "HOSE", "BULBS"),
    ("FLOUR", "SUGAR", "EGGS", "BUTTER", "MILK", "TEA", "SALT"),
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    """A home of 160 customers, gardeners and cooks, on the evening of its first training. Tests only look.

    Each comes to the categories of their kind, one after another; the first of them suppressed a product.
    """
    settings = replace(load_settings(), home=Home(tmp_path_factory.mktemp("categories") / "home"))
    rng = np.random.default_rng(5)
    rows = []
    for number in range(160):
        for place, category in enumerate(rng.permutation((GARDEN, KITCHEN)[number % 2])[: 3 + number % 5]):
            ago = int(294 - 44 * place - rng.integers(30))
            rows.append((f"c{number:03d}", str(category), DAY.as_of - timedelta(days=ago)))
        rows.append((f"c{number:03d}", "BEERS/ALES", DAY.as_of))
        rows.append((f"c{number:03d}", str(rng.choice(GARDEN + KITCHEN)), DAY.as_of - timedelta(days=100)))
    lines = pd.DataFrame(rows, columns=["customer_id", "category", "ordered_on"])
    lines["order_id"] = [f"o{number}" for number in range(len(lines))]
    lines["product_id"] = lines["product_type"] = "a kind of " + lines["category"]
    build, inputs = settings.home.build(DAY.id), settings.home.inputs(DAY.id)
    (build / "features").mkdir(parents=True)
    inputs.mkdir(parents=True)
    ids = [*sorted(set(lines["customer_id"])), "never bought"]
    pd.DataFrame({"customer_id": ids, "as_of": DAY.as_of}).to_parquet(build / "features" / "customer_features.parquet")
    lines.to_parquet(inputs / "purchases.parquet")
    unwanted = [(customer, f"a kind of {name}") for customer in ids[:8] for name in ("LAWN", "SUGAR")]
    pd.DataFrame(unwanted, columns=["customer_id", "product_id"]).to_parquet(inputs / "suppressions.parquet")
    job.train(None, settings, DAY, StepLog("train"), PARAMS)
    job.score(None, settings, DAY, StepLog("models"), PARAMS)
    return settings


def asked(settings: Settings, sql: str) -> list[tuple]:
    """The answer of SQL over `listed` and `purchases`."""
    with duckdb.connect() as connection:
        build = settings.home.build(DAY.id)
        for view, path in (
            ("listed", build / "categories" / "customer_new_categories.parquet"),
            ("purchases", settings.home.inputs(DAY.id) / "purchases.parquet"),
            ("suppressions", settings.home.inputs(DAY.id) / "suppressions.parquet"),
        ):
            connection.execute(f"create view {view} as select * from read_parquet('{path}')")
        return connection.execute(sql).fetchall()


def test_every_customer_gets_a_list_of_what_they_never_bought(settings):
    assert asked(settings, "select count(distinct customer_id), max(rank) from listed") == [(161, 5)]
    assert asked(settings, "select 1 from listed semi join purchases using (customer_id, category)") == []
    assert asked(settings, "select 1 from listed where category = 'BEERS/ALES' or reason like '%BEER%'") == []


def test_the_first_category_is_one_of_the_customers_kind(settings):
    gardens = ", ".join(f"'{name}'" for name in GARDEN)
    [(share,)] = asked(
        settings,
        f"""
        with kinds as (select customer_id, avg((category in ({gardens}))::int) as share from purchases group by 1),
        unfinished as (select customer_id from purchases group by 1 having count(*) <= 7)
        select avg(((category in ({gardens})) = (share > 0.4))::int)
        from listed inner join kinds using (customer_id) semi join unfinished using (customer_id)
        where rank = 1 and customer_id not in (select customer_id from suppressions)
        """,
    )
    assert share > 0.9


def test_of_what_a_customer_suppressed_a_product_the_category_is_neither_listed_nor_a_reason(settings):
    unwanted = "(select customer_id, replace(product_id, 'a kind of ', '') as category from suppressions)"
    assert asked(settings, f"select 1 from listed semi join {unwanted} using (customer_id, category)") == []
    assert asked(
        settings,
        f"select 1 from listed inner join {unwanted} as unwanted using (customer_id) "
        "where unwanted.category in (because_1, because_2, because_3)",
    ) == []  # fmt: skip


def test_every_figure_of_a_reason_can_be_counted_in_the_purchases(settings):
    """Each row recounted by itself: who bought all that is named, and who of them the listed category too."""
    rows = asked(
        settings,
        "select distinct category, because_1, because_2, because_3, because_count, both_count, reason from listed",
    )
    bought: dict[str, set[str]] = {}
    for category, customer in asked(settings, "select category, customer_id from purchases"):
        bought.setdefault(category, set()).add(customer)
    told = [row for row in rows if row[1]]
    assert len(told) > 50
    for category, *because, of, both, reason in told:
        names = [name for name in because if name]
        with_all = set.intersection(*(bought[name] for name in names))
        assert (of, both) == (len(with_all), len(with_all & bought[category]))
        said = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
        assert f"who bought {said} also bought it ({both} of {of})" in reason
        assert both / of > len(bought[category]) / 160
    others = [row for row in rows if not row[1]]
    assert others and all("in the last 91 days" in row[-1] and row[4] is None for row in others)


def test_all_recipes_are_runs_and_the_card_says_what_lost(settings):
    runs = tracking.connect(settings).search_runs(experiment_names=[job.TARGET])
    assert sorted(runs[runs["tags.recipe"] != "leaderboard"]["tags.recipe"]) == sorted(recipes.RECIPES)
    card = json.loads((settings.home.build(DAY.id) / "categories" / f"model.{job.TARGET}.json").read_text())
    outcomes = {row["recipe"]: row["outcome"] for row in card["tried"]}
    assert outcomes["popularity"] == "lost" and list(outcomes.values()).count("won") == 1
    assert card["metrics"]["ndcg_at_5_gain_low"] > 0.1 and len(card["by_cut_off"]) == 6


def test_the_same_day_trained_again_leaves_the_champion(settings):
    before = tracking.champion(settings, job.TARGET)
    assert job.train(None, settings, DAY, StepLog("train"), PARAMS) is None
    assert tracking.champion(settings, job.TARGET) == before
    assert not job.cannot_score(settings, before, set())


def test_the_registered_model_answers_by_itself(settings):
    model = tracking.connect(settings).pyfunc.load_model(f"models:/{job.TARGET}@champion")
    row = pd.DataFrame([dict.fromkeys(GARDEN[:5], 2.0), dict.fromkeys(KITCHEN[:5], 1.0)])
    answer = model.predict(row)
    assert [{answer["category_1"][place], answer["category_2"][place]} for place in (0, 1)] == [
        set(GARDEN[5:]), set(KITCHEN[5:])
    ]  # fmt: skip


def test_without_a_champion_it_is_said_what_to_do(tmp_path):
    settings = replace(load_settings(), home=Home(tmp_path / "home"))
    with pytest.raises(HuaxiangError, match="no model of recommend_category has been trained yet: run 'huaxiang train"):
        job.score(None, settings, DAY, StepLog("models"), PARAMS)
