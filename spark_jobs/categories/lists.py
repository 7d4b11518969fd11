"""The lists of a day, and why: the bought categories that add most to each score, counted among the customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spark_jobs.categories.params import CategoryParams
from spark_jobs.categories.portable import ranked, scores

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
NOTHING = -1
_CHUNK = 20_000  # customers at a time, so that memory does not grow with their number


def listed(
    held: Array, suppressed: Array, links: Array | None, rate: Array, popularity: Array, params: CategoryParams
) -> dict[str, Array]:
    """For each customer (row) and rank the `category` (a column), its `score` and the `named` columns that add most to
    it, NOTHING where there is none: what was bought or suppressed is in no list, what was suppressed in no reason."""
    parts: list[tuple[Array, Array, Array]] = []
    for start in range(0, len(held), _CHUNK):
        some = slice(start, start + _CHUNK)
        found = scores(held[some], links, rate)
        columns = ranked(found, held[some] | suppressed[some], popularity, params.top)
        known = held[some] & ~suppressed[some]
        parts.append(
            (columns, np.take_along_axis(found, columns.clip(min=0), axis=1), named(known, columns, links, params))
        )
    columns, found, because = (np.concatenate(part) for part in zip(*parts, strict=True))
    return {"category": columns, "score": found, "named": because}


def named(held: Array, columns: Array, links: Array | None, params: CategoryParams) -> Array:
    """The bought categories that add most to the score of each listed one, the strongest first: only such as add to it,
    and no less than a share of what the strongest does."""
    because = np.full((*columns.shape, params.most_named), NOTHING)
    if links is None:
        return because
    for rank in range(columns.shape[1]):
        added = held * links[:, columns[:, rank].clip(min=0)].T
        strongest = added.max(axis=1)
        for place in range(params.most_named):
            best = added.argmax(axis=1)
            value = np.take_along_axis(added, best[:, None], axis=1)[:, 0]
            is_told = (columns[:, rank] >= 0) & (value > 0) & (value >= params.least_named_share * strongest)
            because[is_told, rank, place] = best[is_told]
            np.put_along_axis(added, best[:, None], 0.0, axis=1)
    return because


def counted(bought: Array, columns: Array, because: Array, params: CategoryParams) -> tuple[Array, Array, Array]:
    """What a reason may say: the named columns that are left, how many customers (rows of `bought`) bought all of them,
    and how many of these the listed one too.

    Names are dropped from the last on until enough customers bought all, and a larger share of them the listed one than
    of all customers; where not even one name is left, nothing is.
    """
    packed = np.packbits(bought.T, axis=1)  # a bit per customer, so that counting is quick however many there are
    buyers = bought.sum(axis=0).tolist()
    asked = np.column_stack([columns.reshape(-1), because.reshape(-1, because.shape[-1])])
    unique, place = np.unique(asked, axis=0, return_inverse=True)
    left = np.full((len(unique), because.shape[-1]), NOTHING)
    of_count, both_count = np.zeros(len(unique), dtype=np.int64), np.zeros(len(unique), dtype=np.int64)
    for row, (column, *names) in enumerate(unique.tolist()):
        known = [name for name in names if name != NOTHING]
        while column != NOTHING and known:
            all_of_them = np.bitwise_and.reduce(packed[known], axis=0)
            of = int(np.bitwise_count(all_of_them).sum())
            both = int(np.bitwise_count(all_of_them & packed[column]).sum())
            if both >= params.fewest_in_reason and both * len(bought) > buyers[column] * of:
                left[row, : len(known)], of_count[row], both_count[row] = known, of, both
                break
            known.pop()
    shape = columns.shape
    place = place.reshape(-1)
    return left[place].reshape(because.shape), of_count[place].reshape(shape), both_count[place].reshape(shape)


def rows(
    customers: Array,
    categories: tuple[str, ...],
    found: dict[str, Array],
    bought: Array,
    recent_buyers: Array,
    fingerprint: str,
    params: CategoryParams,
) -> pd.DataFrame:
    """One row per customer and rank, with the reason in words and the figures it tells. `bought` is what all customers
    bought, a row each; `recent_buyers` is how many bought each category in the `popularity_days`."""
    import pandas as pd

    left, of_count, both_count = counted(bought, found["category"], found["named"], params)
    row, place = np.nonzero(found["category"] >= 0)
    column, because = found["category"][row, place], left[row, place]
    of, both = of_count[row, place], both_count[row, place]
    names = np.array([*categories, None], dtype=object)  # the last one stands for NOTHING
    buyers, everybody = bought.sum(axis=0), len(bought)
    reasons = [
        of_share([categories[one] for one in some if one != NOTHING], of, both, int(buyers[column]), everybody)
        if of
        else of_popularity(int(recent_buyers[column]), int(buyers[column]), params.popularity_days)
        for column, some, of, both in zip(*(one.tolist() for one in (column, because, of, both)), strict=True)
    ]
    return pd.DataFrame(
        {
            "customer_id": customers[row],
            "rank": place + 1,
            "category": names[column],
            "score": found["score"][row, place],
            "reason": reasons,
            **{f"because_{number + 1}": names[because[:, number]] for number in range(because.shape[1])},
            "because_count": pd.Series(of, dtype="Int64").where(of > 0),
            "both_count": pd.Series(both, dtype="Int64").where(of > 0),
            "model_fingerprint": fingerprint,
        }
    )


def of_share(names: list[str], of: int, both: int, buyers: int, everybody: int) -> str:
    """The reason that names bought categories: of the customers who bought them, how many the listed one too."""
    said = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return (
        f"{_percent(both, of)} % of the customers who bought {said} also bought it "
        f"({both} of {of}), of all customers {_percent(buyers, everybody)} %"
    )


def of_popularity(recent: int, ever: int, days: int) -> str:
    """The reason where no bought category speaks for the listed one."""
    count, when = (recent, f"in the last {days} days") if recent else (ever, "so far")
    return f"bought by {count} {'customer' if count == 1 else 'customers'} {when}"


def _percent(part: int, whole: int) -> int:
    """To the nearest whole number, halves up: in whole numbers, so that SQL gives the same."""
    return (200 * part + whole) // (2 * whole)
