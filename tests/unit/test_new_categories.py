"""Which category a customer starts next: what is learned, how it is judged, and the reasons, by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from huaxiang.errors import HuaxiangError
from huaxiang.settings import PROJECT
from spark_jobs.categories import inputs, judge, lists, portable, recipes
from spark_jobs.categories.inputs import Days
from spark_jobs.categories.params import CategoryParams
from spark_jobs.categories.recipes import BLEND, EASE, POPULARITY

PARAMS = replace(CategoryParams(), bootstraps=200)
DAY = date(2024, 10, 1)
NOTHING = lists.NOTHING


def days(*rows: tuple[str, str, int]) -> Days:
    """Customer, category, and how many days before DAY."""
    today = (DAY - date(1970, 1, 1)).days
    who, what, ago = zip(*sorted((who, what, -ago) for who, what, ago in rows), strict=True)
    return Days(np.array(who, dtype=object), np.array(what, dtype=object), today + np.array(ago))


def test_no_category_that_the_warehouse_calls_sensitive_is_recommended_nor_a_reason():
    macro = (PROJECT / "dbt_project" / "macros" / "goods.sql").read_text()
    names = re.findall(r"'([A-Z%][^']+)'", macro[macro.index("macro is_sensitive") :])
    assert len(names) > 20
    assert [name for name in names if inputs.is_recommended(name.replace("%", ""))] == []


@pytest.mark.parametrize(
    ("category", "is_recommended"),
    [("COFFEE", True), ("DOG FOODS", True), ("BABY FOODS", False), ("HISPANIC", False), ("FUEL", False),
     ("COUPON/MISC ITEMS", False), ("DELI SUPPLIES", False)],
)  # fmt: skip
def test_what_says_too_much_of_a_person_or_is_no_goods_is_not_recommended(category, is_recommended):
    assert inputs.is_recommended(category) is is_recommended


def test_days_up_to_a_day_know_nothing_of_later_ones():
    found = days(("a", "tea", 40), ("a", "tea", 10), ("a", "salt", 5), ("b", "tea", 20)).by(DAY - timedelta(days=10))
    today = (DAY - date(1970, 1, 1)).days
    assert (found.customers, found.categories) == (("a", "b"), ("tea",))
    assert (found.first_on - today).tolist() == [-40, -20]
    assert (found.last_on - today).tolist() == [-10, -20]
    assert found.table(np.array(["b", "c"], dtype=object), ("salt", "tea")).tolist() == [[False, True], [False, False]]


def test_rates_by_hand():
    # Of four customers two bought tea within 91 days. Of three known 28 days ago two had no salt, and one began.
    bought = days(
        ("a", "tea", 100), ("a", "salt", 100), ("b", "tea", 90), ("b", "salt", 27), ("c", "tea", 28), ("d", "salt", 3)
    ).by(DAY)  # fmt: skip
    found = recipes.rates(bought, DAY, ("salt", "tea"), PARAMS)
    assert found.recent_buyers.tolist() == [2, 2]
    assert found.popularity.tolist() == [0.5, 0.5]
    assert found.start_rate.tolist() == [0.5, 0.0]


TABLE = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], dtype=float)


def test_cosine_links_by_hand():
    # 4, 4 and 3 buyers; 3 of both the first, 2 of each other pair.
    found = recipes.item_based(TABLE)
    assert found[0, 1] == pytest.approx(3 / 4)
    assert found[0, 2] == found[1, 2] == pytest.approx(2 / np.sqrt(12))
    assert np.diag(found).tolist() == [0, 0, 0]


def test_the_links_to_a_category_are_the_ridge_regression_of_it_on_all_others():
    found = recipes.ease(TABLE, 2.0)
    others = TABLE[:, :2]
    assert found[:2, 2] == pytest.approx(np.linalg.solve(others.T @ others + 2 * np.eye(2), others.T @ TABLE[:, 2]))


def test_links_of_tastes_join_what_the_same_customers_buy():
    blocks = np.kron(np.eye(2), np.ones((10, 3)))
    blocks[0, 0] = blocks[10, 3] = 0.0
    found = recipes.svd(blocks, 2)
    assert found[0, 1] > 0.3 and abs(found[0, 3]) < 1e-9


def test_scores_add_up_links_and_the_day_s_rates():
    held, links = np.array([[True, True, False]]), np.array([[0, 0, 0.4], [0, 0, 0.3], [0, 0, 0]])
    rate = portable.rate({"popularity_weight": 0.0, "start_weight": 2.0}, np.ones(3), np.array([0.0, 0.0, 0.1]))
    assert portable.scores(held, links, rate).tolist() == [[0.0, 0.0, 0.9]]


def test_what_was_bought_is_in_no_list_and_of_equals_the_more_popular_comes_first():
    found = np.array([[0.9, 0.5, 0.5, 0.7], [0.0, 0.0, 0.0, 0.0]])
    barred = np.array([[True, False, False, False], [False, True, True, True]])
    columns = portable.ranked(found, barred, np.array([0.1, 0.2, 0.3, 0.4]), 3)
    assert columns.tolist() == [[3, 2, 1], [0, NOTHING, NOTHING]]


def test_a_reason_names_what_adds_most_and_nothing_weak_or_suppressed():
    links = np.zeros((5, 5))
    links[:4, 4] = [0.8, 0.3, 0.1, -0.5]  # the third is less than a quarter of the first, the last speaks against it
    held = np.array([[True, True, True, True, False], [False, False, True, False, False]])
    suppressed = np.zeros((2, 5), dtype=bool)
    found = lists.listed(held, suppressed, links, np.zeros(5), np.zeros(5), replace(PARAMS, top=1))
    assert found["category"].tolist() == [[4], [4]]
    assert found["named"][:, 0].tolist() == [[0, 1, NOTHING], [2, NOTHING, NOTHING]]
    suppressed[0, 0] = suppressed[1, 4] = True
    found = lists.listed(held, suppressed, links, np.zeros(5), np.zeros(5), replace(PARAMS, top=1))
    assert found["category"].tolist() == [[4], [0]]
    assert found["named"][:, 0].tolist() == [[1, 2, NOTHING], [NOTHING] * 3]


def test_names_are_dropped_until_the_share_says_something():
    # 20 customers: 10 bought tea, 8 of them coffee too; of all 10 have coffee. Tea and salt: 4 and 4, which is too few.
    bought = np.zeros((20, 3), dtype=bool)
    coffee, salt, tea = range(3)
    bought[:10, tea] = bought[:8, coffee] = bought[10:12, coffee] = bought[:4, salt] = True
    because = np.array([[[tea, salt, NOTHING]], [[salt, NOTHING, NOTHING]], [[NOTHING] * 3]])
    left, of, both = lists.counted(bought, np.full((3, 1), coffee), because, PARAMS)
    assert left[:, 0].tolist() == [[tea, NOTHING, NOTHING], [NOTHING] * 3, [NOTHING] * 3]
    assert (of[:, 0].tolist(), both[:, 0].tolist()) == ([10, 0, 0], [8, 0, 0])


def test_a_share_that_is_no_larger_than_everybody_s_is_no_reason():
    bought = np.zeros((40, 2), dtype=bool)
    bought[:20, 0] = bought[::2, 1] = True  # half of all, and half of these
    _, of, _ = lists.counted(bought, np.array([[1]]), np.array([[[0, NOTHING, NOTHING]]]), PARAMS)
    assert of.tolist() == [[0]]


def test_reasons_in_words():
    assert lists.of_share(["COFFEE", "TEAS"], 8, 5, 10, 40) == (
        "63 % of the customers who bought COFFEE and TEAS also bought it (5 of 8), of all customers 25 %"
    )
    assert "who bought A, B and C also" in lists.of_share(["A", "B", "C"], 8, 5, 10, 40)
    assert lists.of_popularity(1, 9, 91) == "bought by 1 customer in the last 91 days"
    assert lists.of_popularity(0, 9, 91) == "bought by 9 customers so far"


def planted(customers: int = 120, seed: int = 2) -> Days:
    """Two kinds of customers, seven categories each; each kind comes to all of its own, one every two weeks or so."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(customers):
        own = [f"{'ab'[number % 2]}{place}" for place in rng.permutation(7)]
        other = f"{'ba'[number % 2]}{rng.integers(7)}"
        rows += [(f"c{number:03d}", name, int(294 - 44 * place - rng.integers(30))) for place, name in enumerate(own)]
        rows.append((f"c{number:03d}", other, int(rng.integers(300))))
    return days(*rows)


