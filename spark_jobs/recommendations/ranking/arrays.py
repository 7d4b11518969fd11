"""Arithmetic on arrays of products: where they stand, the best of them, sums over links, shares. Ties go by place."""

from __future__ import annotations

import numpy as np

Array = np.ndarray


def positions(ids: Array, wanted: Array) -> Array:
    """Where each of `wanted` stands in `ids`, -1 where it does not."""
    order = np.argsort(ids)
    place = order[np.searchsorted(ids, wanted, sorter=order).clip(max=len(ids) - 1)]
    return np.where(ids[place] == wanted, place, -1)


def places_in(positions: Array, count: int) -> Array:
    """For each of `count` products where it stands in `positions`, -1 where it does not."""
    places = np.full(count, -1, dtype=np.int64)
    places[positions] = np.arange(len(positions))
    return places


def largest(values: Array, count: int) -> Array:
    """Places of the `count` largest values above 0, of equals the first ones."""
    places = np.flatnonzero(values >= _bound(values, count))
    # Rounded, so that the last bit does not choose among equals.
    found = np.round(values[places], 9)
    if len(found) > count:
        least = np.partition(found, len(found) - count)[len(found) - count]
        above, equal = np.flatnonzero(found > least), np.flatnonzero(found == least)
        kept = np.concatenate([above, equal[: count - len(above)]])
        places, found = places[kept], found[kept]
    return places[found > 0]


def _bound(values: Array, count: int, width: int = 32) -> float:
    """A cheap first cut that none of the `count` largest values is below: so many blocks have one that large."""
    blocks = len(values) // width
    if blocks < 2 * count:
        return 0.0
    largest = values[: blocks * width].reshape(blocks, width).max(axis=1)
    return float(np.partition(largest, blocks - count)[blocks - count]) - 1e-9


def summed(listed: Array, place: Array, to: Array, weights: Array, items: Array, interest: Array) -> Array:
    """For each of the `listed` products the weights that lead to it from what was bought, each times the interest."""
    places = place[items]
    is_known = places >= 0
    places = places[is_known]
    if not len(listed) or not len(places):
        return np.zeros(len(listed))
    found = weights[places] * interest[is_known][:, None]
    target = place[to[places]].ravel()
    kept = target >= 0
    return np.bincount(target[kept], weights=found.ravel()[kept], minlength=len(listed))


def spread(rows: Array, kinds: Array, most: int) -> Array:
    """The rows in their order without those that are of a kind listed `most` times before; of unknown kind all stay."""
    seen: dict[int, int] = {}
    kept = []
    for row, kind in zip(rows.tolist(), kinds.tolist(), strict=True):
        seen[kind] = seen.get(kind, 0) + 1
        if kind < 0 or seen[kind] <= most:
            kept.append(row)
    return np.array(kept, dtype=np.int64)


def scaled(values: Array, places: Array) -> Array:
    """Values at the places, 0 at place -1, over the largest of all values."""
    largest = values.max(initial=0)
    if largest <= 0 or not len(values):
        return np.zeros(len(places))
    return np.where(places >= 0, values[places.clip(min=0)], 0) / largest


def in_share(found: Array) -> Array:
    positive = np.maximum(found, 0.0)
    total = positive.sum(axis=1, keepdims=True)
    return np.divide(positive, total, out=np.zeros_like(positive), where=total > 0)
