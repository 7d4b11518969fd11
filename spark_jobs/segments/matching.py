"""Keep segment ids: a retrained segment gets the id of the one that held most of its customers before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Matching:
    """`ids[label]` is the segment id; `kept_share` the share of known customers who keep theirs, if any."""

    ids: tuple[int, ...]
    kept_share: float | None


def first_ids(mean_spend: Sequence[float]) -> Matching:
    """Ids 1..k, the highest mean net spend first; equal ones in the order of their labels."""
    order = sorted(range(len(mean_spend)), key=lambda label: (-mean_spend[label], label))
    ids = [0] * len(order)
    for rank, label in enumerate(order, start=1):
        ids[label] = rank
    return Matching(tuple(ids), None)


def matched_ids(shared: Mapping[tuple[int, int], int], mean_spend: Sequence[float], highest_id: int = 0) -> Matching:
    """Ids of the release before, matched so that as many shared customers as possible keep theirs.

    `shared[label, old_id]` counts the customers that a new label and an old segment share. A label that shares none
    with its match, or has no match, gets a new id above all earlier ones, in spend order; `highest_id` is the highest
    that any model before has used, so that no id comes back as another segment's.
    """
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    old_ids = sorted({old_id for _, old_id in shared})
    if not old_ids:
        return first_ids(mean_spend)
    counts = np.zeros((len(mean_spend), len(old_ids)), dtype=int)
    for (label, old_id), customers in shared.items():
        counts[label, old_ids.index(old_id)] = customers
    pairs = [(int(label), int(old)) for label, old in zip(*linear_sum_assignment(counts, maximize=True), strict=True)]
    pairs = [(label, old) for label, old in pairs if counts[label, old] > 0]
    ids = {label: old_ids[old] for label, old in pairs}
    new = sorted(set(range(len(mean_spend))) - set(ids), key=lambda label: (-mean_spend[label], label))
    ids |= {label: max(old_ids[-1], highest_id) + number for number, label in enumerate(new, start=1)}
    kept = sum(int(counts[label, old]) for label, old in pairs) / int(counts.sum())
    return Matching(tuple(ids[label] for label in range(len(mean_spend))), round(kept, 6))