def test_what_alike_customers_bought_beats_what_most_did_and_a_blend_is_tuned_before():
    found = judge.judged(planted(), DAY, replace(PARAMS, fewest_customers=20))
    assert len(found.judged_on) == 6 and max(found.tuned_on) < min(found.judged_on)
    assert [later - one for one, later in zip(found.judged_on, found.judged_on[1:], strict=False)] == [
        timedelta(days=28)
    ] * 5
    assert max(found.judged_on) == DAY - timedelta(days=28)
    assert found.difference(EASE, POPULARITY).low > 0.1
    assert found.metrics(BLEND)["ndcg_at_10_gain_low"] > 0.1
    assert sum(row["customers"] for row in found.by_cut_off(EASE)) == len(found.who)


def test_what_is_bought_after_a_cut_off_changes_nothing_that_is_learned_by_it():
    one, cut_off = planted(), DAY - timedelta(days=28)
    at_end = (DAY - date(1970, 1, 1)).days
    later = [f"c{number:03d}" for number in range(120)]
    other = Days(
        np.append(one.customer, later), np.append(one.category, ["zzz"] * 120), np.append(one.day, [at_end] * 120)
    )
    order = np.lexsort((other.day, other.category, other.customer))
    other = Days(other.customer[order], other.category[order], other.day[order])
    windows = [judge._window(days, days.by(DAY), cut_off, PARAMS) for days in (one, other)]
    for name in (EASE, recipes.SVD, recipes.ITEM_BASED):
        assert (windows[0].fitted.links[name] == windows[1].fitted.links[name]).all()
    assert (windows[0].fitted.rates.start_rate == windows[1].fitted.rates.start_rate).all()
    assert len(windows[1].who) == 120 > len(windows[0].who)


