"""What comes next: the three recipes, as arithmetic on counts. Pure; numpy and scipy only.

With p0 the frequencies of all categories, s the smoothing and S the categories of the step before:

- `frequencies`: p0, whatever came before (order 0, the baseline);
- `markov`: the mean over c in S of (n(c -> x) + s p0(x)) / (n(c -> .) + s), a first-order chain, Dirichlet-smoothed;
- `own`: (m(x) + s p0(x)) / (m + s), m what the same sequence has held so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

FREQUENCIES, MARKOV, OWN = "frequencies", "markov", "own"
RECIPES = (FREQUENCIES, MARKOV, OWN)


@dataclass(frozen=True)
class Baskets:
    """Steps as a matrix: `held` has a row per step and a column per category (1 where it is in the step).

    `sequence` numbers the sequence of each step; the steps of one stand together, in order. `customer` numbers its
    customer, `day` is its day.
    """

    held: Any
    sequence: np.ndarray
    customer: np.ndarray
    day: np.ndarray
    customers: tuple[str, ...]
    unknown: int  # rows of categories that are not among the columns


@dataclass(frozen=True)
class Counts:
    """What a training learned: how often each category is in a step, and in the step after each other one."""

    categories: tuple[str, ...]
    single: np.ndarray
    after: np.ndarray  # row: before, column: next


def baskets(rows: pd.DataFrame, categories: Sequence[str]) -> Baskets:
    """Steps of rows in order (see `inputs.read_steps`); a step without any of the categories is left out."""
    import numpy as np
    import pandas as pd
    from scipy.sparse import csr_matrix

    number = pd.Categorical(rows["category"], categories=list(categories)).codes
    known = rows[number >= 0]
    place = number[number >= 0]
    keys = [known[name] for name in ("customer_id", "sequence_id", "position")]
    is_new = np.zeros(len(known), dtype=bool)
    for key in keys:
        is_new |= (key != key.shift()).to_numpy()
    basket = np.cumsum(is_new) - 1
    first = np.flatnonzero(is_new)
    held = csr_matrix((np.ones(len(known)), (basket, place)), shape=(len(first), len(categories)))
    held.data[:] = 1.0
    starts = known.iloc[first]
    of_sequence = (starts["customer_id"] != starts["customer_id"].shift()) | (
        starts["sequence_id"] != starts["sequence_id"].shift()
    )
    customer, names = pd.factorize(starts["customer_id"])
    return Baskets(
        held=held,
        sequence=np.cumsum(of_sequence.to_numpy()) - 1,
        customer=customer,
        day=pd.to_datetime(starts["happened_on"]).to_numpy(),
        customers=tuple(map(str, names)),
        unknown=len(rows) - len(known),
    )


def learn(found: Baskets, categories: Sequence[str]) -> Counts:
    """Count categories, and pairs of categories of a step and the next of the same sequence."""
    import numpy as np

    follows = np.flatnonzero(found.sequence[1:] == found.sequence[:-1])
    after = (found.held[follows].T @ found.held[follows + 1]).toarray()
    return Counts(tuple(categories), np.asarray(found.held.sum(axis=0)).ravel(), after)


def probabilities(recipe: str, counts: Counts, before: Any, so_far: Any, smoothing: float) -> np.ndarray:
    """A row per case: how likely each category is to be the next one; rows add up to 1.

    `before` are the steps before (a row each), `so_far` sums all steps of the sequence up to then.
    """
    import numpy as np

    base = (counts.single + 1) / (counts.single.sum() + len(counts.single))
    if recipe == FREQUENCIES:
        return np.tile(base, (before.shape[0], 1))
    if recipe == MARKOV:
        totals = counts.after.sum(axis=1, keepdims=True)
        chain = (counts.after + smoothing * base) / (totals + smoothing)
        sizes = np.asarray(before.sum(axis=1)).reshape(-1, 1)
        return np.asarray(before @ chain) / sizes
    own = np.asarray(so_far.todense()) if hasattr(so_far, "todense") else np.asarray(so_far)
    return (own + smoothing * base) / (own.sum(axis=1, keepdims=True) + smoothing)


def up_to(found: Baskets, places: np.ndarray) -> Any:
    """For each of these steps the sum of all steps of its sequence up to and with it."""
    import numpy as np
    from scipy.sparse import csr_matrix

    starts = np.searchsorted(found.sequence, found.sequence[places])
    lengths = places - starts + 1
    rows = np.repeat(np.arange(len(places)), lengths)
    columns = np.arange(len(rows)) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    members = csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(places), found.held.shape[0]))
    return members @ found.held
