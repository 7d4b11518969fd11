"""Segments through real Spark and real MLflow, on a shop with three kinds of customers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huaxiang import tracking
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from spark_jobs.segments.params import SegmentParams

pytestmark = pytest.mark.spark

MONDAY, TUESDAY = Run(date(2024, 4, 1), date(2024, 4, 1)), Run(date(2024, 4, 2), date(2024, 4, 2))
TRIED = replace(SegmentParams(), bootstraps=6, bootstrap_starts=3, largest_k=4, fit_starts=2)
PARAMS = replace(TRIED, shapes=())  # K-Means alone, where the other shapes are not looked at


def features(day: date, customers: int = 180, structure: bool = True) -> pd.DataFrame:
    """Customers in turn frequent and coupon-minded, with large baskets, or lapsed; or all alike but for chance."""
    rng = np.random.default_rng(7)
    kinds = np.arange(customers) % 3
    orders = np.array([30, 8, 2])[kinds] + rng.integers(0, 3, customers) * (kinds != 2)
    basket = np.array([12.0, 60.0, 20.0])[kinds] * rng.uniform(0.8, 1.2, customers)
    recency = np.array([2, 8, 90])[kinds] + rng.integers(0, 3, customers)
    coupons = np.array([0.05, 0.0, 0.0])[kinds] * rng.uniform(0.5, 1.5, customers)
    if not structure:  # four figures that know nothing of each other; days count from a week on, so they lie beyond it
        chance = np.exp(rng.normal(0, 1, (4, customers)))
        orders, basket = 1 + (20 * chance[0]).astype(int), 30 * chance[1]
        recency, coupons = 7 + (30 * chance[2]).astype(int), chance[3] / 99
    spend = [Decimal(f"{value:.2f}") for value in orders * basket]
    table = pd.DataFrame(
        {
            "customer_id": [f"cust-{number:05d}" for number in range(customers)],
            "as_of": day,
            "recency_days": recency,
            "order_count": orders,
            "order_count_91d": orders,
            "line_count": 4 * orders,
            "net_spend": spend,
            "net_spend_91d": spend,
            "basket_net_mean": basket,
            "coupon_share": coupons,
        }
    )
    for quintile, column in (("recency", -recency), ("frequency", orders), ("monetary", orders * basket)):
        table[f"{quintile}_quintile"] = pd.qcut(pd.Series(column).rank(method="first"), 5, labels=False) + 1
    return table


@dataclass
class Shop:
    """A home with features, in which segments are trained and scored."""

    spark: object
    settings: Settings
    params: SegmentParams = PARAMS

    def has(self, run: Run, table: pd.DataFrame) -> None:
        path = self.settings.home.build(run.id) / "features" / "customer_features.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(path, index=False)

    def trains(self, run: Run) -> tracking.Version | None:
        from spark_jobs.segments import job

        return job.train(self.spark, self.settings, run, StepLog("train"), self.params)

    def scores(self, run: Run) -> pd.DataFrame:
        """Score the day; train first where there is no champion, as the models step does."""
        from spark_jobs.segments import job

        if tracking.champion(self.settings, "segments") is None:
            self.trains(run)
        job.score(self.spark, self.settings, run, StepLog("models"), self.params)
        return pd.read_parquet(self.file(run, "customer_segments.parquet"))

    def file(self, run: Run, name: str):
        return self.settings.home.build(run.id) / "segments" / name

    def card(self, run: Run) -> dict:
        return json.loads(self.file(run, "model.json").read_text())

    def releases(self, run: Run, segments: pd.DataFrame, features: pd.DataFrame | None = None) -> None:
        """A release of the day with these segments (and features), as far as a later day looks at it."""
        folder = self.settings.home.release(f"{run.as_of}-x")
        (folder / "segments").mkdir(parents=True)
        if features is not None:
            (folder / "features").mkdir()
            features.to_parquet(folder / "features" / "customer_features.parquet", index=False)
        segments.to_parquet(folder / "segments" / "customer_segments.parquet")
        said = {"as_of": str(run.as_of), "known_at": str(run.known_at), "fence": 1, "inputs": {}, "tables": {}}
        (folder / "MANIFEST.json").write_text(json.dumps(said))


def a_shop(spark, folder) -> Shop:
    return Shop(spark, replace(load_settings(), home=Home(folder / "home"), currency="EUR"))


@pytest.fixture
def shop(spark, tmp_path) -> Shop:
    return a_shop(spark, tmp_path)


@pytest.fixture(scope="module")
def scored(spark, tmp_path_factory) -> Shop:
    """A shop on the evening of its first Monday. Tests that use it only look."""
    shop = a_shop(spark, tmp_path_factory.mktemp("scored"))
    shop.params = TRIED
    shop.has(MONDAY, features(MONDAY.as_of))
    shop.scores(MONDAY)
    return shop


def test_the_first_score_trains_and_every_customer_gets_a_named_segment(scored):
    rows = pd.read_parquet(scored.file(MONDAY, "customer_segments.parquet"))
    assert list(rows["customer_id"]) == sorted(features(MONDAY.as_of)["customer_id"])
    # By falling mean spend: large baskets about 540 (9 orders of 60), frequent 372 (31 of 12), lapsed 40 (2 of 20).
    assert list(rows["segment_id"][:6]) == [2, 1, 3, 2, 1, 3]
    assert dict(zip(rows["segment_id"], rows["segment_name"], strict=True)) == {
        1: "large baskets, big spenders",
        2: "frequent, coupon-minded, small baskets",
        3: "lapsed, low spend",
    }


def test_segments_and_their_facts_add_up(scored):
    segments = pd.read_parquet(scored.file(MONDAY, "segments.parquet"))
    facts = pd.read_parquet(scored.file(MONDAY, "segment_facts.parquet"))
    assert list(segments["customer_count"]) == [60, 60, 60]
    assert segments["customer_share"].sum() == pytest.approx(1, abs=1e-5)
    assert segments["recency_days"].between(2, 93).all()
    lapsed = facts[facts["word"] == "lapsed"].iloc[0]
    assert lapsed["statement"].startswith("days since the last order: 9")
    assert lapsed["effect"] == 1.0 and lapsed["p_value"] < 0.01
    assert set(segments["segment_name"].str.split(", ").explode()) <= set(facts["word"])


def test_the_model_card_tells_the_choice_of_k_beside_the_baseline(scored):
    card = scored.card(MONDAY)
    assert (card["model"], card["version"], card["k"], card["notes"]) == ("segments", "1", 3, [])
    assert [row["k"] for row in card["k_table"]] == [2, 3, 4]
    assert card["metrics"]["silhouette"] > card["metrics"]["baseline_silhouette"]
    assert card["metrics"]["silhouette_low"] <= card["metrics"]["silhouette"] <= card["metrics"]["silhouette_high"]
    assert card["metrics"]["agreement_with_sample"] == 1.0  # scikit-learn's K-Means finds what Spark's does
    assert card["left_out_features"] == ["campaigns_answered"]


def test_other_shapes_are_tried_beside_k_means_and_stay_visible(scored):
    tried = {row["recipe"]: row for row in scored.card(MONDAY)["tried"]}
    assert list(tried) == ["spark-kmeans", "gaussian-mixture", "hdbscan"]
    assert [row["outcome"] for row in tried.values()] == ["won", "lost", "lost"]
    assert all({"silhouette", "stability_low", "least_found_again"} <= set(row["metrics"]) for row in tried.values())
    runs = tracking.connect(scored.settings).search_runs(experiment_names=["segments"], output_format="list")
    assert {run.data.tags["recipe"] for run in runs} == {*tried, "leaderboard"}
    [mixture] = [run for run in runs if run.data.tags["recipe"] == "gaussian-mixture"]
    assert mixture.data.tags["promotion"] == "lost" and mixture.data.metrics["bic"] != 0


def test_the_table_says_of_everybody_whether_the_customer_is_like_others(scored):
    rows = pd.read_parquet(scored.file(MONDAY, "customer_segments.parquet"))
    assert rows["is_outlier"].notna().all() and (rows["is_outlier"] == (rows["outlier_score"] > 1)).all()
    assert (rows["outlier_reason"].notna() == rows["is_outlier"]).all()


def test_a_mixture_scores_alike_in_spark_in_numpy_and_as_served(spark):
    from types import SimpleNamespace

    from spark_jobs.segments import nearest, transforms
    from spark_jobs.segments.model import SegmentModel, assign, unnamed
    from spark_jobs.segments.portable import NearestCentre

    rng = np.random.default_rng(6)
    table = pd.DataFrame(7 + 20 * np.exp(rng.normal(0, 1, (300, 2))), columns=["recency_days", "basket_net_mean"])
    table["customer_id"] = [f"c{number:03d}" for number in range(300)]
    groups = unnamed([(-1, 0), (0.5, -0.5), (0.5, 0.7)], 6, rng.uniform(0.5, 1, (3, 2)), rng.uniform(0, 1, 3))
    features = spark.createDataFrame(table)
    scalings = transforms.measure(features, PARAMS)
    model = SegmentModel("2024-04-01", "f", 6, scalings, groups, {})
    rows = assign(transforms.scaled(features, scalings, 6), groups, 6).toPandas().sort_values("customer_id")
    assert rows["segment_id"].nunique() == 3
    columns = ["segment_id", "distance"]
    expected = rows[columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(nearest.assigned(table, model)[columns], expected, check_dtype=False, atol=2e-6)
    served = NearestCentre()
    served.model = json.loads(model.to_json())
    found = served.predict(SimpleNamespace(), table)[columns]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, atol=2e-6)


@pytest.mark.parametrize("partitions", [1, 2, 8])
def test_labels_do_not_depend_on_partitions(spark, partitions):
    from spark_jobs.segments import transforms
    from spark_jobs.segments.model import Segment, assign, fit

    # Without groups to find, the outcome of K-Means hangs on where it starts.
    chance = pd.DataFrame(np.random.default_rng(5).normal(0, 1, (400, 2)), columns=["recency_days", "basket_net_mean"])
    chance["customer_id"] = [f"c{number:03d}" for number in range(400)]
    params = replace(PARAMS, rows_per_partition=150, fit_starts=1)

    def labels(parts):
        ordered = transforms.in_fixed_order(spark.createDataFrame(chance).repartition(parts), len(chance), params)
        assert ordered.rdd.getNumPartitions() == 3
        scaled = transforms.scaled(ordered, transforms.measure(ordered, params), params.decimals)
        segments = tuple(Segment(i + 1, "", (), centre) for i, centre in enumerate(fit(scaled, 5, params)))
        rows = assign(scaled, segments, params.decimals).select("customer_id", "segment_id", "distance").collect()
        return sorted(map(tuple, rows))

    assert labels(partitions) == labels(5)


def test_scoring_the_same_day_twice_writes_the_same_bytes(shop):
    shop.has(MONDAY, features(MONDAY.as_of))
    shop.scores(MONDAY)
    names = ["customer_segments.parquet", "segments.parquet", "segment_facts.parquet", "model.json"]
    before = [shop.file(MONDAY, name).read_bytes() for name in names]
    shop.scores(MONDAY)
    assert [shop.file(MONDAY, name).read_bytes() for name in names] == before
    assert sorted(path.name for path in shop.file(MONDAY, "").iterdir()) == sorted(names)


def test_the_same_customers_give_the_same_model_in_another_home(scored, shop):
    shuffled = features(MONDAY.as_of).sample(frac=1, random_state=1)
    shop.has(MONDAY, shuffled)
    shop.params = TRIED
    pd.testing.assert_frame_equal(
        shop.scores(MONDAY), pd.read_parquet(scored.file(MONDAY, "customer_segments.parquet"))
    )


def test_a_refit_on_the_same_customers_leaves_the_champion(shop):
    shop.has(MONDAY, features(MONDAY.as_of))
    first = shop.trains(MONDAY)
    assert shop.trains(MONDAY) is None
    assert tracking.champion(shop.settings, "segments").version == first.version == "1"


def test_a_new_customer_gets_a_segment_of_the_champion(shop):
    shop.has(MONDAY, features(MONDAY.as_of))
    shop.scores(MONDAY)
    shop.has(TUESDAY, features(TUESDAY.as_of, customers=181))
    rows = shop.scores(TUESDAY).set_index("customer_id")
    assert rows.loc["cust-00180", "segment_name"] == "frequent, coupon-minded, small baskets"
    assert shop.card(TUESDAY)["training_as_of"] == "2024-04-01"


def test_a_retrained_model_keeps_the_ids_of_the_release_before(shop):
    shop.has(MONDAY, features(MONDAY.as_of))
    rows = shop.scores(MONDAY)
    shop.releases(MONDAY, rows.assign(segment_id=rows["segment_id"].map({1: 30, 2: 10, 3: 20})))
    shop.has(TUESDAY, features(TUESDAY.as_of))
    assert shop.trains(TUESDAY).version == "2"
    assert list(shop.scores(TUESDAY)["segment_id"][:3]) == [10, 30, 20]
    assert shop.card(TUESDAY)["metrics"]["kept_share"] == 1.0


def test_ids_are_those_of_the_champion_where_there_is_no_release_before(shop):
    shop.has(MONDAY, features(MONDAY.as_of))
    before = shop.scores(MONDAY)
    # Numbered anew by spend, the segments would turn round.
    table = features(TUESDAY.as_of)
    shop.has(TUESDAY, table.assign(net_spend=[1000 - spend for spend in table["net_spend"]]))
    assert shop.trains(TUESDAY).version == "2"
    assert list(shop.scores(TUESDAY)["segment_id"]) == list(before["segment_id"])


def test_a_refit_goes_only_so_far_as_customers_keep_their_segment(spark):
    from spark_jobs.segments import staying, transforms
    from spark_jobs.segments.model import Segment, SegmentModel, unnamed

    def refit(*centres: float) -> staying.Groups:
        return staying.Groups((plain,), unnamed([(centre,) for centre in centres], 6))

    plain = transforms.Scaling("spend", False, 1.0, 0.0, 0.0, 0.0, 1.0, 1000.0, 1.0)
    segments = tuple(Segment(number, "", (), (centre,)) for number, centre in ((7, 75.0), (9, 25.0)))
    known = SegmentModel("2024-03-04", "", 6, (plain,), segments, {})
    customers = spark.range(101).selectExpr("cast(id as string) as customer_id", "cast(id as double) as spend")
    scaled = transforms.scaled(customers, (plain,), 6)

    # 50 customers lie nearest to 25, on average at 24.5, the others at 75. The refit's border is 62, so 12 of 101 would
    # change; that of .4 of the way from these means 54.65, for which five do, that of .6 57.1, for which eight do. From
    # the champion over the means to the refit these are .7 and .8 of the way.
    found = staying.settle(scaled, known, refit(40.0, 84.0), PARAMS)
    assert found.taken.step == 0.7
    assert found.taken.kept == pytest.approx(96 / 101)
    assert found.refit.kept == pytest.approx(89 / 101)
    assert {one.segment_id: one.centre for one in found.groups.segments} == {9: (30.7,), 7: (78.6,)}

    assert staying.settle(scaled, known, refit(10.0, 50.0, 90.0), PARAMS).taken is None  # a segment came
    assert staying.settle(scaled, None, refit(40.0, 84.0), PARAMS).groups == refit(40.0, 84.0)


def test_a_refit_can_be_held_back_to_the_scales_of_the_champion(spark):
    from spark_jobs.segments import staying, transforms
    from spark_jobs.segments.model import Segment, SegmentModel, unnamed

    then = transforms.Scaling("spend", False, 1.0, 0.0, 0.0, 0.0, 1.0, 1000.0, 1.0)
    now = replace(then, mean=50.0, deviation=10.0)
    segments = tuple(Segment(number, "", (), (centre,)) for number, centre in ((7, 70.0), (9, 10.0)))
    customers = spark.range(101).selectExpr("cast(id as string) as customer_id", "cast(id as double) as spend")
    scaled = transforms.scaled(customers, (now,), 6)
    known = SegmentModel("2024-03-04", "", 6, (then,), segments, {})
    all_stay = replace(PARAMS, least_kept=1.0, most_lost=9.0)

    # The champion's border is 40. Those below lie at 19.5 on average, so that its border would rise at the first step,
    # and the one at 40 would move. In the new scales 60 and 90 are 1 and 4.
    found = staying.settle(scaled, known, staying.Groups((now,), unnamed([(1.0,), (4.0,)], 6)), all_stay)
    assert (found.taken.step, found.taken.kept) == (0.0, 1.0)
    assert found.groups == staying.Groups((then,), segments)
    # To the nearer of 60 and 90: sums of squares of 0..60, 1..15, 15..1 and 0..10, over the deviation's square.
    assert found.refit.squares == pytest.approx((73810 + 1240 + 1015 + 385) / 100)


def test_who_moved_since_the_release_before_is_told_with_the_features_that_moved(shop):
    monday = features(MONDAY.as_of)
    shop.has(MONDAY, monday)
    rows = shop.scores(MONDAY)
    assert not shop.file(MONDAY, "segment_moves.parquet").exists()
    assert shop.card(MONDAY)["since"] is None
    shop.releases(MONDAY, rows, monday)

    tuesday = features(TUESDAY.as_of, customers=181)
    lapsed = ["recency_days", "order_count_91d", "net_spend_91d", "basket_net_mean", "coupon_share"]
    tuesday.loc[0, lapsed] = tuesday.loc[2, lapsed]  # a frequent customer is as one of the lapsed from now on
    shop.has(TUESDAY, tuesday[tuesday["customer_id"] != "cust-00005"])
    now = shop.scores(TUESDAY).set_index("customer_id")["segment_id"]

    moves = pd.read_parquet(shop.file(TUESDAY, "segment_moves.parquet"))
    first = moves[moves["rank"] == 1].set_index("customer_id")
    assert dict(first["how"]) == {
        "cust-00000": "feature moved",
        "cust-00005": "left",
        "cust-00180": "new customer",
    }
    assert first.loc["cust-00000", ["from_segment", "to_segment"]].tolist() == [
        rows["segment_id"][0],
        now["cust-00002"],
    ]
    moved = moves[moves["customer_id"] == "cust-00000"]
    assert set(moved["feature"]) <= set(lapsed)
    assert moved["before"].tolist() == [round(float(monday.loc[0, name]), 6) for name in moved["feature"]]
    since = shop.card(TUESDAY)["since"]
    assert (since["customers_in_both"], since["stayed"], since["is_same_model"]) == (179, 178, True)


def test_a_worse_challenger_stays_a_run_and_the_champion_scores(shop):
    shop.has(MONDAY, features(MONDAY.as_of))
    shop.trains(MONDAY)
    shop.has(TUESDAY, features(TUESDAY.as_of, structure=False))
    assert shop.trains(TUESDAY) is None
    mlflow = tracking.connect(shop.settings)
    runs = mlflow.search_runs(
        experiment_names=["segments"],
        filter_string="tags.recipe = 'spark-kmeans'",
        output_format="list",
        order_by=["start_time"],
    )
    assert [run.data.tags["promotion"] for run in runs] == ["won", "lost"]
    assert "no three usable segments" in runs[1].data.tags["notes"]
    assert len(mlflow.MlflowClient().search_model_versions("name='segments'")) == 1
    shop.scores(TUESDAY)
    card = shop.card(TUESDAY)
    assert card["version"] == "1"
    assert any("is no longer a tested difference on 2024-04-02" in note for note in card["notes"])


def test_a_fit_is_tracked_whole(scored):
    mlflow = tracking.connect(scored.settings)
    champion = tracking.champion(scored.settings, "segments")
    run = mlflow.get_run(champion.run_id)
    for metric in ("silhouette", "stability", "baseline_silhouette", "baseline_stability"):
        low, value, high = (run.data.metrics[f"{metric}{end}"] for end in ("_low", "", "_high"))
        assert low <= value <= high or (metric.endswith("stability") and low <= high)
    steps = mlflow.MlflowClient().get_metric_history(champion.run_id, "k_silhouette")
    assert [entry.step for entry in steps] == [2, 3, 4]
    assert run.data.params["k"] == "3"
    assert run.data.params["seed"] == str(PARAMS.seed)
    assert run.data.params["features_hash"].startswith("180:")
    assert run.data.tags["algorithm"] == "spark-kmeans"
    assert run.data.tags["code_hash"]
    pictures = [file.path for file in mlflow.MlflowClient().list_artifacts(champion.run_id, "plots")]
    assert pictures == ["plots/by_k.png", "plots/profile.png", "plots/sizes.png"]


def test_nothing_about_a_customer_is_tracked(scored):
    home = scored.settings.home
    tracked = [home.root / "mlflow.db", *(path for path in home.mlflow_artifacts.rglob("*") if path.is_file())]
    assert len(tracked) > 8
    assert [path.name for path in tracked if b"cust-" in path.read_bytes()] == []
    assert [path.name for path in tracked if path.suffix in (".parquet", ".csv") or "example" in path.name] == []


def test_the_registered_model_scores_like_spark(scored):
    mlflow = tracking.connect(scored.settings)
    model = mlflow.pyfunc.load_model("models:/segments@champion")
    table = features(MONDAY.as_of)
    wanted = [column.name for column in model.metadata.signature.inputs]
    found = model.predict(table[wanted].astype(float))
    rows = pd.read_parquet(scored.file(MONDAY, "customer_segments.parquet"))
    pd.testing.assert_frame_equal(found, rows[["segment_id", "segment_name", "distance"]], check_dtype=False, atol=2e-6)
    requirements = mlflow.pyfunc.get_model_dependencies("models:/segments@champion")
    assert {"mlflow", "numpy", "pandas"} == {line.split("==")[0] for line in Path(requirements).read_text().split()}


def test_a_release_is_a_run_that_links_its_models(scored):
    champion = tracking.champion(scored.settings, "segments")
    manifest = {
        "release_id": "2024-04-01-abc",
        "as_of": "2024-04-01",
        "known_at": "2024-04-01",
        "models": {"segments": {"version": "1", "run_id": champion.run_id, "fingerprint": champion.fingerprint}},
        "code": {"revision": "", "hash": "h"},
        "tables": {"customer_segments": {"rows": 180}},
        "inputs": {"files": 3},
    }
    run_id = tracking.log_release(scored.settings, manifest)
    run = tracking.connect(scored.settings).get_run(run_id)
    assert run.data.params == {"release_id": "2024-04-01-abc", "as_of": "2024-04-01", "known_at": "2024-04-01"}
    assert run.data.tags["model.segments"] == "segments version 1"
    assert run.data.tags["model_run.segments"] == champion.run_id
    assert run.data.metrics == {"rows_customer_segments": 180.0, "input_files": 3.0}


def test_twenty_customers_are_one_segment_with_a_note(shop):
    shop.has(MONDAY, features(MONDAY.as_of, customers=20))
    rows = shop.scores(MONDAY)
    assert set(rows["segment_id"]) == {1}
    assert set(rows["segment_name"]) == {"all customers"}
    assert len(pd.read_parquet(shop.file(MONDAY, "segment_facts.parquet"))) == 0
    card = shop.card(MONDAY)
    assert card["k"] == 1
    assert card["notes"] == ["20 customers are too few to segment: 60 are needed, so all are one segment"]


def test_a_feature_the_champion_needs_and_a_day_without_features_are_named(shop):
    shop.has(MONDAY, features(MONDAY.as_of))
    shop.trains(MONDAY)
    with pytest.raises(MissingPartition, match="run 'huaxiang features --as-of 2024-04-02' first"):
        shop.scores(TUESDAY)
    shop.has(TUESDAY, features(TUESDAY.as_of).drop(columns="coupon_share"))
    with pytest.raises(HuaxiangError, match=r"needs 'coupon_share'.*run 'huaxiang train --as-of 2024-04-02'"):
        shop.scores(TUESDAY)
    assert shop.trains(TUESDAY).version == "2"  # such a champion is replaced whatever its figures
    assert len(shop.scores(TUESDAY)) == 180
