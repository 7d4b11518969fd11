"""Recommendations through real Spark and real MLflow, in a shop with two kinds of customers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from huaxiang import tracking
from huaxiang.errors import HuaxiangError
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from spark_jobs.recommendations.params import RecommendationParams

pytestmark = pytest.mark.spark

AS_OF = date(2024, 6, 30)
DAY = Run(AS_OF, AS_OF)
LATER = Run(AS_OF + timedelta(days=1), AS_OF + timedelta(days=1))
PARAMS = replace(RecommendationParams(), rank=4, iterations=2, neighbours=5, bootstraps=100, fewest_buyers=3)
TARGETS = ("recommend_any", "recommend_new")


def purchases(customers: int = 120, days: int = 120, until: date = AS_OF) -> pd.DataFrame:
    """Customers in turn buy of the shop's first and second half, each some products again and again; fuel goes to all.

    A customer comes every fourth day and takes two regular products and one by chance out of the customer's half.
    """
    rng = np.random.default_rng(11)
    rows = []
    for number in range(customers):
        half = 20 * (number % 2)
        regular = half + rng.choice(20, 3, replace=False)
        for order, age in enumerate(range(number % 4, days, 4)):
            day = AS_OF - timedelta(days=age)
            taken = {*rng.choice(regular, 2, replace=False), half + int(20 * rng.random() ** 2), 99}
            for product in sorted(taken):
                rows.append((f"o{number}-{order}", f"cust-{number:03d}", f"p{product:02d}", day))
    table = pd.DataFrame(rows, columns=["order_id", "customer_id", "product_id", "ordered_on"])
    table["category"] = np.where(table["product_id"] == "p99", "FUEL", "FOOD")
    number = table["product_id"].str[1:].astype(int)
    table["product_type"] = np.where(number == 99, "GASOLINE", "TYPE " + (number // 5).astype(str))
    return table[table["ordered_on"] <= until]


@dataclass
class Shop:
    """A home with purchases, in which recommendations are trained and scored."""

    spark: object
    settings: Settings

    def has(self, run: Run, table: pd.DataFrame, more_customers: tuple[str, ...] = ()) -> None:
        build = self.settings.home.build(run.id)
        for folder in ("features", ".inputs"):
            (build / folder).mkdir(parents=True, exist_ok=True)
        table.to_parquet(build / ".inputs" / "purchases.parquet", index=False)
        customers = sorted({*table["customer_id"], *more_customers})
        features = pd.DataFrame({"customer_id": customers, "as_of": run.as_of})
        features.to_parquet(build / "features" / "customer_features.parquet", index=False)

    def trains(self, run: Run = DAY, params: RecommendationParams = PARAMS) -> dict:
        from spark_jobs.recommendations import job

        return job.train(self.spark, self.settings, run, StepLog("train"), params)

    def scores(self, run: Run = DAY, params: RecommendationParams = PARAMS) -> pd.DataFrame:
        from spark_jobs.recommendations import job

        job.score(self.spark, self.settings, run, StepLog("models"), params)
        return pd.read_parquet(self.file(run, "customer_items.parquet"))

    def file(self, run: Run, name: str):
        return self.settings.home.build(run.id) / "recommendations" / name

    def false_reasons(self, run: Run) -> list[tuple]:
        from spark_jobs.recommendations.reasons import false_reasons

        bought = self.settings.home.inputs(run.id) / "purchases.parquet"
        query = false_reasons(str(self.file(run, "customer_items.parquet")), str(bought), run.as_of, PARAMS)
        return duckdb.sql(query).fetchall()


def a_shop(spark, folder) -> Shop:
    return Shop(spark, replace(load_settings(), home=Home(folder / "home"), currency="EUR"))


@pytest.fixture(scope="module")
def scored(spark, tmp_path_factory) -> Shop:
    """A shop that has trained and scored its day. Tests that use it only look."""
    shop = a_shop(spark, tmp_path_factory.mktemp("scored"))
    shop.has(DAY, purchases(), more_customers=("cust-999",))
    shop.trains()
    shop.scores()
    return shop


@pytest.fixture(scope="module")
def items(scored) -> pd.DataFrame:
    return pd.read_parquet(scored.file(DAY, "customer_items.parquet"))


def test_every_customer_gets_ten_products_per_task_also_one_without_a_purchase(items):
    assert list(items.columns) == [
        "customer_id", "product_id", "task", "rank", "score", "reason", "model_fingerprint",
    ]  # fmt: skip
    assert items["customer_id"].nunique() == 121
    any_ranks = items[items["task"] == "any"].groupby("customer_id")["rank"].apply(list)
    assert set(map(tuple, any_ranks)) == {tuple(range(1, 11))}
    nobody = items[(items["customer_id"] == "cust-999") & (items["task"] == "any")]
    assert nobody["reason"].str.startswith("one of the most bought: by ").all()
    assert list(items.sort_values(["customer_id", "task", "rank"]).index) == list(items.index)


def test_a_bought_product_is_never_new_and_fuel_is_never_recommended(items):
    bought = set(map(tuple, purchases()[["customer_id", "product_id"]].to_numpy()))
    new = items[items["task"] == "new"]
    assert len(new) > 1000
    assert [pair for pair in map(tuple, new[["customer_id", "product_id"]].to_numpy()) if pair in bought] == []
    assert "p99" not in set(items["product_id"])


def test_every_reason_can_be_recounted_from_single_purchases(scored, items):
    assert scored.false_reasons(DAY) == []
    kinds = items["reason"].str.replace(r"\d+", "#", regex=True).str.replace(r"TYPE #", "TYPE", regex=True)
    assert "bought # times, last on #-#-#" in set(kinds)
    assert "new to this customer; # % of the customers who bought TYPE also bought it (# of #)" in set(kinds)
    assert "one of the most bought: by # customers in the last # days" in set(kinds)


def test_a_reason_with_another_figure_is_found_out(scored, items, tmp_path):
    from spark_jobs.recommendations.reasons import false_reasons

    wrong = items.copy()
    wrong.loc[0, "reason"] = wrong.loc[0, "reason"].replace("bought ", "bought 1")
    together = wrong.index[wrong["reason"].str.contains("also bought it")][0]
    wrong.loc[together, "reason"] = wrong.loc[together, "reason"].replace(" of ", " of 1", 2)
    wrong.to_parquet(tmp_path / "items.parquet")
    bought = scored.settings.home.inputs(DAY.id) / "purchases.parquet"
    assert len(duckdb.sql(false_reasons(str(tmp_path / "items.parquet"), str(bought), AS_OF, PARAMS)).fetchall()) == 2


def test_the_card_tells_every_recipe_beside_the_baseline(scored):
    for target, baseline, recipes in (("recommend_any", "own_history", 12), ("recommend_new", "popularity", 10)):
        card = json.loads(scored.file(DAY, f"model.{target}.json").read_text())
        assert (card["model"], card["version"], card["baseline"]["name"]) == (target, "1", baseline)
        assert (card["training_as_of"], card["scored_as_of"]) == ("2024-06-30", "2024-06-30")
        assert len(card["tried"]) == recipes
        assert [one["outcome"] for one in card["tried"]].count("won") == 1
        found = card["metrics"]
        assert found["ndcg_at_10_low"] <= found["ndcg_at_10"] <= found["ndcg_at_10_high"]
        assert found["customers"] >= 50
        assert "seconds" not in json.dumps(card)
        assert "2024-05-05" in card["split"] and "2024-06-02" in card["split"]


def test_each_recipe_is_a_run_and_nothing_about_a_customer_is_tracked(scored):
    mlflow = tracking.connect(scored.settings)
    runs = mlflow.search_runs(experiment_names=["recommend_any"], output_format="list")
    runs = [run for run in runs if run.data.tags["recipe"] != "leaderboard"]
    assert {run.data.tags["recipe"] for run in runs} == {
        "own_history", "own_history_fading", "popularity", "als", "svd", "item_based", "ease", "content", "blend",
        "hybrid", "user_based", "next_basket",
    }  # fmt: skip
    # What answers from other customers' purchases is measured, and there is no model that would hold them.
    measured = {run.data.tags["recipe"]: run for run in runs if run.data.tags["promotion"] == "measured"}
    assert set(measured) == {"user_based", "next_basket"}
    assert {run.data.tags["spool_model"] for run in measured.values()} == {"-"}
    assert all({"coverage_at_10", "novelty_at_10"} <= set(run.data.metrics) for run in runs)
    assert all({"hr_at_10", "ndcg_at_10_gain_low", "fit_seconds", "peak_mb"} <= set(run.data.metrics) for run in runs)
    winner = tracking.champion(scored.settings, "recommend_any").run_id
    pictures = [file.path for file in mlflow.MlflowClient().list_artifacts(winner, "plots")]
    names = ("hit_rate_by_length", "quality_against_seconds", "weights_tried")
    assert pictures == [f"plots/{name}.png" for name in names]
    home = scored.settings.home
    tracked = [home.root / "mlflow.db", *(path for path in home.mlflow_artifacts.rglob("*") if path.is_file())]
    assert [path.name for path in tracked if b"cust-" in path.read_bytes()] == []


@pytest.mark.parametrize("target", TARGETS)
def test_the_served_model_answers_what_was_released(scored, items, target):
    model = tracking.connect(scored.settings).pyfunc.load_model(f"models:/{target}@champion")
    mine = purchases().query("customer_id == 'cust-007'")
    asked = mine[["product_id"]].assign(days_ago=[float((AS_OF - day).days) for day in mine["ordered_on"]])
    found = model.predict(asked)
    task = target.removeprefix("recommend_")
    released = items[(items["customer_id"] == "cust-007") & (items["task"] == task)]
    assert list(found["product_id"]) == list(released["product_id"])
    assert list(found["score"]) == pytest.approx(list(released["score"]), abs=2e-6)
    assert list(model.predict(pd.DataFrame({"product_id": ["p01"]}))["rank"]) == list(range(1, 11))


def as_parquet(table: pd.DataFrame, folder) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "purchases.parquet"
    table.to_parquet(path, index=False)
    return path


def on_both(spark, path: Path, folder: Path, params=PARAMS):
    """The purchases on the laptop and on Spark, one after the other."""
    from spark_jobs.recommendations import laptop
    from spark_jobs.recommendations.cluster import Cluster

    with laptop.opened(path, AS_OF, folder / "scratch", params) as opened:
        yield opened
    cluster = Cluster(spark, path, AS_OF, folder / "als", params)
    yield cluster
    cluster.forget()


def test_folding_in_gives_the_factors_als_itself_found(spark, tmp_path):
    from spark_jobs.recommendations import cluster as on_spark
    from spark_jobs.recommendations import training
    from spark_jobs.recommendations.cluster import Cluster
    from spark_jobs.recommendations.ranking import Products, Ranker

    path = as_parquet(purchases(), tmp_path)
    cluster = Cluster(spark, path, AS_OF, tmp_path / "als", PARAMS)
    of_day = cluster.catalogue(AS_OF)
    model = on_spark.fit_als(spark, cluster._bought_by(AS_OF), of_day, tmp_path / "als", PARAMS)
    learned, found = on_spark.item_factors(model)
    nothing = np.zeros(0, dtype=np.int32)
    names = ("svd_from", "svd_to", "paired", "neighbours", "similarities", "linked", "links", "link_weights")
    products = Products(**of_day.of_day(), learned=learned, factors=found, **dict.fromkeys(names, nothing))
    ranker = Ranker(products, training.settings_of(PARAMS))
    of_als = {row.id: row.features for row in model.userFactors.collect()}
    assert len(of_als) == 120
    for customer, history in enumerate(cluster.pairs(AS_OF).histories(np.arange(120))):
        folded, _ = ranker.fold_in(history)
        np.testing.assert_allclose(folded, of_als[customer], rtol=2e-3, atol=2e-4)
    cluster.forget()


def test_both_engines_count_the_same(spark, tmp_path):
    path = as_parquet(purchases().sample(frac=1, random_state=2), tmp_path)
    cut_off = AS_OF - timedelta(days=28)
    laptop, cluster = (
        (one.catalogue(cut_off), one.pairs(cut_off), one.targets(cut_off)) for one in on_both(spark, path, tmp_path)
    )
    for one, other in zip(laptop[:2], cluster[:2], strict=True):
        for name, values in vars(one).items():
            np.testing.assert_array_equal(values, vars(other)[name], err_msg=name)
    assert len(laptop[1].item) > 1000
    pd.testing.assert_frame_equal(laptop[2], cluster[2], check_dtype=False)
    assert set(laptop[2]["is_new"]) == {False, True}


def test_what_is_bought_after_the_cut_off_changes_nothing_that_was_learned(spark, tmp_path):
    from spark_jobs.recommendations import fitting

    cut_off = AS_OF - timedelta(days=28)
    late = purchases().iloc[:1].assign(product_id="p00-late", customer_id="aaa-late", ordered_on=AS_OF)
    whole = as_parquet(pd.concat([purchases(), late]).sample(frac=1, random_state=3), tmp_path / "whole")
    before = as_parquet(purchases(until=cut_off), tmp_path / "before")
    for one, other in zip(on_both(spark, whole, tmp_path), on_both(spark, before, tmp_path), strict=True):
        learned, again = (fitting.fit(purchases, cut_off, PARAMS).products for purchases in (one, other))
        assert learned.to_bytes() == again.to_bytes()


def test_the_same_purchases_give_the_same_lists_and_models_in_another_home(scored, items, spark, tmp_path):
    other = a_shop(spark, tmp_path)
    other.has(DAY, purchases().sample(frac=1, random_state=5), more_customers=("cust-999",))
    other.trains()
    pd.testing.assert_frame_equal(other.scores(), items, check_exact=True)
    for name in ("customer_items.parquet", *(f"model.{target}.json" for target in TARGETS)):
        one, two = (shop.file(DAY, name).read_bytes() for shop in (scored, other))
        if name.endswith(".json"):
            one, two = (json.dumps({**json.loads(text), "run_id": ""}).encode() for text in (one, two))
        assert one == two, name
    # Trained again on the same purchases the champion is the very same model and stays; scored again, nothing changes.
    assert set(other.trains().values()) == {None}
    before = other.file(DAY, "customer_items.parquet").read_bytes()
    other.scores()
    assert other.file(DAY, "customer_items.parquet").read_bytes() == before
    # The next day brings a new product and a new customer; the champion of the day before scores it.
    tomorrow = (
        purchases().iloc[:1].assign(ordered_on=LATER.as_of, product_id="p50", customer_id="newcomer", order_id="n")
    )
    other.has(LATER, pd.concat([purchases(), tomorrow]))
    rows = other.scores(LATER)
    first = rows[(rows["customer_id"] == "newcomer") & (rows["task"] == "any")].iloc[0]
    assert (first["product_id"], first["reason"]) == ("p50", "bought once, on 2024-07-01")
    assert other.false_reasons(LATER) == []
    card = json.loads(other.file(LATER, "model.recommend_new.json").read_text())
    assert (card["training_as_of"], card["scored_as_of"]) == ("2024-06-30", "2024-07-01")


def test_spark_lists_what_the_laptop_lists(scored, items):
    on_spark = scored.scores(params=replace(PARAMS, laptop_purchases=0))
    pd.testing.assert_frame_equal(on_spark, items, check_exact=True)


def test_a_home_of_few_purchases_needs_no_spark(scored, items):
    from spark_jobs.recommendations import job

    assert not any(job.needs_spark(scored.settings, DAY, action) for action in ("train", "score"))
    without = replace(scored, spark=None)
    pd.testing.assert_frame_equal(without.scores(), items, check_exact=True)


def test_with_a_least_margin_nobody_is_offered_less_and_too_high_a_one_is_refused(scored, items):
    margins = pd.DataFrame({"product_id": sorted(set(purchases()["product_id"]))})
    margins["margin_share"] = np.arange(len(margins)) % 4 / 10  # 0, .1, .2, .3, 0 ...
    path = scored.settings.home.inputs(DAY.id) / "margins.parquet"
    margins.to_parquet(path, index=False)
    bound = replace(scored, settings=replace(scored.settings, least_margin_share=0.1))
    try:
        now = bound.scores()
        assert set(items["product_id"]) & set(margins.loc[margins["margin_share"] < 0.1, "product_id"])
        assert now.merge(margins, on="product_id")["margin_share"].min() == 0.1
        assert set(now[now["task"] == "any"].groupby("customer_id").size()) == {10}
        assert bound.false_reasons(DAY) == []
        with pytest.raises(HuaxiangError, match=r"least_margin_share 0.9 leaves 0 of 40 products"):
            replace(scored, settings=replace(scored.settings, least_margin_share=0.9)).scores()
    finally:
        path.unlink()
        scored.scores()


def test_what_a_customer_suppressed_never_returns_and_others_take_its_place(scored, items):
    """Every time the whole lists of some customers are suppressed the next ones are as long and hold none of it."""
    path = scored.settings.home.inputs(DAY.id) / "suppressions.parquet"
    said = pd.DataFrame({"customer_id": [], "product_id": []}, dtype=str)
    try:
        for seed in range(3):  # the shop has 40 products: after three lists of ten there is one more
            now = scored.scores() if seed else items
            assert now.merge(said, on=["customer_id", "product_id"]).empty
            pairs = now.loc[now["task"] == "any", ["customer_id", "product_id"]]
            lengths = pairs.groupby("customer_id").size()
            assert set(lengths) == {10} and len(lengths) == 121
            some = pairs["customer_id"].isin(pd.Series(lengths.index).sample(30, random_state=seed))
            said = pd.concat([said, pairs[some], pd.DataFrame({"customer_id": ["nobody"], "product_id": ["p01"]})])
            said.to_parquet(path, index=False)
        on_spark = scored.scores(params=replace(PARAMS, laptop_purchases=0))
        pd.testing.assert_frame_equal(on_spark, scored.scores(), check_exact=True)
        assert scored.false_reasons(DAY) == []
    finally:
        path.unlink()
        scored.scores()


def test_too_little_data_is_said_in_a_sentence(spark, tmp_path):
    shop = a_shop(spark, tmp_path)
    with pytest.raises(HuaxiangError, match="no recommend_any has been trained"):
        shop.has(DAY, purchases(customers=4))
        shop.scores()
    with pytest.raises(HuaxiangError, match=r"needs 50 customers and 20 products .* up to 2024-05-05, and there are 4"):
        shop.trains()
    shop.has(DAY, purchases(days=50))
    with pytest.raises(HuaxiangError, match=r"up to 2024-05-05, and there are 0 and 0"):
        shop.trains()
