"""What the report says of models, worked out by hand: figures in words, verdicts, cards of any family, products."""

from __future__ import annotations

import pytest

from huaxiang.report import glossary, portrait
from huaxiang.report.metrics import in_order, metric
from huaxiang.report.model_cards import Figure, ModelCard, read_card, read_measures, verdict
from huaxiang.report.pages.models import cost
from huaxiang.report.products import named


def _card(metrics: dict[str, float], **more) -> ModelCard:
    return read_card({"model": "churn_28d", "metrics": metrics, "baseline": {"name": "recency_alone"}} | more, "scores")


def _said(metrics: dict[str, float], **more) -> tuple[str, str]:
    card = _card(metrics, **more)
    return verdict(card.measures[0], card)


AUC = {"auc": 0.871, "auc_low": 0.851, "auc_high": 0.89, "baseline_auc": 0.83}


def test_a_figure_with_a_number_of_places_is_put_into_words():
    assert metric("hr_at_10").label == "Customers with a hit in 10"
    assert metric("ndcg_at_5").label == "Quality of the first 5 (NDCG)"


def test_an_unknown_figure_is_spelled_out_and_more_of_it_is_better():
    found = metric("top_decile_lift")
    assert (found.label, found.unit, found.is_higher_better) == ("Top decile lift", "score", True)
    assert metric("odd_at_3").label == "Odd at 3"


def test_a_share_is_told_in_percent_and_a_score_with_three_decimals():
    assert metric("hr_at_10").say(0.8412) == "84.1 %"
    assert metric("auc").say(0.8412) == "0.841"
    assert metric("auc").say(-0.0123) == "−0.012"
    assert metric("auc").say(None) == "–"


def test_the_figure_that_tells_most_comes_first_and_the_unknown_last():
    assert in_order(["odd", "brier", "recall_at_10", "auc"]) == ["auc", "recall_at_10", "brier", "odd"]


def test_only_figures_with_an_interval_or_a_baseline_are_measures():
    figures = AUC | {
        "customers": 9.0,
        "fit_seconds": 3.0,
        "auc_gain": 0.04,
        "auc_gain_low": 0.03,
        "auc_gain_high": 0.05,
    }
    [measure] = read_measures(figures)
    assert (measure.key, measure.model, measure.baseline) == ("auc", Figure(0.871, 0.851, 0.89), Figure(0.83))


def test_the_figure_that_decides_stands_before_all_others():
    both = AUC | {"brier": 0.1, "baseline_brier": 0.2}
    assert [measure.key for measure in read_measures(both, "brier")] == ["brier", "auc"]


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        ((0.041, 0.03, 0.052), ("passed", "Better than recency alone by 0.041 (0.030 to 0.052).")),
        ((-0.041, -0.052, -0.03), ("failed", "Worse than recency alone by 0.041 (0.030 to 0.052).")),
        (
            (0.004, -0.002, 0.01),
            (
                "warning",
                "Not surely better than recency alone: the difference is 0.004, and its interval "
                "(−0.002 to 0.010) holds 0.",
            ),
        ),
    ],
)
def test_the_paired_difference_decides_the_verdict(gain, said):
    assert _said(AUC | dict(zip(("auc_gain", "auc_gain_low", "auc_gain_high"), gain, strict=True))) == said


@pytest.mark.parametrize("sign", [1, -1], ids=["gain", "bare difference"])
def test_of_an_error_the_gain_is_told_whichever_way_the_card_has_it(sign):
    low, high = sorted((0.01 * sign, 0.03 * sign))
    brier = {
        "brier": 0.1,
        "baseline_brier": 0.12,
        "brier_gain": 0.02 * sign,
        "brier_gain_low": low,
        "brier_gain_high": high,
    }
    assert _said(brier) == ("passed", "Better than recency alone by 0.020 (0.010 to 0.030).")


def test_shares_differ_by_percentage_points():
    hits = {"hr_at_10": 0.8, "baseline_hr_at_10": 0.7, "hr_at_10_gain": 0.1}
    hits |= {"hr_at_10_gain_low": 0.08, "hr_at_10_gain_high": 0.12}
    assert _said(hits)[1] == "Better than recency alone by 10.0 percentage points (8.0 to 12.0)."