def test_a_category_that_is_not_known_by_the_cut_off_counts_as_missed():
    rows = [(f"c{who}", f"k{what}", 60 + what) for who in range(10) for what in range(4) if what != who % 4]
    some = replace(PARAMS, fewest_buyers=1, fewest_categories=2, fewest_customers=1)
    found = days(*rows, ("c0", "k0", 10), ("c0", "brand new", 10))
    window = judge._window(found, found.by(DAY), DAY - timedelta(days=28), some)
    # c0 has k1, k2, k3; k0 is the only one to list, and one of two that were started
    assert (window.who.tolist(), window.relevant.tolist()) == ([0], [2])
    assert window.hits(POPULARITY, 0.0, 10).tolist() == [[True] + [False] * 9]
    assert judge.figures([window], POPULARITY, 0.0, 10)["recall"].tolist() == [0.5]


def test_too_little_to_judge_is_said_with_the_next_step():
    with pytest.raises(
        HuaxiangError, match=r"needs two cut-offs, 28 days apart and over by 2024-10-01.*land more drops"
    ):
        judge.judged(days(("a", "tea", 100), ("b", "tea", 90)), DAY, PARAMS)


def test_too_few_categories_to_learn_from_are_said():
    with pytest.raises(HuaxiangError, match="needs 12 categories that 10 customers bought up to 2024-10-01"):
        recipes.fit(days(("a", "tea", 100)).by(DAY), DAY, PARAMS)
