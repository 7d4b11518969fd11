"""Make lists for many customers, one after another: the same code in this process and in Spark's workers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from spark_jobs.recommendations.ranking import (
    ALS,
    COMPONENTS,
    ITEMS,
    OWN_COUNT,
    OWN_RECENT,
    POPULARITY,
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


@dataclass(frozen=True)
class Task:
    """One list: its products with their factors, the weights of the components, and whether bought products count."""

    name: str
    products: Products
    settings: Mapping[str, Any]
    weights: Mapping[str, float]
    fingerprint: str  # of the model

    @property
    def is_new(self) -> bool:
        return self.name == "new"


def candidates(histories: DataFrame, products: Products, settings: Mapping[str, Any]) -> DataFrame:
    """One row per customer and product worth ranking, the more popular first: `item`, `is_bought` and a column per
    component."""
    sent = histories.sparkSession.sparkContext.broadcast((products, dict(settings)))
    columns = ", ".join(f"{name} double" for name in COMPONENTS)

    def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from threadpoolctl import threadpool_limits

        ranker = Ranker(*sent.value)
        for batch in batches:
            if not batch.num_rows:
                continue
            ids, histories = _read(batch)
            with threadpool_limits(1):
                found = [ranker.candidates(history) for history in histories]
            yield pa.record_batch(
                {
                    "customer": pa.array(np.repeat(ids, [len(one.items) for one in found]).astype(np.int32)),
                    "item": pa.array(np.concatenate([one.items for one in found]).astype(np.int64)),
                    "is_bought": pa.array(np.concatenate([one.is_bought for one in found])),
                    **{
                        name: pa.array(np.concatenate([one.values[:, place] for one in found]))
                        for place, name in enumerate(COMPONENTS)
                    },
                }
            )

    return histories.mapInArrow(made, f"customer int, item bigint, is_bought boolean, {columns}")


def listed(
    customers: Sequence[str],
    histories: Sequence[History],
    tasks: Sequence[Task],
    types: np.ndarray,
    as_of: date,
    top: int,
) -> pa.Table:
    """One row per customer, task and rank: `item`, `score`, and what a reason needs: its `kind`, `because` (the type of
    what was bought, for 'together'), and the customer's own `times` and `last_on` of the product.

    `types` are the product types by position, '' where not known; all tasks' products must stand at the same ones.
    """
    import pyarrow as pa
    from threadpoolctl import threadpool_limits

    rankers = [(task, Ranker(task.products, task.settings)) for task in tasks]
    with threadpool_limits(1):  # many small products gain nothing from more threads
        rows = [
            (customer, task.name, *row, task.fingerprint)
            for customer, history in zip(customers, histories, strict=True)
            for task, ranker in rankers
            for row in _listed(ranker, task, history, types, as_of, top)
        ]
    columns = zip(*rows, strict=True) if rows else ([] for _ in _COLUMNS)
    kinds = {"bigint": pa.int64(), "double": pa.float64(), "string": pa.string(), "date": pa.date32()}
    fields = zip(_COLUMNS.items(), columns, strict=True)
    return pa.table({name: pa.array(list(values), kinds[kind]) for (name, kind), values in fields})


def ranked(histories: DataFrame, tasks: Sequence[Task], types: np.ndarray, as_of: date, top: int) -> DataFrame:
    """`listed` as a Spark job over `inputs.of_customers`, with the products sent once to every worker."""
    sent = histories.sparkSession.sparkContext.broadcast((tasks, types))

    def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tasks, types = sent.value
        for batch in batches:
            yield from listed(*_read(batch), tasks, types, as_of, top).to_batches()

    return histories.mapInArrow(made, ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items()))


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
    ranker: Ranker, task: Task, history: History, types: np.ndarray, as_of: date, top: int
) -> list[tuple[Any, ...]]:
    weights = weights_of(task.weights)
    found = ranker.candidates(history)
    rows, scores = ranker.top(found, weights, task.is_new, top)
    parts = found.values[rows] * weights
    personal = parts[:, [OWN_COUNT, OWN_RECENT, ALS, ITEMS]].sum(axis=1)
    is_personal = personal >= parts[:, POPULARITY]
    items, is_bought = found.items[rows], found.is_bought[rows]
    because = _because(ranker, history, items, is_personal & ~is_bought, weights, types)
    own = np.searchsorted(history.items, items)  # where a bought one stands
    listed = []
    for place, item in enumerate(items.tolist()):
        kind = OWN if is_bought[place] and is_personal[place] else TOGETHER if because[place] else POPULAR
        times = int(history.times[own[place]]) if is_bought[place] else None
        last_on = as_of - timedelta(days=int(history.ages[own[place]])) if is_bought[place] else None
        listed.append((place + 1, item, float(scores[place]), kind, because[place] or None, times, last_on))
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
    offsets = batch.column("items").offsets.to_numpy()
    items, times, ages = (batch.column(name).values.to_numpy() for name in ("items", "times", "ages"))
    starts = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    histories = [
        History(items[start:end], times[start:end].astype(float), ages[start:end].astype(float))
        for start, end in starts
    ]
    return batch.column(0).to_pylist(), histories
