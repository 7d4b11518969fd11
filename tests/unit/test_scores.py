"""The arithmetic of the scores: labels and history."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from huaxiang.declarations import Declaration
from huaxiang.targets import Baseline, Event, Target
from spark_jobs.scores import examples, history
from spark_jobs.scores.history import CategoryDays
from spark_jobs.scores.params import ScoreParams

PARAMS = ScoreParams()
CUTOFF = 1000


def days(*rows: tuple[int, int, int, int]) -> CategoryDays:
    """Rows of customer, category, day, orders, for customers a and b and categories tea and milk."""
    columns = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return CategoryDays(["a", "b"], ("tea", "milk"), *columns)


# a bought tea on the cut-off and 28 and 91 days before, milk never; b milk once, 10 days before.
BOUGHT = ((0, 0, CUTOFF, 1), (0, 0, CUTOFF - 28, 2), (0, 0, CUTOFF - 91, 1), (1, 1, CUTOFF - 10, 1))


def past(rows: CategoryDays) -> pd.DataFrame:
    return history.category_history(
        rows, np.array([0, 1]), CUTOFF, np.array([8.0, 2.0]), np.array([200.0, 30.0]), PARAMS
    )


def test_the_history_of_a_customer_and_category_is_counted_up_to_the_cut_off():
    table = past(days(*BOUGHT))
    tea_of_a, milk_of_a, tea_of_b, milk_of_b = (table.iloc[row] for row in range(4))
    assert (tea_of_a["category_order_count"], tea_of_a["category_order_count_28d"]) == (4, 1)
    assert tea_of_a["category_order_count_91d"] == 3
    assert tea_of_a["category_recency_days"] == 0
    assert tea_of_a["category_order_share"] == 0.5  # 4 of 8 orders
    assert tea_of_a["category_decayed_count"] == pytest.approx(1 + 2 * 0.5 + 0.5 ** (91 / 28))
    assert milk_of_a["category_order_count"] == 0
    assert milk_of_a["category_recency_days"] == 201  # never: as if the day before the first order
    assert tea_of_b["category_recency_days"] == 31
    assert milk_of_b["category_recency_days"] == 10
    assert list(table["category_customer_share_28d"]) == [0.5, 0.5, 0.5, 0.5]


def test_what_happens_after_the_cut_off_changes_no_feature():
    later = [(customer, category, CUTOFF + 1, 9) for customer in (0, 1) for category in (0, 1)]
    pd.testing.assert_frame_equal(past(days(*BOUGHT)), past(days(*BOUGHT, *later)))


def test_a_purchase_counts_from_the_day_after_the_cut_off_to_the_28th():
    rows = days((0, 0, CUTOFF, 1), (0, 1, CUTOFF + 1, 1), (1, 0, CUTOFF + 28, 1), (1, 1, CUTOFF + 29, 1))
    assert list(history.bought_after(rows, np.array([0, 1]), CUTOFF, 28)) == [0, 1, 1, 0]


def target(kind: str, **more) -> Target:
    return Target(
        "t", "T", "Says.", Event(kind, **more), 28, Baseline("b", "c", "d"), "o", "p", Declaration(Path("t"), {}, {})
    )


def labels_of(kind: str, days: list, amounts: list, customers: str, **more) -> list[float]:
    """Labels of customers a to d, by a row of orders per customer and day."""
    features = pd.DataFrame({"customer_id": list("abcd"), "as_of": CUTOFF, "recency_days": 1.0})
    orders = pd.DataFrame({"customer_id": list(customers), "day": days, "is_order": True, "net_amount": amounts})
    return list(examples.of_target(target(kind, **more), features, examples.Facts(orders), PARAMS).label)


def test_whoever_orders_within_the_window_does_not_stay_away():
    days = [CUTOFF, CUTOFF + 28, CUTOFF + 29]
    assert labels_of("no_purchase", days, [1.0] * 3, "abc") == [1, 0, 1, 1]
    assert labels_of("purchase", days, [1.0] * 3, "abc") == [0, 1, 0, 0]


def test_high_spend_is_measured_by_a_bar_that_was_known_at_the_cut_off():
    # In the 28 days up to the cut-off a to d spent 10, 20, 30 and 40: the top quarter begins at 32.50.
    before = [CUTOFF, CUTOFF - 27, CUTOFF - 1, CUTOFF - 2]
    after = [CUTOFF + 1, CUTOFF + 28, CUTOFF + 29, CUTOFF + 2]
    amounts = [10.0, 20.0, 30.0, 40.0, 33.0, 32.5, 99.0, 32.0]
    assert labels_of("high_spend", before + after, amounts, "abcdabcd", top_pct=25.0) == [1, 1, 0, 0]


def test_redemptions_are_counted_under_names_of_their_own():
    features = pd.DataFrame({"customer_id": ["a"], "as_of": CUTOFF, "order_count": [8.0], "tenure_days": [200.0]})
    one = CategoryDays(["a"], ("",), *np.array([[0, 0, CUTOFF, 2], [0, 0, CUTOFF + 5, 1]]).T)
    rows = examples.of_target(target("redemption"), features, examples.Facts(pd.DataFrame(), one), PARAMS)
    assert (rows.features["redemption_count"].item(), rows.label.item()) == (2, 1)
    assert [name for name in rows.features if name.startswith("category_")] == []


def test_a_customer_who_never_bought_of_the_categories_has_rows_too():
    features = pd.DataFrame(
        {"customer_id": ["a", "new"], "as_of": CUTOFF, "order_count": [8.0, 1.0], "tenure_days": [200.0, 3.0]}
    )
    rows = examples.category(features, days(*BOUGHT), 28, PARAMS)
    assert list(rows.customer_id) == ["a", "a", "new", "new"]
    assert list(rows.category) == ["tea", "milk", "tea", "milk"]
    assert list(rows.features["category_order_count"]) == [4, 0, 0, 0]
    assert list(rows.features["category_recency_days"]) == [0, 201, 4, 4]


def test_a_column_that_is_left_out_or_empty_is_no_feature():
    features = pd.DataFrame({"customer_id": ["a"], "as_of": CUTOFF, "order_count": 1.0, "x": np.nan, "recency_days": 2})
    assert examples.feature_columns(features, PARAMS) == ["recency_days"]


def test_a_cut_off_needs_customers_and_both_outcomes():
    cutoffs = np.repeat([1, 2, 3], 60)
    label = np.concatenate([np.zeros(60), np.repeat([1.0, 0.0], 30), np.repeat([1.0, 0.0], [51, 9])])
    rows = examples.Examples(cutoffs.astype(str), cutoffs, cutoffs.astype(str), pd.DataFrame(index=range(180)), label)
    assert examples.usable_cutoffs(rows, [1, 2, 3, 4], PARAMS) == [2]


def test_shuffling_keeps_the_number_of_events_of_every_cut_off():
    cutoffs = np.repeat([1, 2], 50)
    label = np.concatenate([np.repeat([1.0, 0.0], [10, 40]), np.repeat([1.0, 0.0], [30, 20])])
    rows = examples.Examples(cutoffs.astype(str), cutoffs, np.full(100, ""), pd.DataFrame(index=range(100)), label)
    dealt = rows.shuffled(1).label
    assert (dealt[:50].sum(), dealt[50:].sum()) == (10, 30)
    assert (dealt != label).any()
