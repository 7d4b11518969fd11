"""The hybrid: boosted trees that learn from earlier windows how much each component is worth for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from spark_jobs.recommendations.judging import Judged
from spark_jobs.recommendations.params import RecommendationParams
from spark_jobs.recommendations.ranking import TRUSTED


def fit(windows: Sequence[Judged], task: str, params: RecommendationParams) -> Any:
    """A classifier of candidates: bought in the window after its cut-off, or not.

    Learned from are all that were bought, all that the customer had bought before, from which most of the first ten
    come, and a fixed share of the others, which stand for all.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    share, leaves = (params.any_misses, params.any_leaves) if task == "any" else (params.new_misses, params.new_leaves)
    rng = np.random.default_rng(params.seed)
    features, bought, weights = [], [], []
    for window in windows:
        found, hits, is_own = window.candidates_with_hits()
        is_sure = hits | is_own
        kept = is_sure | (rng.random(len(hits)) < share)
        features.append(found[kept])
        bought.append(hits[kept])
        weights.append(np.where(is_sure, 1.0, 1 / share)[kept])
    model = HistGradientBoostingClassifier(
        max_iter=params.hybrid_trees,
        max_leaf_nodes=leaves,
        learning_rate=params.hybrid_rate,
        min_samples_leaf=min(params.hybrid_least, max(1, sum(map(len, bought)) // 20)),
        l2_regularization=1.0,
        early_stopping=False,
        random_state=params.seed,
    )
    with threadpool_limits(1):  # so little data is learned quicker by one
        return model.fit(np.vstack(features), np.concatenate(bought), np.concatenate(weights))


def to_bytes(model: Any) -> bytes:
    """As a skops file, which holds no code."""
    import skops.io

    content: bytes = skops.io.dumps(model)
    return content


def from_bytes(content: bytes) -> Any:
    """The classifier of a skops file. Raises skops' UntrustedTypesFoundException for a type that is not ours."""
    import skops.io

    return skops.io.loads(content, trusted=TRUSTED)
