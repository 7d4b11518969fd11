"""The dimensions: a truncated singular value decomposition of standardised log counts.

`svd` decomposes orders per category and window. `balanced_svd` sets the RFM figures beside them as a block of its own,
each block weighted so that its first dimension has variance 1: several hundred categories then do not drown nine
figures (multiple factor analysis; Escofier and Pagès, 1994). The right singular vectors are the eigenvectors of the
columns' correlations, found exactly, so nothing hangs on a start; the sign of each is such that its largest entry is
above 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spark_jobs.vectors import portable
from spark_jobs.vectors.inputs import Known
from spark_jobs.vectors.params import VectorParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray

Model = dict[str, Any]


def fit(known: Known, recipe: str, count: int, params: VectorParams) -> Model:
    """A model of `count` dimensions, or of as many as there are columns; figures and columns in a fixed order.

    `shares` is of the variance of all (weighted) columns; `correlations` are those of each column with each dimension.
    """
    import numpy as np
    import scipy.linalg
    from threadpoolctl import threadpool_limits

    model = _columns(known, recipe, params)
    blocks = (slice(0, len(model["figures"])), slice(len(model["figures"]), None))
    with threadpool_limits(1):  # sums in one order give the same bits on every machine
        table = portable.levels(model, known.values(model))
        means, deviations = table.mean(axis=0), table.std(axis=0)
        deviations[deviations <= 0] = 1.0
        table = np.clip((table - means) / deviations, -params.clip, params.clip)
        likeness = table.T @ table / len(table)
        weights = np.ones(len(likeness))
        for block in blocks:
            inside = likeness[block, block]
            if len(inside):
                last = len(inside) - 1
                weights[block] = scipy.linalg.eigvalsh(inside, subset_by_index=[last, last])[0] ** -0.5
        weighted = likeness * weights * weights[:, None]
        size = len(weighted)
        values, found = scipy.linalg.eigh(weighted, subset_by_index=[max(size - count, 0), size - 1])
    values, found = values[::-1], signed(found[:, ::-1].T)
    return model | {
        "means": means,
        "deviations": deviations,
        "loadings": found * weights,
        "shares": values / np.trace(weighted),
        "correlations": found * np.sqrt(np.maximum(values, 0.0))[:, None] / weights,
    }


def signed(rows: Array) -> Array:
    """Each row turned so that its largest entry, of equally large ones the first, is above 0."""
    import numpy as np

    largest = np.round(np.abs(rows), 9).argmax(axis=1)  # what differs by a last bit is equally large
    found: Array = rows * np.where(rows[np.arange(len(rows)), largest] < 0, -1.0, 1.0)[:, None]
    return found


def columns_of(known: Known, params: VectorParams) -> list[int]:
    """Places of the columns of counts that enough rows have; of too many the commonest."""
    import numpy as np

    there = known.counts.getnnz(axis=0) / max(len(known.customers), 1)
    order = np.argsort(-there, kind="stable")[: params.most_columns]
    return sorted(int(place) for place in order if there[place] >= params.column_share)


def _columns(known: Known, recipe: str, params: VectorParams) -> Model:
    """The figures with what is typical of them, and the columns of counts."""
    figures = known.figures if recipe == "balanced_svd" else known.figures.iloc[:, :0]
    typical = figures.median()
    return {
        "figures": [
            {"name": name, "typical": round(float(typical[name]), params.decimals)}
            for name in figures.columns
            if figures[name].notna().any()
        ],
        "columns": [
            {"category": known.columns[place][0], "window_days": known.columns[place][1]}
            for place in columns_of(known, params)
        ],
        "clip": params.clip,
        "decimals": params.decimals,
    }
