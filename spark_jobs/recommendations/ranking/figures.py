"""What a learned ranker sees of a candidate besides its components: unscaled figures, those of time above all."""

from __future__ import annotations

import numpy as np

from .history import History
from .known import NEVER, Products

Array = np.ndarray
UNKNOWN = -1.0  # how overdue something is that was not bought twice
FIGURES = {
    "times": "In how many orders the customer bought it.",
    "lately": "In how many of the last 91 days.",
    "age": "Days since the customer bought it last, NEVER where not at all.",
    "first_age": "Days since the customer bought it first, NEVER where not at all.",
    "fading_14": "The customer's orders of it, each counting half after every 14 days.",
    "fading_45": "The same with 45 days.",
    "fading_180": "The same with 180 days.",
    "gap": "Mean days between the customer's orders of it, NEVER with fewer than two.",
    "overdue": "Days since the last order over that gap.",
    "buyers": "Customers who bought it in the last 91 days.",
    "late_buyers": "Customers who bought it in the last 28 days.",
    "week_buyers": "Customers who bought it in the last 7 days.",
    "new_buyers": "Customers who bought it first in the last 28 days.",
    "repeats": "Share of its buyers who ever bought it again.",
    "returning": "Share of its buyers of the 91 days before the last 28 who bought it in the last 28 days.",
    "usual_gap": "Mean days between two orders of it over all customers, NEVER where nobody bought it twice.",
    "usually_overdue": "Days since the customer's last order over that gap.",
    "affinity": "The customer's interest in its type: fading own history, summed.",
    "kind_age": "Days since the customer bought anything of its type, NEVER where not at all.",
    "kind_overdue": "These days over the mean gap between the customer's orders of the type.",
    "kind_share": "Share of its type's buyers in the last 91 days that is its own.",
    "products": "How many products the customer ever bought.",
    "pace": "The customer's purchases of all products, each counting half after every 45 days.",
    "liking": "What ALS says, unscaled.",
}
EXTRAS = tuple(FIGURES)


def figures(
    history: History, items: Array, own: Array, products: Products, kind_shares: Array, affinity: Array, liking: Array
) -> Array:
    """A row per candidate of `items`, a column for each of EXTRAS.

    `own` is where a candidate stands in the history, -1 where it does not. `kind_shares` are by product, `affinity` by
    kind (the unknown one first), `liking` by candidate.
    """
    kinds = products.kinds[items] + 1
    usual_gap, age = products.gaps[items], _at(history.ages, own, NEVER)
    gap = _at(_gaps(history.times, history.ages, history.first_ages), own, NEVER)
    kind_age, kind_overdue = (values[kinds] for values in _of_kinds(history, products.kinds, len(affinity)))
    columns = {
        "times": _at(history.times, own, 0.0),
        "lately": _at(history.lately, own, 0.0),
        "age": age,
        "first_age": _at(history.first_ages, own, NEVER),
        "fading_14": _at(history.fading[:, 0], own, 0.0),
        "fading_45": _at(history.fading[:, 1], own, 0.0),
        "fading_180": _at(history.fading[:, 2], own, 0.0),
        "gap": gap,
        "overdue": _overdue(age, gap),
        "buyers": products.popularity[items],
        "late_buyers": products.late_buyers[items],
        "week_buyers": products.week_buyers[items],
        "new_buyers": products.new_buyers[items],
        "repeats": products.repeats[items],
        "returning": products.returning[items],
        "usual_gap": usual_gap,
        "usually_overdue": np.where(own >= 0, _overdue(age, usual_gap), UNKNOWN),
        "affinity": affinity[kinds],
        "kind_age": kind_age,
        "kind_overdue": kind_overdue,
        "kind_share": kind_shares[items],
        "products": np.full(len(items), len(history.items)),
        "pace": np.full(len(items), history.fading[:, 1].sum()),
        "liking": liking,
    }
    return np.stack([columns[name] for name in EXTRAS], axis=1).astype(float)


def _at(values: Array, own: Array, otherwise: float) -> Array:
    """The customer's own values at the candidates."""
    if not len(values):
        return np.full(len(own), otherwise)
    return np.where(own >= 0, values[own.clip(min=0)], otherwise)


def _gaps(times: Array, ages: Array, first_ages: Array) -> Array:
    """Mean days between orders, NEVER with fewer than two; a day where all were on one."""
    mean = (first_ages - ages) / np.maximum(times - 1, 1)
    return np.where(times > 1, np.maximum(mean, 1.0), NEVER)


def _overdue(ages: Array, gaps: Array) -> Array:
    return np.where(gaps < NEVER, ages / gaps, UNKNOWN)


def _of_kinds(history: History, kinds: Array, count: int) -> tuple[Array, Array]:
    """For each kind, the unknown one first, days since the customer's last order of it, and how overdue it is."""
    kind = kinds[history.items] + 1
    ages, first_ages, times = np.full(count, NEVER), np.zeros(count), np.zeros(count)
    np.minimum.at(ages, kind, history.ages)
    np.maximum.at(first_ages, kind, history.first_ages)
    np.add.at(times, kind, history.times)
    overdue = _overdue(ages, _gaps(times, ages, first_ages))
    ages[0], overdue[0] = NEVER, UNKNOWN
    return ages, overdue
