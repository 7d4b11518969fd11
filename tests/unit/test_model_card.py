from pathlib import Path

from huaxiang.tracking import Fit
from huaxiang.tracking.model_card import card


def test_a_card_sets_each_figure_beside_its_baseline_with_intervals_and_keeps_cost_apart():
    metrics = {
        "auc": 0.878, "auc_low": 0.87, "auc_high": 0.886, "baseline_auc": 0.837, "baseline_auc_low": 0.827,
        "baseline_auc_high": 0.847, "auc_gain": 0.041, "auc_gain_low": 0.03, "auc_gain_high": 0.052, "fit_seconds": 3.5,
    }  # fmt: skip
    fit = Fit(
        "churn_28d", "logistic regression", "Who stays away.", "f00", "2017-11-30", {}, metrics, ("One shop only.",),
        Path(), {}, None, (), recipe="logistic", baseline="recency alone", split="Judged on four later windows.",
    )  # fmt: skip
    text = card(fit)
    assert text.startswith("# churn_28d: logistic\n\nWho stays away.\n")
    assert (
        "| auc | 0.8780 [0.8700, 0.8860] | 0.8370 [0.8270, 0.8470] | 0.0410 [0.0300, 0.0520] |\n\n"
        "Baseline: recency alone." in text
    )
    assert "Events of local days up to 2017-11-30. Judged on four later windows." in text
    assert "- One shop only." in text and "- fit seconds: 3.5" in text
    assert "| fit" not in text


def test_a_fit_without_an_interval_says_so():
    assert "No figure with an interval was measured." in card(
        Fit("segments", "k-means", "", "f", "2017-11-30", {}, {"customers": 9.0}, (), Path(), {}, None, ())
    )
