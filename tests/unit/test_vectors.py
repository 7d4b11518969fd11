"""Vectors of customers: planted structure comes back, signs and order are fixed, what is no better than RFM loses."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from huaxiang.judging.splits import plan
from huaxiang.tracking.promotion import Interval, judging
from spark_jobs.vectors import basis, judge, portable, told
from spark_jobs.vectors.inputs import Known, read_known
from spark_jobs.vectors.judge import RFM, Task, Trial
from spark_jobs.vectors.params import VectorParams

GARDEN, KITCHEN = ("hose", "lawn", "pots", "seeds", "soil", "tools"), ("eggs", "flour", "milk", "salt", "sugar", "tea")
PARAMS = replace(VectorParams(), windows=(28,), dimension_counts=(2, 4), resamples=100)
CUTOFFS = [28 * number for number in range(40, 46)]


def known(is_garden: np.ndarray, days: list[int], figures: np.ndarray, seed: int = 7) -> Known:
    """Every customer on every day; whoever is marked (a row per day and customer) buys for the garden, others cook."""
    rng = np.random.default_rng(seed)
    means = np.where(is_garden[:, None] == np.repeat([True, False], 6), 3.0, 0.5)
    customers = [f"c{number:03d}" for number in range(len(is_garden) // len(days))]
    return Known(
        customers=np.array(customers * len(days), dtype=object),
        day=np.repeat(days, len(customers)),
        figures=pd.DataFrame({"recency_days": figures}),
        columns=[(name, 28) for name in (*GARDEN, *KITCHEN)],
        counts=scipy.sparse.csr_matrix(rng.poisson(means).astype(float)),
    )


@pytest.fixture(scope="module")
def one_day() -> Known:
    is_garden = np.arange(300) % 2 == 0
    return known(is_garden, [1000], np.random.default_rng(1).poisson(9, 300).astype(float))


def test_what_is_bought_by_the_same_customers_is_the_first_dimension(one_day):
    model = basis.fit(one_day, "svd", 3, PARAMS)
    first = told.dimensions(model, PARAMS)[0]
    ends = [{one["input"] for one in first[end]} for end in ("high", "low")]
    assert sorted(map(len, ends)) == [5, 5]
    assert {frozenset(ends[0]) <= frozenset(group) for group in (GARDEN, KITCHEN)} == {True, False}
    assert first["variance_share"] > 0.4
    places = portable.vectors(model, one_day.values(model))[:, 0]
    assert (places[::2] > 0).all() != (places[1::2] > 0).all()
    assert abs(np.corrcoef(places, np.arange(300) % 2)[0, 1]) > 0.95


def test_the_largest_entry_of_a_dimension_is_above_0_and_of_equal_ones_the_first():
    rows = np.array([[0.1, -0.9, 0.2], [-0.5, 0.5 + 1e-12, 0.1], [0.3, 0.2, 0.1]])
    assert np.sign(basis.signed(rows)[:, :2]).tolist() == [[-1, 1], [1, -1], [1, 1]]


def test_the_weight_of_an_input_is_its_correlation_with_the_dimension(one_day):
    model = basis.fit(one_day, "svd", 2, replace(PARAMS, clip=99.0))
    places = portable.vectors(model, one_day.values(model))
    levels = portable.levels(model, one_day.values(model))
    expected = np.corrcoef(levels[:, 3], places[:, 1])[0, 1]
    assert model["correlations"][1, 3] == pytest.approx(expected, abs=1e-5)


def test_one_figure_is_not_drowned_by_many_categories(one_day):
    counts = np.random.default_rng(4).poisson(1.0, (300, 200)).astype(float)
    columns = [(f"category {number}", 28) for number in range(200)]
    many = replace(one_day, columns=columns, counts=scipy.sparse.csr_matrix(counts))
    model = basis.fit(many, "balanced_svd", 2, PARAMS)
    # A block of one figure has one dimension, which weighs as much as the first of all categories.
    assert np.linalg.norm(model["correlations"][:, 0]) > 0.9
    assert [one["name"] for one in model["figures"]] == ["recency_days"]


def test_the_order_of_customers_does_not_change_a_vector(one_day):
    turned = np.random.default_rng(3).permutation(300)
    shuffled = replace(
        one_day,
        customers=one_day.customers[turned],
        figures=one_day.figures.iloc[turned],
        counts=one_day.counts[turned],
    )
    found = []
    for rows in (one_day, shuffled):
        model = basis.fit(rows, "balanced_svd", 4, PARAMS)
        places = portable.vectors(model, rows.values(model))
        found.append(dict(zip(rows.customers, places.round(5).tolist(), strict=True)))
    assert found[0] == found[1]


def test_a_missing_figure_is_typical_a_negative_one_0_and_an_unknown_category_not_bought():
    model = {
        "figures": [{"name": "net_spend_28d", "typical": 7.0}],
        "columns": [{"category": "tea", "window_days": 28}],
        "means": [0.0, 0.0],
        "deviations": [1.0, 1.0],
        "clip": 4.0,
        "loadings": [[1.0, 0.0], [0.0, 1.0]],
        "decimals": 6,
    }
    found = portable.vectors(model, np.array([[np.nan, 0.0], [-5.0, 1.0], [1e9, 3.0]]))
    assert found == pytest.approx(np.array([[2.079442, 0.0], [0.0, 0.693147], [4.0, 1.386294]]))
    asked = Known(
        customers=np.array(["a"], dtype=object),
        day=np.array([1]),
        figures=pd.DataFrame({"recency_days": [3.0]}),
        columns=[("milk", 28)],
        counts=scipy.sparse.csr_matrix([[2.0]]),
    )
    assert np.isnan(asked.values(model)[0, 0]) and asked.values(model)[0, 1] == 0


# Reading.

DAY = date(2024, 3, 1)
NUMBER = DAY.toordinal() - date(1970, 1, 1).toordinal()


def bought(folder, *rows: tuple[str, str, str, int]) -> pd.DataFrame:
    """Rows of order, customer, category, days before DAY; a customer's orders are counted at the end of DAY."""
    frame = pd.DataFrame(
        [(order, customer, category, DAY - timedelta(days=age)) for order, customer, category, age in rows],
        columns=["order_id", "customer_id", "category", "ordered_on"],
    )
    frame.to_parquet(folder / "purchases.parquet")
    return pd.DataFrame({"customer_id": ["a", "b"], "as_of": NUMBER, "recency_days": [0.0, 9.0]})


