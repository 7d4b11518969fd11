"""Make lists for many customers: a Spark job over their histories, with the products sent once to every worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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

        ranker = Ranker(*sent.value)
        for batch in batches:
            if not batch.num_rows:
                continue
            ids, histories = _read(batch)
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

    return histories.mapInArrow(_quietly(made), f"customer int, item bigint, is_bought boolean, {columns}")


def ranked(histories: DataFrame, tasks: tuple[Task, ...], types: np.ndarray, top: int) -> DataFrame:
    """One row per customer, task and rank: `item`, `score`, and what a reason needs: its `kind`, `type` (of what was
    bought, for 'together'), and the customer's own `times` and `age` of the product.

    `types` are the product types by position, '' where not known; all tasks' products must stand at the same ones.
    """
    sent = histories.sparkSession.sparkContext.broadcast((tasks, types))

    def made(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        tasks, types = sent.value
        rankers = [(task, Ranker(task.products, task.settings)) for task in tasks]
        for batch in batches:
            if not batch.num_rows:
                continue
            rows = [
                (customer, task.name, *row)
                for customer, history in zip(*_read(batch), strict=True)
                for task, ranker in rankers
                for row in _listed(ranker, task, history, types, top)
            ]
            if not rows:
                continue
            names = ("customer_id", "task", "rank", "item", "score", "kind", "because", "times", "age")
            kinds = (pa.string(), pa.string(), pa.int64(), pa.int64(), pa.float64(), pa.string(), pa.string())
            filled = zip(names, (*kinds, pa.int64(), pa.int64()), zip(*rows, strict=True), strict=True)
            yield pa.record_batch({name: pa.array(values, kind) for name, kind, values in filled})

    return histories.mapInArrow(
        _quietly(made),
        "customer_id string, task string, rank bigint, item bigint, score double, kind string, because string, "
        "times bigint, age bigint",
    )


def _listed(ranker: Ranker, task: Task, history: History, types: np.ndarray, top: int) -> list[tuple[Any, ...]]:
    weights = weights_of(task.weights)
    found = ranker.candidates(history)
    rows, scores = ranker.top(found, weights, task.is_new, top)
    parts = found.values[rows] * weights
    personal = parts[:, [OWN_COUNT, OWN_RECENT, ALS, ITEMS]].sum(axis=1)
    is_personal = personal >= parts[:, POPULARITY]
    items, is_bought = found.items[rows], found.is_bought[rows]
    because = _because(ranker, history, items, is_personal & ~is_bought, weights, types)
    own = {int(item): place for place, item in enumerate(history.items)}
    listed = []
    for place, item in enumerate(items.tolist()):
        kind = OWN if is_bought[place] and is_personal[place] else TOGETHER if because[place] else POPULAR
        bought = own.get(item)
        listed.append(
            (
                place + 1,
                item,
                float(scores[place]),
                kind,
                because[place] or None,
                None if bought is None else int(history.times[bought]),
                None if bought is None else int(history.ages[bought]),
            )
        )
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


def _quietly(made: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """With one thread in the matrix library: many small products gain nothing from more, and Spark has its own."""

    def alone(batches: Iterator[Any]) -> Iterator[Any]:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            yield from made(batches)

    return alone
