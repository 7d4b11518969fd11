"""Which orders are looked at and which rules are worth telling: every number that decides a result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AssociationParams:
    """Parameters of a training; they go to MLflow whole."""

    window_days: int = 364  # orders of this many days: habits of years ago say little of today
    held_days: int = 28  # the last of them are not mined: the rules are checked on them
    fewest_orders: int = 200  # to mine from; below that a share of 1 % is two orders

    min_support: float = 0.01
    fewest_both: int = 20  # in a small home 1 % of the orders would be a handful, and nearly everything a rule
    min_confidence: float = 0.2
    min_lift: float = 1.2
    largest_antecedent: int = 2
    most_rules: int = 500  # by lift; more than that nobody reads
    largest_p_value: float = 0.01  # after Bonferroni

    # Up to so many purchases DuckDB mines all orders in this process; more of them are work for Spark.
    laptop_purchases: int = 5_000_000
    # FP-Growth needs minutes on all orders of a large home. Candidates are mined from a sample at a lower support, then
    # counted exactly on all orders (Toivonen, "Sampling Large Databases for Association Rules", VLDB 1996). At a
    # support of .01 the margin is 3.5 standard errors of the sample's figure. A home with fewer
    # orders is mined whole, as is one that DuckDB mines.
    mined_orders: int = 30_000
    sample_margin: float = 0.8

    judged_customers: int = 20_000  # for the check on the last days
    bootstraps: int = 500
    seed: int = 28
