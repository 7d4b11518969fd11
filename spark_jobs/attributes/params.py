"""What may be inferred, when it is published, and how factors are found: every number that decides a result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AttributeParams:
    """Parameters of a training; they go to MLflow whole."""

    # Tried are these columns of `customers`; allowed.py refuses what is sensitive, whoever asks for it.
    attributes: tuple[str, ...] = ("age_band", "income_band", "household_size", "marital_status", "home_ownership")
    fewest_declared: int = 200  # of an attribute, by customers with a purchase; of fewer nothing can be said
    fewest_of_value: int = 30  # a value that fewer declared is not learned
    customers: int = 20_000  # of more that declared so many are learned from, drawn by a hash of their ids

    folds: int = 5  # over customers: each is judged by a fit that did not see them
    repeats: int = 3  # with other folds; a customer counts by the mean, so that no luck of the folds decides
    inner_folds: int = 3  # inside each fold, to choose the penalty and the temperature
    penalties: tuple[float, ...] = (1.0, 3.0, 10.0)  # weight of the squared coefficients beside a row's mean loss
    clip: float = 4.0  # standard deviations: no single figure decides alone

    category_share: float = 0.05  # a category counts that so many customers bought of
    most_categories: int = 250
    window_days: int = 364  # purchases of this many days

    # An attribute is inferred only where all hold; see judge.py.
    resamples: int = 2000
    error: float = 0.05  # shared out among the attributes tried (Bonferroni)
    slope: tuple[float, float] = (0.9, 1.1)
    largest_calibration_error: float = 0.05
    bins: int = 5
    # A customer gets a value only from this probability on, and only where it says more than the value's share does.
    least_confidence: float = 0.7

    # Lifestyle factors.
    factor_counts: tuple[int, ...] = (3, 4, 5, 6, 7, 8)
    fewest_factor_customers: int = 200
    fewest_categories: int = 12  # that are not sensitive; factors of fewer are the categories themselves
    fewest_purchases: int = 20  # orders times categories; of fewer a customer's ways cannot be told
    factor_customers: int = 5_000  # of more so many are learned from
    splits: int = 5  # random halvings that choose the number of factors
    judged_splits: int = 20  # other halvings that judge each factor
    least_phi: float = 0.9  # Tucker's phi; Lorenzo-Seva and ten Berge (2006) call .95 equal and .85 fairly alike
    least_found: float = 0.8  # a factor is published that reaches it in so many of the judged splits
    told_categories: int = 8  # of each factor

    decimals: int = 6
    seed: int = 28
