"""What the scores are learned from, by which recipes, and how they are judged: every number that decides a result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScoreParams:
    """Parameters of a training; they go to MLflow whole."""

    horizon_days: int = 28
    # A year of history gives nine cut-offs with a label; the first is then twelve weeks into it.
    cutoffs: int = 9
    test_cutoffs: int = 4  # so many of the last ones are judged
    calibration_cutoffs: int = 2  # at most so many before them calibrate; one at least, and one before it to learn from
    fewest_customers: int = 50  # a cut-off with fewer is not used
    fewest_events: int = 10  # nor one where fewer customers did, or fewer did not

    category_count: int = 20
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

    # Weight of the squared coefficients beside the mean loss of a row: fits on few and on many rows are shrunk alike,
    # so that what calibrates the one suits the other.
    penalty: float = 0.001
    tree_count: int = 60
    leaf_count: int = 12
    learning_rate: float = 0.08
    least_leaf_rows: int = 60
    leaf_penalty: float = 5.0
    fit_rows: int = 150_000  # the latest whole cut-offs; thrice as many cost time and change the fourth decimal of AUC

    resamples: int = 300
    bins: int = 10  # of the reliability plot and the calibration error
    reason_count: int = 3
    least_reason: float = 0.1  # on the logit; what moves it less is not told
    reason_features: int = 8  # of a boosting model: that many are tried per row
    untold_features: tuple[str, ...] = ("category_customer_share_28d",)  # the same for every customer: no reason
    decimals: int = 6
    seed: int = 28
