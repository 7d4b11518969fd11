"""What recommendations are made of and how they are judged: every number that decides a result."""

from __future__ import annotations

from dataclasses import dataclass

# Nothing a marketer could recommend: vouchers, deposits, fuel, supplies of the shop. And what should not be advertised
# to a person by what is known of them: tobacco, lottery, and what tells of health or private life.
NOT_GOODS = (
    "COUPON", "COUPON/MISC ITEMS", "COUPONS/STORE & MFG", "FUEL", "PROPANE", "BOTTLE DEPOSITS", "CONTINUITIES",
    "PROD SUPPLIES", "MEAT SUPPLIES", "DELI SUPPLIES",
)  # fmt: skip
NOT_ADVERTISED = (
    "CIGARETTES", "CIGARS", "TOBACCO OTHER", "SMOKING CESSATIONS", "TICKETS", "PHARMACY", "HOME HEALTH CARE",
    "FAMILY PLANNING", "ADULT INCONTINENCE",
)  # fmt: skip


@dataclass(frozen=True)
class RecommendationParams:
    """Parameters of a training; they go to MLflow whole."""

    excluded_categories: tuple[str, ...] = NOT_GOODS + NOT_ADVERTISED
    # A product without a category cannot be named to anyone; it is left out where so many purchases have one.
    category_share: float = 0.5

    window_days: int = 28  # what is predicted: purchases in that many days after the cut-off
    popularity_days: int = 91
    late_days: int = 28
    week_days: int = 7
    half_life_days: float = 90.0  # own history: a purchase that long ago counts half
    # What a customer never bought counts by the share of its buyers who began in the `late_days`, to this power.
    starting_power: float = 0.25

    # ALS. Fixed blocks make it bit-equal across repeats. A product needs some buyers to say anything about taste.
    rank: int = 16  # 32 took twice as long and was not surely better on the tuning window
    regularisation: float = 0.1
    alpha: float = 1.0
    iterations: int = 8  # the fewest with which two engines agree on nine of ten products
    blocks: int = 2
    seed: int = 28
    fewest_buyers: int = 10
    checkpoint_every: int = 4  # iterations; a longer lineage overflows the stack of a Java thread

    neighbour_products: int = 4000  # the most bought ones: the table of pairs grows with their square
    neighbour_customers: int = 50_000  # whose purchases come to the driver
    neighbours: int = 50

    # A truncated SVD, and EASE (Steck 2019) on the most bought products, of which each keeps its strongest links.
    svd_rank: int = 48
    svd_seed: int = 1
    ease_products: int = 3000
    ease_regularisation: float = 500.0
    ease_links: int = 100

    # The hybrid: boosted trees over all components, learned on so many earlier windows.
    hybrid_windows: int = 5
    hybrid_trees: int = 120
    any_leaves: int = 15
    new_leaves: int = 8
    hybrid_rate: float = 0.07
    hybrid_least: int = 100  # candidates in a leaf
    # Of the candidates that were bought neither before nor in the window, the share to learn from. All of a list of new
    # products are such candidates.
    any_misses: float = 0.1
    new_misses: float = 0.5
    most_per_kind: int = 0  # products of one type in a list; 0: as many as rank there

    candidates: int = 40  # per component; the blend ranks their union
    # Weights tried beside a weight of 1 for the task's main component.
    any_weights: tuple[float, ...] = (0.0, 0.1, 0.2, 0.4, 0.8)
    new_weights: tuple[float, ...] = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)

    top: int = 10
    curve: int = 20  # the longest list in the picture of hit rates
    bootstraps: int = 500
    judged_customers: int = 20_000
    fewest_customers: int = 50
    fewest_products: int = 20

    measured_customers: int = 5000  # of more, recipes that look at every two customers are not measured

    most_bought: int = 100  # a product of these is "one of the most bought"
    fewest_in_reason: int = 5  # customers; a share of fewer says nothing
    # Up to so many purchases DuckDB and numpy make the lists in this process; more of them are work for Spark.
    laptop_purchases: int = 5_000_000
    partitions: int = 2  # customers' lists are made in that many parts, and more where there are more customers
    customers_per_partition: int = 20_000
    decimals: int = 6
