"""How new categories are recommended and how that is judged: every number that decides a result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CategoryParams:
    """Parameters of a training; they go to MLflow whole.

    Rank, regularisation and neighbours were chosen on cut-offs before those that are judged.
    """

    window_days: int = 28  # what is predicted: starts in that many days after the cut-off
    popularity_days: int = 91
    start_days: int = 28  # of the start rate
    judged_cut_offs: int = 6  # 28 days apart, the last one a window before as_of
    tuning_cut_offs: int = 3  # before the judged ones: the blend is tuned on them alone

    svd_rank: int = 8
    ease_regularisation: float = 700.0
    # Weight of the start rate beside EASE in the blend; of equally good ones the first.
    start_weights: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 3.0, 4.0)

    fewest_buyers: int = 10  # of a category, to be learned
    most_categories: int = 500  # the most bought ones: links grow with their square
    customers: int = 10_000  # of more so many are learned from and judged, drawn by a hash of their ids
    fewest_customers: int = 50  # who started a category in a judged window
    fewest_categories: int = 12  # a list of ten out of ten says nothing

    top: int = 10
    bootstraps: int = 500
    fewest_in_reason: int = 5  # customers; a share of fewer says nothing
    most_named: int = 3  # bought categories that a reason names
    least_named_share: float = 0.25  # of the strongest contribution; a weaker category is not named
    decimals: int = 6
    seed: int = 28