def test_an_error_in_days_is_told_in_days():
    error = {"error_days": 16.2, "baseline_error_days": 17.3, "error_days_gain": 1.1}
    error |= {"error_days_gain_low": 0.914, "error_days_gain_high": 1.3}
    card = _card(error, baseline={"name": "the category alone"}, judged_by="error_days")
    [measure] = card.measures
    assert verdict(measure, card) == ("passed", "Better than the category alone by 1.10 days (0.91 to 1.30).")
    assert measure.metric.say(measure.model.value) == "16.20 days"


def test_a_figure_can_have_a_baseline_of_its_own():
    figures = {"silhouette": 0.3, "baseline_silhouette": 0.1, "outlier_recall": 0.9, "baseline_outlier_recall": 0.95}
    figures |= {"outlier_recall_gain": -0.05, "outlier_recall_gain_low": -0.08, "outlier_recall_gain_high": -0.02}
    card = _card(figures, baselines={"outlier_recall": "the distance"}, recipe="recency_alone")
    said = {measure.key: verdict(measure, card) for measure in card.measures}
    assert said["outlier_recall"] == ("failed", "Worse than the distance by 5.0 percentage points (2.0 to 8.0).")
    assert said["silhouette"][1].startswith("The baseline itself is in use (recency alone)")


def test_without_a_paired_difference_the_intervals_are_compared():
    assert _said(AUC | {"baseline_auc_low": 0.82, "baseline_auc_high": 0.84})[0] == "passed"
    touching = _said(AUC | {"baseline_auc_low": 0.82, "baseline_auc_high": 0.86})
    assert touching == ("warning", "Not surely better than recency alone: the intervals overlap.")
    brier = {"brier": 0.3, "brier_low": 0.29, "brier_high": 0.31, "baseline_brier": 0.2}
    assert _said(brier | {"baseline_brier_low": 0.19, "baseline_brier_high": 0.21})[0] == "failed"
    assert _said(AUC)[1] == "How sure the difference from recency alone is, was not measured."


def test_a_baseline_that_is_itself_in_use_is_called_so():
    state, said = _said(AUC, tried=[{"recipe": "recency_alone", "outcome": "unchanged"}])
    assert (state, said.startswith("The baseline itself is in use")) == ("warning", True)


def test_a_card_of_an_unknown_model_still_reads():
    card = read_card({"model": "next_store", "description": "Where next.", "tried": [{"recipe": "tree_0.5"}]}, "places")
    assert (card.title, card.sentence, card.measures) == ("Next store", "Where next.", ())
    assert [(row.name, row.outcome) for row in card.tried] == [("tree 0.5", "")]


def test_the_recipe_in_use_stands_first_and_losers_stay():
    lost = {"recipe": "a", "outcome": "lost", "reason": "it makes fewer groups"}
    tried = [lost, {"recipe": "b", "outcome": "won", "metrics": {"auc": 0.9}}]
    rows = _card(AUC, recipe="b", tried=tried).tried
    assert [(row.name, row.outcome, row.is_in_use) for row in rows] == [
        ("b", "in use", True),
        ("a", "tried, lost: it makes fewer groups", False),
    ]
    assert (rows[0].figures, rows[1].figures) == ((Figure(0.9),), (None,))


def test_every_category_stands_beside_its_baseline():
    row = {"category": "TEA", "event_share": 0.4, "auc": 0.82, "baseline_auc": 0.81}
    row |= {"auc_gain": 0.01, "auc_gain_low": -0.002, "auc_gain_high": 0.03}
    [table] = _card(AUC, by_category=[row]).tables
    assert table.rows == (("TEA", "40 %", "0.820", "0.810", "+0.010 (−0.002 to 0.030)"),)


