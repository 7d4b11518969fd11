"""What the scores are learned from, by which recipes, and how they are judged: every number that decides a result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoreParams:
    """Parameters of a training; they go to MLflow whole."""

    step_days: int = 28  # between two cut-offs
    # A year of history gives nine cut-offs with a label; the first is then twelve weeks into it.
    cutoffs: int = 9
    judged_cutoffs: int = 6  # so many of the last ones, where the history allows; else all that can be
    fewest_judged: int = 2
    # The latest two calibrate, and more until they hold so many events: old fits are too sure of themselves.
    calibration_cutoffs: int = 2
    calibration_events: int = 400
    fewest_customers: int = 50  # a cut-off with fewer is not used
    fewest_events: int = 10  # nor one where fewer customers did, or fewer did not

    # A collective name for coupons, fuel and much else: "will buy it" says nothing.
    left_out_categories: tuple[str, ...] = ("COUPON/MISC ITEMS",)
    decay_half_life_days: float = 28.0

    # Not features: an hour or weekday is no amount; the quintiles say again, coarsely, what stands beside them; and the
    # sums since the first order grow with the time this home has watched.
    left_out_features: tuple[str, ...] = (
        "preferred_weekday",
        "preferred_hour",
        "recency_quintile",
        "frequency_quintile",
        "monetary_quintile",
        "net_spend",
        "order_count",
        "line_count",
        "order_count_364d",
        "net_spend_364d",
    )
    # Log scale for what is skewed: log(1 + x) of a negative sum counts as 0.
    log_units: tuple[str, ...] = ("count", "money", "days", "number")
    customers: int = 20_000  # of a larger home so many are learned from, drawn by a hash of their ids
    clip: float = 4.0  # standard deviations: no single figure decides alone

    recipes: tuple[str, ...] = (
        "logistic",
        "tree",
        "forest",
        "boosting",
        "svm",
        "bayes",
        "neighbours",
        "net",
        "average",
        "bgnbd",  # where the event is to place no order
    )
    # Weight of the squared coefficients beside the mean loss of a row: fits on few and on many rows are shrunk alike,
    # so that what calibrates the one suits the other.
    penalty: float = 0.001
    fit_rows: int = 150_000  # the latest whole cut-offs; thrice as many cost time and change the fourth decimal of AUC
    # Of these so many are drawn for the slower recipes, by the seed.
    tree_rows: int = 60_000
    forest_rows: int = 12_000
    boosting_rows: int = 60_000
    svm_rows: int = 60_000
    neighbour_rows: int = 16_000
    net_rows: int = 12_000
    lifetime_rows: int = 4_000
    tree_leaves: int = 24
    tree_leaf_rows: int = 100
    tree_leaf_events: float = 10.0  # a leaf's share is drawn to that of all as by so many events
    forest_trees: int = 40
    forest_leaf_rows: int = 20
    forest_column_share: float = 0.2
    tree_count: int = 60  # of boosting, as the next four
    leaf_count: int = 12
    learning_rate: float = 0.08
    least_leaf_rows: int = 60
    leaf_penalty: float = 5.0
    svm_cost: float = 0.01
    bayes_smoothing: float = 0.1
    # Neighbours are middles of so many groups of alike rows, none of fewer rows: a model holds no customer's row.
    neighbour_groups: int = 400
    neighbour_rows_least: int = 5
    neighbours: int = 12
    net_units: int = 16
    net_rounds: int = 25
    net_penalty: float = 1.0
    net_rate: float = 0.003
    recipe_seconds: float = 60.0  # of processor time for all fits of a recipe; a slower one is left out
    shuffles: int = 5  # of the labels, for the guard against leaks
    guard_rows: int = 20_000  # the guards learn from at most so many

    resamples: int = 300
    bins: int = 10  # of the reliability plot and the calibration error
    reason_count: int = 3
    least_reason: float = 0.1  # on the logit; what moves it less is not told
    reason_features: int = 8  # of a model that is no weighted sum: that many are tried per row
    told_rows: int = 1_000  # and so many rows of the training tell which those are
    untold_features: tuple[str, ...] = ("category_customer_share_28d",)  # the same for every customer: no reason
    decimals: int = 6
    seed: int = 28
