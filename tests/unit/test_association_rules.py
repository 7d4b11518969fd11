"""Rules, mining in DuckDB, the test for chance and the check on later days, by hand-counted orders; no Spark."""

from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from scipy.stats import fisher_exact

from spark_jobs.associations import chance, judge, laptop, rules
from spark_jobs.associations.params import AssociationParams
from spark_jobs.associations.rules import Counted, Rule

PARAMS = replace(AssociationParams(), fewest_both=1)
TEA, MILK = Rule(("tea",), "milk"), Rule(("milk",), "tea")


def test_every_item_set_gives_a_rule_for_each_of_its_items_up_to_the_largest_antecedent():
    found = rules.candidates([("jam",), ("jam", "tea"), ("jam", "milk", "tea"), ("a", "b", "c", "d")], 2)
    assert [str(rule) for rule in found] == [
        "jam -> tea",
        "jam + milk -> tea",
        "jam + tea -> milk",
        "milk + tea -> jam",
        "tea -> jam",
    ]


def test_the_figures_of_a_rule_follow_from_its_four_counts():
    [one] = rules.counted([TEA], {(): 100, ("tea",): 20, ("milk",): 40, ("milk", "tea"): 16})
    assert (one.support, one.confidence, one.lift) == (0.16, 0.8, 2.0)
    assert one.leverage == pytest.approx(0.16 - 0.2 * 0.4)


def test_a_rule_of_products_that_are_no_longer_sold_has_no_lift_and_is_chance():
    [one] = rules.counted([TEA], {(): 100, ("milk",): 40})
    assert (one.both_count, one.confidence, one.lift) == (0, 0.0, 0.0)
    assert chance.p_values([one], 3) == [1.0]


def test_sets_of_any_size_are_grown_from_those_that_are_frequent_and_counted_exactly(tmp_path):
    day, rng = date(2024, 4, 1), np.random.default_rng(2)
    orders = {f"o{number}": sorted(set(rng.choice(list("abcdefgh"), 4))) for number in range(200)}
    rows = [(order, item, day) for order, items in orders.items() for item in items]
    rows += [("o0", rows[0][1], day), ("o1", None, day), ("old", "a", date(2024, 3, 1))]  # twice, unknown, too early
    path = tmp_path / "purchases.parquet"
    table = pd.DataFrame(rows, columns=["order_id", "product_type", "ordered_on"])
    table.assign(customer_id="c").to_parquet(path)
    by_hand = Counter(part for items in orders.values() for size in range(5) for part in combinations(items, size))
    found = laptop.often_together(path, day, day, 2, largest=4)
    assert found == {items: count for items, count in by_hand.items() if count >= 2 or not items}
    assert {len(items) for items in found} == {0, 1, 2, 3, 4}
    assert laptop.often_together(path, day, day, 2, 2) == {key: n for key, n in found.items() if len(key) <= 2}


@pytest.mark.parametrize(
    ("both", "antecedent", "is_told"),
    [(10, 50, True), (9, 45, False), (10, 51, False)],  # at the limits .01 and .2; below support; below confidence
)
def test_a_rule_at_the_limit_is_told_and_one_below_it_is_not(both, antecedent, is_told):
    one = Counted(TEA, 1000, antecedent, 100, both)
    assert bool(rules.strong([one], PARAMS)) is is_told


def test_in_a_small_home_a_rule_needs_a_floor_of_orders():
    assert rules.fewest_both(300, AssociationParams()) == 20
    assert rules.fewest_both(9835, AssociationParams()) == 99


def test_rules_stand_by_falling_lift_and_equal_ones_by_key():
    found = rules.strong([Counted(TEA, 100, 20, 40, 16), Counted(MILK, 100, 40, 20, 16)], PARAMS)
    assert [one.rule for one in found] == [MILK, TEA]


def test_the_lady_who_tastes_four_of_four_cups_does_so_by_chance_once_in_seventy():
    assert chance.tail(8, 4, 4, 4) == pytest.approx(1 / 70)
    assert chance.tail(8, 4, 4, 3) == pytest.approx(17 / 70)
    assert chance.p_values([Counted(TEA, 8, 4, 4, 4)], 10) == [0.1429]


def test_chance_is_that_of_fishers_exact_test():
    rng = np.random.default_rng(1)
    for _ in range(300):
        n = int(rng.integers(1, 300))
        a, c = (int(value) for value in rng.integers(0, n + 1, 2))
        k = int(rng.integers(max(0, a + c - n), min(a, c) + 1))
        expected = fisher_exact([[k, a - k], [c - k, n - a - c + k]], alternative="greater").pvalue
        assert float(chance.tail(n, a, c, k)) == pytest.approx(expected, rel=1e-8, abs=1e-12)


def test_far_fewer_than_by_chance_is_surely_chance():
    with np.errstate(over="raise"):
        assert chance.tail(142_585, [31_759, 31_759], [15_986, 15_986], [0, 10]).tolist() == [1.0, 1.0]


def test_a_very_small_chance_is_kept_in_four_digits_and_an_immeasurable_one_is_0():
    exact = 2 * comb(132, 12) / comb(360, 120)
    assert chance.p_values([Counted(TEA, 360, 132, 120, 120)], 2) == [float(f"{exact:.3e}")]
    assert 0 < exact < 1e-60
    assert chance.p_values([Counted(TEA, 10_000, 5_000, 5_000, 5_000)], 2) == [0.0]


def test_random_pairs_are_different_never_of_one_type_and_the_same_each_time():
    pairs = judge.random_pairs(["c", "a", "b"], 99, seed=1)
    assert [str(pair) for pair in pairs] == ["a -> b", "a -> c", "b -> a", "b -> c", "c -> a", "c -> b"]
    assert judge.random_pairs(list("abcdefgh"), 5, seed=1) == judge.random_pairs(list("hgfedcba"), 5, seed=1)


def test_orders_are_counted_per_customer():
    masks, sets = np.array([[0b01], [0b11], [0b11], [0b10]]), np.array([[0], [0b01], [0b11]])
    found = judge.counts_per_customer(np.array(["x", "y", "x", "y"]), masks, sets)
    assert found.tolist() == [[2, 2, 1], [2, 1, 1]]


def test_a_rule_holds_when_later_orders_bear_it_out_and_a_pair_that_knows_nothing_of_each_other_does_not():
    # Of 400 orders of 40 customers 100 hold tea, each with milk; jam is in half of the orders with tea and without.
    itemsets = rules.itemsets_of([TEA, Rule(("tea",), "jam")])
    each = {(): 10.0, ("tea",): 2.5, ("milk",): 2.5, ("milk", "tea"): 2.5, ("jam",): 5.0, ("jam", "tea"): 1.25}
    per_customer = np.tile([4 * each[one] for one in itemsets], (10, 1))
    metrics = judge.judge(per_customer, itemsets, [TEA], [Rule(("tea",), "jam")], PARAMS)
    assert (metrics["judged_orders"], metrics["judged_customers"]) == (400.0, 10.0)
    assert (metrics["held_share"], metrics["held_share_low"], metrics["baseline_held_share"]) == (1.0, 1.0, 0.0)
    assert (metrics["later_lift"], metrics["baseline_later_lift"], metrics["later_lift_gain"]) == (4.0, 1.0, 3.0)
    assert metrics["held_share_gain_low"] == 1.0
