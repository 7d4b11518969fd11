"""Scores trained, judged, promoted and written in a small home, with real scikit-learn and real MLflow."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from huaxiang import tracking
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.judging import splits
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from spark_jobs.scores.params import ScoreParams
from tests.spark.small_shop import SmallShop

pytestmark = pytest.mark.spark

DAY = Run(date(2024, 10, 20), date(2024, 10, 20))
NEXT = Run(date(2024, 10, 21), date(2024, 10, 21))
PARAMS = replace(
    ScoreParams(),
    cutoffs=7,
    judged_cutoffs=4,
    resamples=60,
    tree_count=12,
    least_leaf_rows=20,
    bins=5,
    forest_trees=10,
    neighbour_groups=60,
    tree_leaf_rows=40,
    shuffles=2,
)
# A home is trained with three of them: the test of a home is not one of recipes.
HOME = ("logistic", "boosting", "bayes")
RECIPES = ("logistic", "tree", "forest", "boosting", "svm", "bayes", "neighbours", "net", "average")
KEY = ["customer_id", "target", "category"]


@dataclass
class ScoreHome:
    """A home in which scores are trained and scored."""

    settings: Settings

    def has(self, run: Run, shop: SmallShop) -> None:
        from spark_jobs.scores import job

        shop.put(self.settings, run, job.snapshot_days(run.as_of, PARAMS))

    def trains(self, run: Run) -> dict[str, tracking.Version | None]:
        from spark_jobs.scores import job

        return job.train(None, self.settings, run, StepLog("train"), replace(PARAMS, recipes=HOME))

    def scores(self, run: Run) -> pd.DataFrame:
        from spark_jobs.scores import job

        job.score(None, self.settings, run, StepLog("models"), PARAMS)
        return pd.read_parquet(self.file(run, "customer_scores.parquet"))

    def file(self, run: Run, name: str):
        return self.settings.home.build(run.id) / "scores" / name

    def card(self, run: Run, target: str) -> dict:
        return json.loads(self.file(run, f"model.{target}.json").read_text())


def a_home(folder, *more: str) -> ScoreHome:
    """A home with the targets churn_28d, category_28d (the three largest), and `more` of those that are shipped."""
    settings = load_settings()
    (folder / "targets").mkdir(exist_ok=True)
    for name in ("churn_28d", "category_28d", *more):
        text = (settings.project / "targets" / f"{name}.yml").read_text().replace("largest: 20", "largest: 3")
        (folder / "targets" / f"{name}.yml").write_text(text)
    return ScoreHome(replace(settings, project=folder, home=Home(folder / "home"), currency="EUR"))


@pytest.fixture(scope="module")
def shop() -> SmallShop:
    return SmallShop.made()


@pytest.fixture(scope="module")
def scored(tmp_path_factory, shop) -> ScoreHome:
    """A home on the evening of its first training. Tests that use it only look."""
    home = a_home(tmp_path_factory.mktemp("scored"))
    home.has(DAY, shop)
    home.trains(DAY)
    home.scores(DAY)
    return home


def test_every_customer_gets_a_probability_of_staying_away_and_one_per_category(scored, shop):
    rows = pd.read_parquet(scored.file(DAY, "customer_scores.parquet"))
    customers = sorted(shop.features(DAY.as_of)["customer_id"])
    assert list(rows.columns) == [*KEY, "probability", "reasons", "model_fingerprint"]
    assert list(rows["customer_id"].unique()) == customers
    assert len(rows) == len(customers) * 4
    assert rows[KEY].equals(rows[KEY].sort_values(KEY))
    assert set(rows["category"][rows["target"] == "churn_28d"]) == {""}
    asked = set(rows["category"]) - {""}
    assert len(asked) == 3 and asked < {"bread", "cheese", "milk", "tea"}  # the collective category is left out
    assert rows["probability"].between(0, 1).all()
    assert (rows["probability"] == rows["probability"].round(6)).all()


def test_who_has_not_come_for_long_is_likelier_to_stay_away(scored, shop):
    rows = pd.read_parquet(scored.file(DAY, "customer_scores.parquet"))
    churn = rows[rows["target"] == "churn_28d"].set_index("customer_id")["probability"]
    recency = shop.features(DAY.as_of).set_index("customer_id")["recency_days"]
    assert churn[recency > 100].mean() > 0.7 > 0.3 > churn[recency < 5].mean()


def test_reasons_name_the_figure_and_what_is_typical(scored, shop):
    rows = pd.read_parquet(scored.file(DAY, "customer_scores.parquet"))
    longest = shop.features(DAY.as_of).sort_values("recency_days").iloc[-1]
    reasons = rows[(rows["customer_id"] == longest["customer_id"]) & (rows["target"] == "churn_28d")]["reasons"].iloc[0]
    assert "raises it" in reasons
    assert rows["reasons"].str.len().min() > 0
    assert rows["reasons"].str.count(";").max() <= 2


def test_the_cards_tell_every_recipe_that_was_tried_beside_the_baseline(scored):
    for target, baseline in (("churn_28d", "recency"), ("category_28d", "past_count")):
        card = scored.card(DAY, target)
        assert (card["model"], card["version"]) == (target, tracking.champion(scored.settings, target).version)
        assert [one["recipe"] for one in card["tried"]] == [baseline, *HOME]
        assert [one["outcome"] for one in card["tried"]].count("won") == 1
        assert card["baseline"]["name"] == baseline
        metrics = card["metrics"]
        assert metrics["auc_low"] <= metrics["auc"] <= metrics["auc_high"]
        assert "fit_seconds" not in metrics
        assert [row["cutoff"] for row in card["by_cutoff"]] == ["2024-06-30", "2024-07-28", "2024-08-25", "2024-09-22"]
    assert {row["category"] for row in scored.card(DAY, "category_28d")["by_category"]} < {
        "bread",
        "cheese",
        "milk",
        "tea",
    }


def test_a_training_is_a_leaderboard_of_runs_with_pictures(scored):
    mlflow = tracking.connect(scored.settings)
    runs = mlflow.search_runs(experiment_names=["churn_28d"], output_format="list")
    assert sorted(run.data.tags["recipe"] for run in runs) == sorted(["leaderboard", "recency", *HOME])
    [above] = [run for run in runs if run.data.tags["recipe"] == "leaderboard"]
    assert {run.data.tags.get("mlflow.parentRunId") for run in runs} == {None, above.info.run_id}
    said = mlflow.artifacts.load_dict(f"{above.info.artifact_uri}/leaderboard.json")
    table = pd.DataFrame(said["data"], columns=said["columns"])
    assert sorted(table["recipe"]) == sorted(["recency", *HOME])
    assert list(table["auc"]) == sorted(table["auc"], reverse=True)
    assert (table["seconds"].drop(table.index[table["recipe"] == "recency"]) > 0).all()
    best = max((run for run in runs if run.data.tags["recipe"] in HOME), key=lambda run: run.data.metrics["auc"])
    wanted = {"auc", "auc_gain_low", "brier", "calibration_error", "calibration_slope", "fit_seconds", "shuffled_auc"}
    assert wanted <= set(best.data.metrics)
    pictures = [file.path for file in mlflow.MlflowClient().list_artifacts(best.info.run_id, "plots")]
    names = ("by_cutoff", "calibration", "gains", "quality_and_cost")
    assert pictures == [f"plots/{name}.png" for name in names]


def test_nothing_about_a_customer_is_tracked(scored):
    home = scored.settings.home
    tracked = [home.root / "mlflow.db", *(path for path in home.mlflow_artifacts.rglob("*") if path.is_file())]
    assert len(tracked) > 20
    assert [path.name for path in tracked if b"cust-" in path.read_bytes()] == []


def test_the_registered_model_scores_like_the_daily_run(scored, shop):
    mlflow = tracking.connect(scored.settings)
    model = mlflow.pyfunc.load_model("models:/churn_28d@champion")
    wanted = [column.name for column in model.metadata.signature.inputs]
    found = model.predict(shop.features(DAY.as_of)[wanted].astype(float))
    rows = pd.read_parquet(scored.file(DAY, "customer_scores.parquet"))
    rows = rows[rows["target"] == "churn_28d"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.reset_index(drop=True), rows[["probability", "reasons"]])


def test_after_a_roll_back_the_scores_are_the_same_bytes(scored):
    mlflow = tracking.connect(scored.settings)
    client = mlflow.MlflowClient()
    first = client.get_model_version_by_alias("churn_28d", "champion")
    runs = mlflow.search_runs(experiment_names=["churn_28d"], output_format="list")
    other = next(run for run in runs if run.data.tags["recipe"] in HOME and run.info.run_id != first.run_id)
    model, tags = other.data.tags["spool_model"], {"recipe": "other", "fingerprint": other.data.tags["fingerprint"]}
    made = client.create_model_version(
        "churn_28d", model, other.info.run_id, tags=tags, model_id=model.rpartition("/")[2]
    )
    first, second = first.version, made.version
    before = scored.file(DAY, "customer_scores.parquet").read_bytes()
    client.set_registered_model_alias("churn_28d", "champion", second)
    scored.scores(DAY)
    promoted = scored.file(DAY, "customer_scores.parquet").read_bytes()
    client.set_registered_model_alias("churn_28d", "champion", first)
    scored.scores(DAY)
    assert promoted != before
    assert scored.file(DAY, "customer_scores.parquet").read_bytes() == before


def test_scoring_the_same_day_twice_writes_the_same_bytes(scored):
    names = ("customer_scores.parquet", "model.churn_28d.json", "model.category_28d.json")
    before = [scored.file(DAY, name).read_bytes() for name in names]
    scored.scores(DAY)
    assert [scored.file(DAY, name).read_bytes() for name in names] == before


def test_the_same_rows_give_the_same_scores_in_another_home_and_a_refit_changes_nothing(scored, tmp_path, shop):
    home = a_home(tmp_path)
    shuffled = SmallShop(shop.orders.sample(frac=1, random_state=1), shop.purchases.sample(frac=1, random_state=1))
    home.has(DAY, shuffled)
    assert all(home.trains(DAY).values())
    pd.testing.assert_frame_equal(home.scores(DAY), pd.read_parquet(scored.file(DAY, "customer_scores.parquet")))
    assert home.trains(DAY) == {"churn_28d": None, "category_28d": None}


def test_what_is_missing_is_named_with_the_next_step(scored, tmp_path, shop):
    home = a_home(tmp_path)
    with pytest.raises(MissingPartition, match=r"snapshots\.parquet of 2024-10-20 is not there: run 'huaxiang train"):
        home.trains(DAY)
    home.has(DAY, shop)
    with pytest.raises(HuaxiangError, match="no model of category_28d, churn_28d has been trained yet"):
        home.scores(DAY)
    scored.has(NEXT, shop)
    path = scored.settings.home.build(NEXT.id) / "features" / "customer_features.parquet"
    pd.read_parquet(path).drop(columns="recency_days").to_parquet(path, index=False)
    with pytest.raises(HuaxiangError, match=r"needs 'recency_days'.*run 'huaxiang train --as-of 2024-10-21'"):
        scored.scores(NEXT)


def test_too_short_a_history_is_said_in_a_sentence(tmp_path):
    home = a_home(tmp_path)
    early = Run(date(2024, 4, 1), date(2024, 4, 1))
    home.has(early, SmallShop.made(days=100))
    wanted = (
        r"no target can be trained up to 2024-04-01.*churn_28d has \d usable cut-offs, 28 days apart.*can be judged"
    )
    with pytest.raises(HuaxiangError, match=wanted):
        home.trains(early)


def test_a_target_whose_source_a_home_lacks_is_left_out_and_the_others_go_on(tmp_path, shop, capsys):
    home = a_home(tmp_path, "buys_coffee_28d", "coupon_response_28d", "high_value_28d")
    (tmp_path / "targets" / "category_28d.yml").unlink()
    home.has(DAY, shop)
    assert set(home.trains(DAY)) == {"churn_28d"}
    assert set(home.scores(DAY)["target"]) == {"churn_28d"}
    said = capsys.readouterr()
    assert (
        "high_value_28d.yml:7: 'baseline' 'net_spend_28d' is no figure that is learned from here" in said.out + said.err
    )
    assert "buys_coffee_28d is left out: nobody ever bought COFFEE" in said.out + said.err
    assert "coupon_response_28d is left out: this home has no redemptions of coupons" in said.out + said.err


def people(customers: int = 1500, cutoffs: int = 6):
    """Rows whose event hangs on one of three figures, at cut-offs 28 days apart; near half have it."""
    from spark_jobs.scores.examples import Examples

    rng = np.random.default_rng(21)
    size = customers * cutoffs
    figures = pd.DataFrame(rng.normal(0, 1, (size, 3)), columns=["recency_days", "price_level", "discount_share"])
    figures["recency_days"] = np.exp(figures["recency_days"])
    label = (rng.uniform(size=size) < 1 / (1 + np.exp(-2 * np.log(figures["recency_days"])))).astype(float)
    ids = np.array([f"c{number:05d}" for number in range(customers)], dtype=object)
    cutoff = np.repeat(np.arange(cutoffs) * 28, customers)
    return Examples(np.tile(ids, cutoffs), cutoff, np.full(size, "", dtype=object), figures, label.to_numpy())


def judged(rows, params=PARAMS):
    from huaxiang.targets import Baseline
    from spark_jobs.scores import walk

    cutoffs = sorted(set(rows.cutoff.tolist()))
    plan = splits.plan(cutoffs, 28, params.judged_cutoffs, params.fewest_judged, params.calibration_cutoffs)
    return walk.walk_forward(rows, cutoffs, plan, Baseline("recency", "recency_days", ""), "EUR", params)


def test_shuffled_labels_give_an_auc_of_one_half():
    trial = judged(people().shuffled(3))
    for recipe in ("recency", *RECIPES):
        assert trial.figure(recipe, "auc").value == pytest.approx(0.5, abs=0.02), recipe


def guarded(rows):
    from spark_jobs.scores import guards

    cutoffs = sorted(set(rows.cutoff.tolist()))
    return guards.guarded(rows, cutoffs, splits.plan(cutoffs, 28, 4, 2, 2), "churn_28d", "EUR", PARAMS)


def test_the_guards_name_the_column_that_decides_alone_and_no_other():
    found = guarded(people())
    assert list(found.lone_columns) == ["recency_days"]  # the event hangs on it alone
    assert found.shuffled_auc == pytest.approx(0.5, abs=0.02)
    assert found.notes()[0].startswith("without recency_days the AUC would fall by 0.")


def test_a_recipe_that_fails_or_is_too_slow_is_left_out_with_its_reason(monkeypatch):
    from spark_jobs.scores import classifiers, recipes

    def broken(figures, label, params):
        raise ZeroDivisionError("cust-00001")

    def slow(figures, label, params):
        began = time.process_time()
        while time.process_time() < began + 1:
            pass
        return classifiers.net(figures, label, params)

    for name, fit in (("forest", broken), ("net", slow)):
        monkeypatch.setitem(recipes.RECIPES, name, replace(recipes.RECIPES[name], fit=fit))
    few = ("logistic", "forest", "bayes", "net")
    trial = judged(people(customers=100), replace(PARAMS, recipes=few, recipe_seconds=0.9))
    assert trial.left_out == {
        "forest": "failed: ZeroDivisionError on 100 rows",  # and not a word of what the error said
        "net": "too slow: more than 0.9 s of processor time",
    }
    assert set(trial.judged) == {"recency", "logistic", "bayes"}


def test_true_labels_are_learned_by_every_recipe_and_its_probabilities_can_be_taken_at_their_word():
    from spark_jobs.scores import evaluate

    trial = judged(people())
    for recipe in ("recency", *RECIPES):
        metrics = evaluate.metrics(trial, recipe, "recency", PARAMS)
        assert metrics["auc"] > 0.75, recipe
        assert metrics["calibration_error"] < 0.05, recipe
        assert metrics["calibration_slope"] == pytest.approx(1, abs=0.15), recipe
        assert ((trial.judged[recipe].probabilities > 0) & (trial.judged[recipe].probabilities < 1)).all()


def test_a_label_is_learned_from_only_when_its_28_days_are_over():
    from spark_jobs.scores import walk

    rows = people(customers=10)
    assert set(walk.known_at(rows, [0, 28, 56, 84], 84, 28, PARAMS).cutoff) == {0, 28, 56}
    assert set(walk.known_at(rows, [0, 28, 56, 84], 83, 28, PARAMS).cutoff) == {0, 28}
    few = replace(PARAMS, fit_rows=25)
    assert set(walk.known_at(rows, [0, 28, 56, 84], 84, 28, few).cutoff) == {28, 56}


def test_labels_after_the_last_judged_cut_off_change_nothing_before_it():
    rows = people(customers=200)
    last = rows.cutoff == rows.cutoff.max()
    changed = replace(rows, label=np.where(last, 1 - rows.label, rows.label))
    before, after = judged(rows), judged(changed)
    for recipe in ("recency", *RECIPES):
        assert (before.judged[recipe].scores == after.judged[recipe].scores).all()
        assert (before.judged[recipe].probabilities == after.judged[recipe].probabilities).all()


def fitted(recipe: str):
    """A model as it is stored, the raw figures of its rows, and its estimator."""
    from spark_jobs.scores import portable

    trial = judged(people(customers=300))
    one = trial.judged[recipe]
    files = one.fitted.files(one.calibrations, {})
    estimator = portable.load_estimator(files["estimator.skops"]) if "estimator.skops" in files else None
    return json.loads(files["model.json"]), trial.rows.features, estimator


def logit(probability):
    return np.log(probability / (1 - probability))


def test_the_contributions_of_a_linear_model_add_up_to_its_logit():
    from spark_jobs.scores import portable

    model, frame, _ = fitted("logistic")
    model["decimals"] = 15
    categories = portable.categories_of(model, frame)
    values, typical = portable.values_of(model, frame), portable.typical_values(model, categories)
    places, moved = portable.contributions(model, values, categories)
    assert places == [0, 1, 2]
    base = logit(portable.probabilities(model, portable.raw_scores(model, typical, typical), categories))
    found = logit(portable.probabilities(model, portable.raw_scores(model, values, typical), categories))
    assert np.allclose(base + moved.sum(axis=1), found, atol=1e-9)


@pytest.mark.parametrize("recipe", RECIPES)
def test_what_is_said_to_raise_a_probability_does_so_and_with_the_rest_it_adds_up_to_the_score(recipe):
    from spark_jobs.scores import portable

    model, frame, estimator = fitted(recipe)
    categories = portable.categories_of(model, frame)
    values, typical = portable.values_of(model, frame), portable.typical_values(model, categories)
    before = portable.raw_scores(model, values, typical, estimator)
    places, moved = portable.contributions(model, values, categories, estimator)
    for column, place in enumerate(places):
        usual = values.copy()
        usual[:, place] = typical[:, place]
        after = portable.raw_scores(model, usual, typical, estimator)
        raises = moved[:, column] > 1e-9
        assert (after[raises] < before[raises]).all()
    assert (moved > 1e-9).any()
    rest = portable.remainder(model, values, categories, moved, estimator)
    base = portable.logits(model, portable.raw_scores(model, typical, typical, estimator), categories)
    assert np.allclose(base + moved.sum(axis=1) + rest, portable.logits(model, before, categories), atol=1e-9)


def test_what_the_told_figures_leave_over_is_told_as_one_of_them():
    from spark_jobs.scores import portable

    model, frame, estimator = fitted("net")
    model["least_reason"], model["reason_count"] = 0.0, 9
    said = " ".join(portable.answers(model, frame, estimator)["reasons"])
    assert "the other figures, and how all act together, raise it" in said
    assert "the other figures, and how all act together, lower it" in said


def test_a_reason_is_said_in_words():
    from spark_jobs.scores import phrases, portable

    def feature(name, typical, weight):
        scaling = {"is_log": False, "mean": 0.0, "deviation": 1.0, "is_told": True}
        return {"name": name, "typical": [typical], "weight": weight, **scaling, **phrases.phrase(name, "USD")}

    model = {
        "kind": "linear",
        "categories": [""],
        "calibration": [[1.0, 0.0]],
        "clip": 1e9,
        "decimals": 6,
        "intercept": 0.0,
        "reason_count": 2,
        "least_reason": 0.1,
        "features": [
            feature("order_count_28d", 5.0, -0.5),
            feature("recency_days", 6.0, 0.1),
            feature("net_spend_28d", 80.0, 0.02),
            feature("discount_share", 0.1, -1.0),
        ],
    }
    frame = pd.DataFrame(
        [(1, 41, 80, 0.1), (5, 6, 1280.5, None), (5, 7, 80, 0.1001)],
        columns=["order_count_28d", "recency_days", "net_spend_28d", "discount_share"],
    )
    assert list(portable.answers(model, frame)["reasons"]) == [
        # 35 days x 0.1 = 3.5 before 4 orders x 0.5 = 2
        "last order 41 days ago (typical: 6) raises it; 1 order in the last 28 days (typical: 5) raises it",
        "$1,280.50 spent in the last 28 days (typical: $80.00) raises it",
        "last order 7 days ago (typical: 6) raises it",
    ]


def test_a_stored_model_that_holds_more_than_trees_is_refused():
    import skops.io
    from sklearn.preprocessing import FunctionTransformer
    from skops.io.exceptions import UntrustedTypesFoundException

    from spark_jobs.scores import portable

    with pytest.raises(UntrustedTypesFoundException):
        portable.load_estimator(skops.io.dumps(FunctionTransformer(timedelta)))


def test_a_category_the_model_does_not_know_is_named():
    from spark_jobs.scores import portable

    with pytest.raises(ValueError, match="the model knows only milk, tea"):
        portable.categories_of({"categories": ["milk", "tea"]}, pd.DataFrame({"category": ["milk", "coffee"]}))
