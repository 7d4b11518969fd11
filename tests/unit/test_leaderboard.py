"""The leaderboard of a training, on two recipes that were judged and one that was left out."""

from pathlib import Path
from typing import Any

from huaxiang.tracking.fits import Fit, Training
from huaxiang.tracking.leaderboard import leaderboard


def fit(recipe: str, auc: float, **more: float) -> Fit:
    none: Any = None
    metrics = {"auc": auc, "auc_low": auc - 0.01, "auc_high": auc + 0.01, **more}
    return Fit("churn_28d", recipe, "", "f", "2024-03-31", {}, metrics, (), Path("p"), {}, none, (), recipe=recipe)


def test_the_best_comes_first_and_what_was_left_out_last_with_its_reason():
    fits = (fit("recency", 0.8), fit("net", 0.9, fit_seconds=3.0, peak_mb=7.0))
    training = Training(fits, "auc", left_out={"forest": "failed: MemoryError on 9 rows"})
    rows = leaderboard(training, {"recency": "lost", "net": "won"})
    assert [(row["recipe"], row["outcome"], row["auc"]) for row in rows] == [
        ("net", "won", 0.9),
        ("recency", "lost", 0.8),
        ("forest", "left out", None),
    ]
    assert (rows[0]["seconds"], rows[0]["memory_mb"], rows[1]["seconds"]) == (3.0, 7.0, None)
    assert rows[2]["reason"] == "failed: MemoryError on 9 rows"
    assert len({tuple(row) for row in rows}) == 1  # every row has the same columns
