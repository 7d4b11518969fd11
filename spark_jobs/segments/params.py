"""What the segments are made of and when they are good enough: every number that decides a result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Feature:
    """A column customers are grouped by. A skewed one becomes log(1 + scale * x), of no less than `least`."""

    name: str
    weight: float
    is_skewed: bool = True
    scale: float = 1.0
    least: float = 0.0


@dataclass(frozen=True)
class OutlierParams:
    """When a customer is unlike everybody."""

    fewest_customers: int = 60
    neighbours: int = 10  # DBSCAN: who has so many near, the customer included, lies in a crowd
    # Near is so many times the median distance to the last of them: a figure of the data, which a planted tenth of
    # strange customers hardly moves. At 2.5 about 1.3 % of a real year's customers are unlike everybody.
    reach_of_neighbours: float = 2.5
    crowd_share: float = 0.1  # a smaller group of alike customers is no crowd
    groups: int = 200  # whose middles stand for the crowd
    fewest_per_group: int = 5
    clip: float = 10.0  # standard deviations: far is far, whatever else is missing
    beyond: float = 0.01  # of the crowd, at each end of a figure, is beyond what is called usual
    told: int = 3  # figures in a reason
    # Business buyers planted to see whether they are found: their share of the customers, how often, and their spend
    # per line, least and most, over what is usual. From as much as a household on, so that not all are easy.
    planted_share: float = 0.01
    planted_least: int = 10
    planted_draws: int = 20
    planted_spend: tuple[float, float] = (1.0, 4.0)
    decimals: int = 6
    seed: int = 28


@dataclass(frozen=True)
class SegmentParams:
    """Parameters of a fit; they go to MLflow whole."""

    # Chosen on a real year of groceries, for segments that are found again when customers are drawn anew (mean Jaccard
    # of the worst of six: 0.85; with discount and private-label shares below 0.7) and that last from day to day. Spend
    # weighs half, since it is nearly orders x basket; coupon share too, since near half the customers have none. Days
    # since the last order count from a week on: telling today from yesterday moved 6 % of customers a day, this 1.4 %.
    features: tuple[Feature, ...] = (
        Feature("recency_days", weight=0.75, least=7.0),
        Feature("order_count_91d", weight=1.0),
        Feature("basket_net_mean", weight=1.0),
        Feature("net_spend_91d", weight=0.5),
        Feature("campaigns_answered", weight=1.0),
        Feature("coupon_share", weight=0.5, scale=1000.0),
    )
    clip: float = 3.0  # standard deviations: no single extreme customer gets a segment of its own

    largest_k: int = 8
    fewest_customers: int = 60  # below that a resample says nothing about stability
    fewest_per_segment: int = 20
    smallest_share: float = 0.03
    # A segment counts as found again when its mean Jaccard overlap over resamples reaches 0.75 (Hennig's bound for a
    # stable cluster). The adjusted Rand index alone is too mild: it forgives one blob cut in two among many.
    least_found_again: float = 0.75
    least_stability: float = 0.7
    bootstraps: int = 30  # fits on customers drawn anew
    resamples: int = 200  # of the customers, for the interval of a mean
    bootstrap_starts: int = 10
    sample_customers: int = 5000

    shapes: tuple[str, ...] = ("gaussian-mixture", "hdbscan")  # tried beside K-Means
    mixture_starts: int = 5
    least_variance: float = 0.01  # of a mixture: many customers without coupons are no needle in that direction

    fit_starts: int = 6
    max_iterations: int = 100
    # A refit goes only as far from the champion as so many customers keep their segment, in steps of the way, unless
    # that costs more of the squared distances than is allowed: then the customers have changed, and segments must.
    least_kept: float = 0.95
    most_lost: float = 0.03
    steps: tuple[float, ...] = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0)
    tolerance: float = 1e-6
    rows_per_partition: int = 250_000
    decimals: int = 6
    seed: int = 28

    test_customers: int = 20_000
    largest_p_value: float = 0.01  # after Bonferroni
    smallest_effect: float = 0.33  # rank-biserial correlation; a third is commonly called a medium difference
    words_in_name: int = 3

    least_index: float = 1.25  # times the others' share, for a category that a segment likes
    least_liked_more: float = 0.05
    most_liked: int = 5

    outliers: OutlierParams = OutlierParams()