def test_vectors_are_told_task_by_task_beside_rfm_and_dimension_by_dimension():
    row = {"recipe": "balanced_svd", "task": "Coffee", "decides": False, "rfm_auc": 0.76, "auc": 0.83}
    for name, value in (("gain", 0.07), ("gain_with_rfm", 0.08)):
        row |= {name: value, f"{name}_low": -0.01, f"{name}_high": 0.1}
    ends = {"high": [{"input": "TEA", "weight": 0.9}, {"input": "order_count_28d", "weight": 0.4}], "low": []}
    dimension = {"dimension": 1, "variance_share": 0.25, **ends}
    by_task, by_dimension = _card(AUC, by_task=[row], by_dimension=[dimension]).tables
    differences = ("+0.070 (−0.010 to 0.100)", "+0.080 (−0.010 to 0.100)")
    assert by_task.rows == (("Coffee (told beside)", "balanced svd", "0.760", "0.830", *differences),)
    assert by_dimension.rows == (("1", "25.0 %", "tea; orders, 28 days", ""),)
    assert metric("auc_of_churn_28d").label == "Right order (AUC): churn 28d"


def test_a_card_tells_each_cut_off_beside_its_baseline():
    row = {
        "cut_off": "2017-11-02", "customers": 1758, "ndcg": 0.2075, "baseline_ndcg": 0.1917, "ndcg_gain": 0.0158,
        "ndcg_gain_low": 0.0099, "ndcg_gain_high": 0.0219,
    }  # fmt: skip
    [table] = _card(AUC, by_cut_off=[row]).tables
    assert table.rows == (("2017-11-02", "1,758", "0.207", "0.192", "+0.016 (0.010 to 0.022)"),)


def test_a_product_is_called_by_its_finest_group():
    row = {
        "product_id": "7",
        "product_type": None,
        "category": "TEA",
        "department": "GROCERY",
        "package_size": " 20 CT",
    }
    assert (named(row).name, named(row).detail) == ("TEA", "20 CT, GROCERY, no.\u00a07")
    bare = dict.fromkeys(row) | {"product_id": "7"}
    assert (named(bare).name, named(bare).detail) == ("Product 7", "")


def test_what_lies_ahead_is_told_from_the_columns_that_are_there():
    row = {"churn_probability_28d": 0.123, "likely_category": "TEA", "likely_category_probability": 0.5}
    ahead = "In the next 28 days stays away with a probability of 12 % and is likeliest to buy from TEA (50 %)."
    assert [said.text for said in portrait.story(portrait.Person(row), "EUR")] == [ahead]
    assert portrait.story(portrait.Person({"likely_category": "TEA"}), "EUR") == []


def test_a_probability_of_days_ahead_is_no_window_of_days_past():
    assert not glossary.is_window("churn_probability_28d")
    assert glossary.is_window("order_count_28d")
    assert glossary.say("churn_probability_28d", 0.123, "EUR") == "12.3 %"


def test_a_models_sentences_have_places_of_their_own_and_are_no_figures():
    from huaxiang.report.customers import _ELSEWHERE
    from huaxiang.settings import load_settings
    from huaxiang.tags import profile_columns

    sentences = ("_reason", "_reasons", "_product_id", "_product_type")
    told = {column.name for column in profile_columns(load_settings()) if column.name.endswith(sentences)}
    assert len(told) == 9
    assert told <= _ELSEWHERE


def test_recipes_are_drawn_over_their_seconds_and_the_reason_of_the_one_in_use_is_told():
    tried = [
        {"recipe": "boosting", "metrics": AUC, "outcome": "won"},
        {"recipe": "recency_alone", "metrics": AUC, "outcome": "lost"},
        {"recipe": "old", "metrics": AUC, "outcome": "lost"},
    ]
    said = {"model": "churn_28d", "metrics": AUC, "baseline": {"name": "recency_alone"}, "tried": tried}
    said |= {"recipe": "boosting", "promotion": "boosting beats recency_alone by +0.0400"}
    card = read_card(said, "scores", {"boosting": 12.5, "recency_alone": 0.0})
    assert card.why == "Boosting beats recency alone by +0.0400."
    drawn = str(cost(card))
    assert drawn.index("0.0 s  recency alone") < drawn.index("12.5 s  boosting") and "old" not in drawn.split()
    assert cost(_card(AUC, tried=tried)) is None
