"""Mine in this process, level by level: pairs counted by DuckDB, larger sets grown from what is frequent (Apriori).

A set can only be frequent when all its parts are (Agrawal and Srikant, "Fast Algorithms for Mining Association Rules",
VLDB 1994). What Spark's FP-Growth takes from a sample in seconds is counted here on all orders in less.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import combinations
from pathlib import Path

from spark_jobs.associations import counting
from spark_jobs.associations.rules import ItemSet


def often_together(path: Path, first: date, last: date, fewest: int, largest: int) -> dict[ItemSet, int]:
    """Every set of at most `largest` product types that is in at least `fewest` orders of these days, with its count.

    The counts are exact; that of the empty set is the number of orders.
    """
    found = counting.count_pairs(path, first, last, fewest)
    level: list[ItemSet] = [items for items in found if len(items) == 2]
    for size in range(3, largest + 1):
        grown = _grown(level, size)
        counts = counting.count(path, first, last, grown).of if grown else {}
        level = [items for items in grown if counts.get(items, 0) >= fewest]
        found |= {items: counts[items] for items in level}
    return found


def _grown(level: Iterable[ItemSet], size: int) -> list[ItemSet]:
    """The sets of `size` all of whose parts with one type less are in `level`."""
    known = set(level)
    by_start: dict[ItemSet, list[str]] = {}
    for items in known:
        by_start.setdefault(items[:-1], []).append(items[-1])
    joined = ((*start, one, other) for start, ends in by_start.items() for one, other in combinations(sorted(ends), 2))
    return sorted(items for items in joined if known.issuperset(combinations(items, size - 1)))
