"""Ranking for one history, on five products with factors and neighbours one can follow by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spark_jobs.recommendations.catalogue import Catalogue
from spark_jobs.recommendations.ranking import (
    ALS,
    COMPONENTS,
    EXTRAS,
    ITEMS,
    NEVER,
    UNKNOWN,
    History,
    Products,
    Ranker,
    weights_of,
)

SETTINGS = {"alpha": 1.0, "regularisation": 0.1, "half_life_days": 10.0, "candidates": 5, "decimals": 6}
# a and b are one taste, c and d another; e is known by its popularity only.
PRODUCTS = Products(
    ids=np.array(["a", "b", "c", "d", "e"]),
    popularity=np.array([3, 1, 5, 2, 5]),
    late_buyers=np.array([1, 0, 2, 1, 5]),
    week_buyers=np.array([0, 0, 2, 0, 4]),
    new_buyers=np.array([1, 0, 0, 0, 5]),
    starting=np.array([0.25, 0.0625, 0.0625, 0.25, 1.0]),
    repeats=np.array([0.5, 0.0, 0.2, 0.0, 0.0]),
    returning=np.array([0.25, 0.0, 0.5, 0.0, 0.0]),
    gaps=np.array([8.0, NEVER, 20.0, NEVER, NEVER]),
    kinds=np.array([0, 0, 1, 1, -1]),
    learned=np.array([0, 1, 2, 3]),
    factors=np.array([[1, 0], [0.9, 0], [0, 1], [0, 0.8]], dtype=np.float32),
    paired=np.array([0, 1, 2]),
    neighbours=np.array([[1], [0], [0]]),
    similarities=np.array([[0.5], [0.5], [0.2]], dtype=np.float32),
    svd_from=np.array([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float32),
    svd_to=np.array([[1, 0], [0.5, 0], [0, 1], [0, 0.5]], dtype=np.float32),
    linked=np.array([0, 3]),
    links=np.array([[3], [0]]),
    link_weights=np.array([[0.3], [-0.1]], dtype=np.float32),
)


def bought(*products: tuple[int, int, int]) -> History:
    """Positions with the number of orders, all of them so many days ago."""
    items, times, ages = (np.array(part) for part in zip(*products, strict=True))
    return History.of(np.repeat(items, times), np.repeat(ages, times))


BOUGHT_A = bought((0, 3, 10))
NOTHING = History.of(np.array([], dtype=int), np.array([], dtype=int))


def listed(history: History, is_new: bool, products: Products = PRODUCTS, **weights: float) -> str:
    ranker = Ranker(products, SETTINGS)
    found = ranker.candidates(history)
    [scores] = ranker.scores([found], weights_of(weights))
    rows = ranker.top(found, scores, is_new, 10)
    return "".join(products.ids[found.items[rows]])


def test_of_equals_the_more_popular_comes_first_then_the_lower_id():
    assert listed(NOTHING, False, als=1.0) == "ceadb"


def test_als_puts_the_like_of_what_was_bought_first():
    assert listed(BOUGHT_A, False, als=1.0)[:2] == "ab"
    assert listed(BOUGHT_A, True, als=1.0)[0] == "b"


def test_a_bought_product_is_never_new():
    assert "a" not in listed(BOUGHT_A, True, own_recent=9.0, popularity=1.0)


def test_own_history_fades_by_half_with_each_half_life():
    # Four orders ten days ago weigh log(5) / 2 = 0.80; two today log(3) = 1.10, so b is first; by count it is a.
    history = bought((0, 4, 10), (1, 2, 0))
    assert listed(history, False, own_recent=1.0)[:2] == "ba"
    assert listed(history, False, own_count=1.0)[:2] == "ab"
    found = Ranker(PRODUCTS, SETTINGS).candidates(history)
    recent = dict(zip(found.items.tolist(), found.values[:, COMPONENTS.index("own_recent")], strict=True))
    assert recent[0] == pytest.approx(np.log(5) / 2 / np.log(3), abs=1e-6)


def test_equal_counts_are_ordered_by_the_last_day():
    history = bought((0, 2, 5), (1, 2, 4))
    assert listed(history, False, own_count=1.0)[:2] == "ba"


def test_folding_in_solves_the_normal_equations():
    # With one taste bought: (sum of a's squares + alpha log 4 + 0.1) x = 1 + log 4, the other taste stays 0.
    factors, _ = Ranker(PRODUCTS, SETTINGS).fold_in(BOUGHT_A)
    expected = (1 + np.log(4)) / (1 + 0.81 + np.log(4) + 0.1)
    assert factors == pytest.approx([expected, 0.0], abs=1e-6)


@pytest.mark.parametrize("component", ["als", "svd"])
def test_what_was_never_bought_counts_by_the_share_of_its_buyers_who_began_of_late(component):
    history = bought((0, 1, 0), (2, 1, 0))
    power = Ranker(PRODUCTS, SETTINGS | {"starting_power": 0.5}).candidates(history)
    without = Ranker(PRODUCTS, SETTINGS).candidates(history)
    plain, said = (one.values[:, COMPONENTS.index(component)] for one in (without, power))
    # Positions a to e; shares of b and d are a sixteenth and a quarter, and a and c were bought.
    assert dict(zip(power.items.tolist(), said.tolist(), strict=True)) == pytest.approx(
        {
            item: value * {1: 0.25, 3: 0.5}.get(item, 1)
            for item, value in zip(without.items.tolist(), plain.tolist(), strict=True)
        },
        abs=1e-6,
    )
    assert 0 < said[power.items == 1] < said[power.items == 3]


def test_the_purchase_that_spoke_for_a_product_is_named():
    history = bought((0, 1, 0), (2, 1, 0))
    shares = Ranker(PRODUCTS, SETTINGS).because(history, np.array([1, 3]), weights_of({"als": 1.0, "item_based": 0.5}))
    # b lies in a's direction and is its neighbour, d in c's and is nobody's.
    assert shares == pytest.approx(np.array([[1.5, 0.0], [0.0, 1.0]]), abs=1e-6)
    assert (ALS, ITEMS) == (2, 3)


def test_products_of_another_day_keep_factors_and_neighbours_by_id():
    # b is gone, aa is new.
    today = PRODUCTS.on(
        {
            "ids": np.array(["a", "aa", "c", "d", "e"]),
            "popularity": np.array([1, 9, 1, 1, 1]),
            **dict.fromkeys(("late_buyers", "week_buyers", "new_buyers"), np.zeros(5)),
            **dict.fromkeys(("starting", "repeats", "returning"), np.zeros(5)),
            "gaps": np.full(5, NEVER),
            "kinds": np.array([0, 2, 1, 1, -1]),
        }
    )
    assert today.learned.tolist() == [0, 2, 3]
    assert today.factors[:, 0] == pytest.approx([1, 0, 0])
    assert (today.paired.tolist(), today.neighbours.tolist()) == ([0, 2], [[0], [0]])
    assert today.similarities.ravel() == pytest.approx([0, 0.2])
    assert listed(bought((2, 1, 0)), True, today, als=1.0)[:2] == "da"[:1] + "aa"[:1]


def test_a_recipe_keeps_only_the_parts_it_looks_at():
    assert len(PRODUCTS.parts({"popularity": 1.0}).factors) == 0
    assert len(PRODUCTS.parts({"als": 1.0}).factors) == 4
    assert len(PRODUCTS.parts({"als": 1.0}).neighbours) == 0
    assert listed(BOUGHT_A, True, PRODUCTS.parts({"popularity": 1.0}), popularity=1.0) == "cedb"


def test_products_are_the_same_after_a_round_through_a_file():
    content = PRODUCTS.to_bytes()
    again = Products.from_bytes(content)
    assert again.to_bytes() == content
    assert again.ids.tolist() == list("abcde")


def test_svd_and_ease_and_content_lead_to_the_like_of_what_was_bought():
    # b by the direction of a; d by the link from a; b by a's kind, though e and c are more popular.
    assert listed(BOUGHT_A, True, svd=1.0)[0] == "b"
    assert listed(BOUGHT_A, True, ease=1.0)[0] == "d"
    assert listed(BOUGHT_A, True, content=1.0)[0] == "b"


def test_what_speaks_against_a_product_is_summed_and_never_scores_below_nothing():
    found = Ranker(PRODUCTS, SETTINGS).candidates(bought((3, 1, 0)))
    ease = dict(zip(found.items.tolist(), found.values[:, COMPONENTS.index("ease")], strict=True))
    assert ease[0] == 0


def test_a_learned_ranker_sees_the_raw_figures_of_the_customer_and_the_product():
    found = Ranker(PRODUCTS, SETTINGS).candidates(BOUGHT_A)
    extras = {
        name: dict(zip(found.items.tolist(), column, strict=True))
        for name, column in zip(EXTRAS, found.extras.T, strict=True)
    }
    assert (extras["times"][0], extras["age"][0], extras["first_age"][0]) == (3, 10, 10)
    assert (extras["times"][1], extras["age"][1]) == (0, NEVER)
    assert (extras["kind_age"][1], extras["kind_age"][2], extras["kind_age"][4]) == (10, NEVER, NEVER)
    # log(4), halved after ten days; of kind 0 a has three of four buyers
    assert extras["affinity"][1] == pytest.approx(np.log(4) / 2, abs=1e-6)
    assert (extras["kind_share"][0], extras["late_buyers"][4]) == (0.75, 5)


def test_a_learned_ranker_sees_when_the_next_order_is_due():
    # a was bought 30, 14 and 12 days ago: every 9 days, and over all customers every 8; c once; b is of a's type.
    history = History.of(np.array([0, 2, 0, 0]), np.array([12, 5, 30, 14]))
    found = Ranker(PRODUCTS, SETTINGS).candidates(history)
    rows = {item: dict(zip(EXTRAS, row, strict=True)) for item, row in zip(found.items, found.extras, strict=True)}
    assert [rows[0][name] for name in ("times", "age", "first_age", "gap")] == [3, 12, 30, 9]
    assert rows[0]["overdue"] == pytest.approx(12 / 9, abs=1e-6)
    assert rows[0]["usually_overdue"] == 1.5
    assert rows[0]["fading_14"] == pytest.approx(0.5 ** (12 / 14) + 0.5 + 0.5 ** (30 / 14), abs=1e-6)
    assert (rows[2]["gap"], rows[2]["overdue"], rows[2]["usually_overdue"]) == (NEVER, UNKNOWN, 0.25)
    assert (rows[1]["gap"], rows[1]["usually_overdue"]) == (NEVER, UNKNOWN)
    assert rows[1]["kind_overdue"] == rows[0]["overdue"]
    assert (rows[3]["kind_overdue"], rows[4]["kind_overdue"]) == (UNKNOWN, UNKNOWN)
    of_product = ("week_buyers", "new_buyers", "returning")
    assert [rows[4][name] for name in of_product] == [4, 5, 0]
    pace = sum(0.5 ** (age / 45) for age in (12, 5, 30, 14))
    assert [row["pace"] for row in rows.values()] == [pytest.approx(pace, abs=1e-6)] * 5


def test_only_the_last_91_days_are_of_late():
    history = History.of(np.array([1, 1, 1]), np.array([91, 90, 400]))
    assert (history.times.tolist(), history.lately.tolist(), history.first_ages.tolist()) == ([3], [1], [400])


def test_a_learned_ranker_orders_the_candidates():
    class Rarest:
        def decision_function(self, features):
            return -features[:, len(COMPONENTS) + EXTRAS.index("buyers")]

    ranker = Ranker(PRODUCTS, SETTINGS, Rarest())
    found = [ranker.candidates(BOUGHT_A), ranker.candidates(NOTHING)]
    for one, scores in zip(found, ranker.scores(found, weights_of({})), strict=True):
        assert "".join(PRODUCTS.ids[one.items[ranker.top(one, scores, False, 3)]]) == "bda"


def test_no_more_of_a_kind_are_listed_than_asked_for():
    settings = {**SETTINGS, "most_per_kind": 1}
    ranker = Ranker(replace(PRODUCTS, kinds=np.array([0, 0, 0, 0, -1])), settings)
    found = ranker.candidates(NOTHING)
    [scores] = ranker.scores([found], weights_of({"popularity": 1.0}))
    assert "".join(PRODUCTS.ids[found.items[ranker.top(found, scores, False, 5)]]) == "ce"


def test_the_share_of_beginners_is_near_the_usual_one_where_there_are_few_buyers():
    counts = np.ones((10, 5), dtype=int)
    counts[0], counts[4] = [1, 1, 20, 40, 38], [0, 1, 0, 9, 0]  # buyers and new buyers: ten to one
    day = Catalogue(PRODUCTS.ids, np.array(["x"] * 5), *counts).of_day()
    assert day["starting"] == pytest.approx([1 / 11, 2 / 11, 1 / 30, 10 / 50, 1 / 48], abs=1e-6)
    counts[4] = 0  # where nobody began, nothing is divided by 0
    assert (Catalogue(PRODUCTS.ids, np.array(["x"] * 5), *counts).of_day()["starting"] > 0).all()


def test_a_product_with_too_small_a_margin_is_offered_to_nobody_and_still_tells_of_its_buyers(tmp_path):
    day = Catalogue(PRODUCTS.ids, np.array(["x", "x", "y", "y", ""]), *(PRODUCTS.popularity for _ in range(10)))
    margins = pd.DataFrame({"product_id": ["a", "c", "d", "gone"], "margin_share": [0.05, 0.1, 0.3, -1.0]})
    margins.to_parquet(tmp_path / "margins.parquet")
    barred = day.below(tmp_path / "margins.parquet", 0.1)
    assert barred.tolist() == [0]  # of b and e no margin is known; c leaves just enough
    free, bound = (Ranker(PRODUCTS, SETTINGS, barred=some) for some in (np.array([], dtype=int), barred))
    one, other = (ranker.candidates(BOUGHT_A) for ranker in (free, bound))
    assert sorted(PRODUCTS.ids[one.items]) == list("abcde")
    assert sorted(PRODUCTS.ids[other.items]) == list("bcde")
    # a is barred, and that it was bought is still why b is liked.
    of_b = [found.values[PRODUCTS.ids[found.items] == "b"][0, ALS] for found in (one, other)]
    assert of_b[0] == of_b[1] > 0
