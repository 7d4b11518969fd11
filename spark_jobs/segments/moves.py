"""Who changed segment since the release before, and why: the features that, put back, would undo the move.

A move is explained by a counterfactual with the model that scored the day. The customer is looked at again with some
features as they were; the smallest set of features that leads back to the old segment is the explanation, and of
equally small sets the one that leads back furthest, that is nearest to the old segment's centre. Where all features put
back do not lead to the old segment, the customer would have moved though nothing about it had changed: then it was the
model. (Counterfactuals by smallest change: Wachter, Mittelstadt and Russell 2018; here exact, by trying all sets.)
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from spark_jobs.segments import nearest
from spark_jobs.segments.model import SegmentModel

if TYPE_CHECKING:
    from spark_jobs.segments.nearest import Floats, Ids

FEATURE, MODEL, NEW, LEFT = "feature moved", "model changed", "new customer", "left"
# A move that no put-back feature undoes although the model is the same. It must not happen: a test and a figure say so.
UNEXPLAINED = "unexplained"


@dataclass(frozen=True)
class Reason:
    """Why one customer moved. `features` are those that, put back together, undo the move: the smallest such set."""

    how: str
    features: tuple[str, ...] = ()


def explain(
    model: SegmentModel, before: Floats, after: Floats, from_ids: Ids, to_ids: Ids, is_same_model: bool
) -> list[Reason]:
    """A reason for each customer who was in `from_ids` and is in `to_ids`, both known.

    `before` and `after` hold the raw figures of the model's scalings then and now, a row per customer.
    """
    import numpy as np

    names = [scaling.name for scaling in model.scalings]
    old, new = nearest.coordinates(before, model), nearest.coordinates(after, model)
    leads_back = nearest.segment_ids(old, model) == from_ids
    is_reproduced = nearest.segment_ids(new, model) == to_ids
    reasons = [Reason(MODEL if not is_same_model and again else UNEXPLAINED) for again in is_reproduced]
    places = {segment.segment_id: place for place, segment in enumerate(model.segments)}
    open_ = np.flatnonzero(leads_back & is_reproduced)
    for size in range(1, len(names) + 1):
        found: dict[int, tuple[float, tuple[int, ...]]] = {}
        for chosen in combinations(range(len(names)), size):
            if not len(open_):
                return reasons
            mixed = new[open_].copy()
            mixed[:, chosen] = old[open_][:, chosen]
            undone = nearest.segment_ids(mixed, model) == from_ids[open_]
            away = nearest.distances(mixed, model)
            for row in np.flatnonzero(undone):
                customer = int(open_[row])
                option = (float(away[row, places[int(from_ids[customer])]]), chosen)
                found[customer] = min(found.get(customer, option), option)
        for customer, (_, chosen) in found.items():
            reasons[customer] = Reason(FEATURE, tuple(names[place] for place in chosen))
        open_ = np.array([customer for customer in open_ if int(customer) not in found], dtype=int)
    return reasons