def test_orders_count_once_in_every_window_they_fall_into_and_not_after_the_day(tmp_path):
    features = bought(
        tmp_path,
        ("o1", "a", "tea", 0),
        ("o1", "a", "tea", 0),  # two lines of one order
        ("o2", "a", "tea", 27),
        ("o3", "a", "tea", 28),
        ("o4", "a", "tea", -1),  # the day after
        ("o5", "b", "milk", 90),
        ("o6", "b", "milk", 91),
        ("o7", "b", "BEER", 3),  # is not looked at
    )
    found = read_known(tmp_path / "purchases.parquet", features, (28, 91))
    assert found.columns == [("milk", 28), ("tea", 28), ("milk", 91), ("tea", 91)]
    assert found.counts.toarray().tolist() == [[0, 2, 0, 3], [0, 0, 1, 0]]


def test_the_order_of_the_purchases_does_not_matter(tmp_path):
    rows = [(f"o{number}", "ab"[number % 2], ("tea", "milk", "salt")[number % 3], number) for number in range(40)]
    found = []
    for some in (rows, rows[::-1]):
        features = bought(tmp_path, *some)
        found.append(read_known(tmp_path / "purchases.parquet", features, (28, 91)).counts.toarray().tolist())
    assert found[0] == found[1]


def test_a_home_without_categories_has_no_column(tmp_path):
    features = bought(tmp_path, ("o1", "a", None, 1))
    found = read_known(tmp_path / "purchases.parquet", features, (28, 91))
    assert found.columns == [] and found.counts.shape == (2, 0)


# Judging.


