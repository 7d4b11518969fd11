"""What a vector is made from, how it is judged against RFM, and when it is published: every number that decides."""

from __future__ import annotations

from dataclasses import dataclass

from spark_jobs.scores.params import ScoreParams

# Recency, frequency and money of the portrait's windows.
RFM = (
    "recency_days",
    *(f"order_count_{days}d" for days in (7, 28, 91, 364)),
    *(f"net_spend_{days}d" for days in (7, 28, 91, 364)),
)


@dataclass(frozen=True)
class VectorParams:
    """Parameters of a training; they go to MLflow whole."""

    # A vector is published where it is surely better than RFM on each of these targets; the others are told beside.
    tasks: tuple[str, ...] = ("churn_28d", "buys_coffee_28d", "high_value_28d")
    told_tasks: tuple[str, ...] = ("coupon_response_28d",)

    recipes: tuple[str, ...] = ("svd", "balanced_svd")
    figures: tuple[str, ...] = RFM
    windows: tuple[int, ...] = (28, 91, 364)  # days of purchases, each counted by itself
    dimension_counts: tuple[int, ...] = (8, 16, 32, 64)  # tried on the cut-offs before the judged ones
    column_share: float = 0.05  # a category counts in a window if so many of the rows learned from have it
    most_columns: int = 600  # categories times windows; the commonest
    fewest_columns: int = 12  # of fewer the columns themselves say it better
    customers: int = 4_000  # of a larger home so many are learned from, drawn by a hash of their ids
    clip: float = 4.0  # standard deviations: no single column decides alone

    resamples: int = 300
    told_inputs: int = 5  # at either end of a dimension
    decimals: int = 6
    seed: int = 28

    @property
    def scores(self) -> ScoreParams:
        """The cut-offs, labels and logistic regression of the scores: RFM and vectors are judged by them alike."""
        return ScoreParams(customers=self.customers)
