"""Make lists for many customers, one after another: the same code in this process and in Spark's workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from spark_jobs.recommendations.pairs import Pairs
from spark_jobs.recommendations.ranking import (
    NOTHING,
    POPULARITY,
    Candidates,
    History,
    Products,
    Ranker,
    weights_of,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

# Why a product is on a list: the customer's own purchases of it, what others bought with it, or its popularity.
OWN, TOGETHER, POPULAR = "own", "together", "popular"


# What customers do not want to be recommended: their ids -> positions of products. Who said nothing is not there.
Suppressed = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Task:
    """One list: its products with their factors, the weights of the components, and whether bought products count."""

    name: str
    products: Products
    settings: Mapping[str, Any]
    weights: Mapping[str, float]
    fingerprint: str  # of the model
    model: Any = None  # the learned ranker of a hybrid
    barred: np.ndarray = field(default_factory=lambda: NOTHING)  # positions of products that nobody is recommended

    @property
    def is_new(self) -> bool:
        return self.name == "new"


def listed(
    customers: Sequence[str],
    histories: Sequence[History],
    tasks: Sequence[Task],
    types: np.ndarray,
    suppressed: Suppressed,
    as_of: date,
    top: int,
) -> pa.Table:
    """One row per customer, task and rank, nothing of it suppressed: `item`, `score`, and what a reason needs: its
    `kind`, `because` (the type of what was bought, for 'together'), and the customer's own `times` and `last_on` of the
    product.

    `types` are the product types by position, '' where not known; all tasks' products must stand at the same ones.
    """
    import pyarrow as pa
    from threadpoolctl import threadpool_limits

    rows: list[tuple[Any, ...]] = []
    with threadpool_limits(1):  # many small products gain nothing from more threads
        rankers = [Ranker(task.products, task.settings, task.model, task.barred) for task in tasks]
        one, *others = tasks  # two hybrids of one training have the same candidates
        are_same = all(one.settings == other.settings and one.products.same_as(other.products) for other in others)
        for start in range(0, len(customers), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            without = [suppressed.get(customer, NOTHING) for customer in customers[some]]
            found: list[Candidates] = []
            for task, ranker in zip(tasks, rankers, strict=True):
                if not found or not are_same:
                    found = list(map(ranker.candidates, histories[some], without))
                scores = ranker.scores(found, weights_of(task.weights))
                for customer, history, mine, values in zip(
                    customers[some], histories[some], found, scores, strict=True
                ):
                    of_one = _listed(ranker, task, history, mine, values, types, as_of, top)
                    rows.extend((customer, task.name, *row, task.fingerprint) for row in of_one)
    columns = zip(*rows, strict=True) if rows else ([] for _ in _COLUMNS)
    kinds = {"bigint": pa.int64(), "double": pa.float64(), "string": pa.string(), "date": pa.date32()}
    fields = zip(_COLUMNS.items(), columns, strict=True)
    return pa.table({name: pa.array(list(values), kinds[kind]) for (name, kind), values in fields})


def ranked(
    histories: DataFrame, tasks: Sequence[Task], types: np.ndarray, suppressed: Suppressed, as_of: date, top: int
) -> DataFrame:
    """`listed` as a Spark job over `inputs.of_customers`, with the products sent once to every worker."""
    sent = histories.sparkSession.sparkContext.broadcast((tasks, types, suppressed))

    def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tasks, types, suppressed = sent.value
        for batch in batches:
            yield from listed(*_read(batch), tasks, types, suppressed, as_of, top).to_batches()

    return histories.mapInArrow(made, ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items()))


_AT_ONCE = 500  # customers whose candidates a learned ranker scores in one call
_COLUMNS = {
    "customer_id": "string",
    "task": "string",
    "rank": "bigint",
    "item": "bigint",
    "score": "double",
    "kind": "string",
    "because": "string",
    "times": "bigint",
    "last_on": "date",
    "model_fingerprint": "string",
}


def _listed(
    ranker: Ranker,
    task: Task,
    history: History,
    found: Candidates,
    scores: np.ndarray,
    types: np.ndarray,
    as_of: date,
    top: int,
) -> list[tuple[Any, ...]]:
    weights = weights_of(task.weights)
    rows = ranker.top(found, scores, task.is_new, top)
    parts = found.values[rows] * weights
    popular = parts[:, POPULARITY]
    is_personal = parts.sum(axis=1) - popular >= popular
    items, is_bought = found.items[rows], found.is_bought[rows]
    because = _because(ranker, history, items, is_personal & ~is_bought, weights, types)
    own = np.searchsorted(history.items, items)  # where a bought one stands
    listed = []
    for place, item in enumerate(items.tolist()):
        kind = OWN if is_bought[place] and is_personal[place] else TOGETHER if because[place] else POPULAR
        times = int(history.times[own[place]]) if is_bought[place] else None
        last_on = as_of - timedelta(days=int(history.ages[own[place]])) if is_bought[place] else None
        listed.append((place + 1, item, float(scores[rows[place]]), kind, because[place] or None, times, last_on))
    return listed


def _because(
    ranker: Ranker, history: History, items: np.ndarray, wanted: np.ndarray, weights: np.ndarray, types: np.ndarray
) -> list[str]:
    """For each wanted item the type of product whose purchases spoke for it most, '' where none did."""
    because = [""] * len(items)
    places = np.flatnonzero(wanted)
    if not len(places) or not len(history.items):
        return because
    names, of_type = np.unique(types[history.items], return_inverse=True)
    shares = ranker.because(history, items[places], weights)
    totals = np.zeros((len(places), len(names)))
    np.add.at(totals.T, of_type, shares.T)
    totals[:, names == ""] = 0.0
    totals = np.round(totals, 9)
    best = totals.argmax(axis=1)  # of equals the first in the alphabet
    for row, place in enumerate(places):
        if totals[row, best[row]] > 0:
            because[place] = str(names[best[row]])
    return because


def _read(batch: pa.RecordBatch) -> tuple[list[Any], list[History]]:
    """Customers (the first column) and their histories of a batch of `inputs.of_customers`."""
    customers = np.arange(len(batch))
    item, age = (batch.column(name).flatten().to_numpy() for name in ("item", "age"))
    of_customer = np.repeat(customers, np.diff(batch.column("item").offsets.to_numpy()))
    return batch.column(0).to_pylist(), Pairs.of(of_customer, item, age).histories(customers)