def judged(tells: bool, seed: int = 5) -> Trial:
    """600 customers at six cut-offs. Three events, each of those who then buy for the garden where `tells`; else of
    those who ordered lately, of which the vector knows nothing."""
    rng = np.random.default_rng(seed)
    rows = 600 * len(CUTOFFS)
    is_garden, recency = rng.random(rows) < 0.5, rng.poisson(9, rows).astype(float)
    chance = np.where(is_garden if tells else recency < 9, 0.7, 0.3)
    tasks = [
        Task(name, name, CUTOFFS, plan(CUTOFFS, 28, 3, 2, 2), (rng.random(rows) < chance).astype(float))
        for name in PARAMS.tasks
    ]
    return judge.trial(known(is_garden, CUTOFFS, recency), tasks, replace(PARAMS, recipes=("svd",)))


def decided(found: Trial, champion: str | None = None) -> str:
    metric = {recipe: found.mean(recipe).value for recipe in (RFM, "svd")}
    return judging(metric, found.difference, RFM).decide(champion).winner


def test_a_vector_that_foretells_what_rfm_cannot_is_promoted():
    found = judged(tells=True)
    assert found.difference("svd", RFM).low > 0.1
    assert decided(found) == "svd"
    assert found.figure("svd", "churn_28d").value == pytest.approx(0.7, abs=0.03)
    assert found.figure("svd", "churn_28d", is_beside_rfm=True).value == pytest.approx(0.7, abs=0.03)


def test_a_vector_of_noise_is_not_promoted_and_loses_its_place():
    found = judged(tells=False)
    assert found.figure("svd", "churn_28d").value == pytest.approx(0.5, abs=0.03)
    assert decided(found) == RFM
    assert decided(found, champion="svd") == RFM  # RFM is surely better on every task


def test_one_task_on_which_it_is_not_surely_better_keeps_a_vector_back():
    sure, unsure = np.full((1, 101), 0.8), np.linspace(0.69, 0.72, 101)[None, :]
    base = np.full((1, 101), 0.7)
    auc = {(recipe, task, False): base for recipe in (RFM, "svd") for task in "abc"}
    auc |= {("svd", "a", False): sure, ("svd", "b", False): sure, ("svd", "c", False): unsure}
    found = Trial("abc", (), auc, {}, (), {}, 100)
    assert decided(found) == RFM
    least = found.difference("svd", RFM)
    assert least.low < 0 < least.high
    assert found.difference(RFM, "svd") == Interval(-least.value, -least.high, -least.low)
    assert decided(replace(found, deciding="ab")) == "svd"


def test_nothing_bought_after_a_cut_off_changes_what_is_foretold_at_it():
    rng = np.random.default_rng(2)
    rows = 200 * len(CUTOFFS)
    here = known(rng.random(rows) < 0.5, CUTOFFS, rng.poisson(9, rows).astype(float))
    label = (rng.random(rows) < 0.5).astype(float)
    is_later = here.day > CUTOFFS[3]
    counts = here.counts.toarray()
    counts[is_later] = 99.0
    later = replace(here, counts=scipy.sparse.csr_matrix(counts))
    found = []
    # the windows that are judged at the fourth cut-off, and those that end after it, are not seen either
    hidden = np.where(here.day + 28 > CUTOFFS[3], 1 - label, label)
    for rows_, labels in ((here, label), (later, hidden)):
        task = Task("churn_28d", "", CUTOFFS, plan(CUTOFFS, 28, 3, 2, 2), labels)
        scores: dict = {}
        judge._walk(rows_, [task], CUTOFFS[3], "svd", {2: scores}, PARAMS)
        found.append(scores["svd", "churn_28d", False][CUTOFFS[3]])
    assert (found[0] == found[1]).all()


def test_the_number_of_dimensions_is_the_smallest_of_the_best():
    rows = [
        {"dimensions": 8, "auc_of_a": 0.7},
        {"dimensions": 16, "auc_of_a": 0.8},
        {"dimensions": 32, "auc_of_a": 0.8},
    ]
    assert judge.chosen(rows) == 16
    assert judge.chosen([{"dimensions": 16}, {"dimensions": 8}]) == 8  # where nothing could be tried
