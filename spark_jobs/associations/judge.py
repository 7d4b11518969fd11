"""Do the rules hold on days they were not mined from? Their share, beside random pairs of the same product types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from huaxiang.judging import resampling
from spark_jobs.associations.chance import tail
from spark_jobs.associations.params import AssociationParams
from spark_jobs.associations.rules import EVERY_ORDER, ItemSet, Rule

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


def random_pairs(types: Sequence[str], how_many: int, seed: int) -> list[Rule]:
    """So many different rules between two of the product types, drawn at random, or all there are."""
    import numpy as np

    types = sorted(types)
    others = len(types) - 1
    possible = len(types) * others
    drawn = np.random.default_rng(seed).choice(possible, min(how_many, possible), replace=False)
    pairs = [(int(number) // others, int(number) % others) for number in sorted(drawn)]
    return [Rule((types[left],), types[right + (right >= left)]) for left, right in pairs]


def counts_per_customer(customers: Array, masks: Array, sets: Array) -> Array:
    """Orders of each customer (rows, in order of ids) that hold each item set (columns).

    `masks` has a row of words per order, `sets` a row of words per item set.
    """
    import numpy as np

    _, rows = np.unique(customers, return_inverse=True)
    found = np.zeros((rows.max() + 1, len(sets)))
    for column, words in enumerate(sets):
        is_in = ((masks & words) == words).all(axis=1)
        found[:, column] = np.bincount(rows, weights=is_in, minlength=len(found))
    return found


def judge(
    per_customer: Array,
    itemsets: Sequence[ItemSet],
    rules: Sequence[Rule],
    baseline: Sequence[Rule],
    params: AssociationParams,
) -> dict[str, float]:
    """`held_share` and `later_lift` of the rules and of the baseline, each with its interval, and the paired gains.

    A rule holds when its lift is above 1 and Fisher's test says so (times the number of rules, below
    `largest_p_value`). `later_lift` is the median over the rules. Intervals are 95 %, by bootstrap over customers.
    """
    import numpy as np

    drawn = resampling.draws(len(per_customer), params.bootstraps, params.seed)
    samples = drawn.T @ per_customer  # the first is the customers as they are
    places = {itemset: place for place, itemset in enumerate(itemsets)}
    figures = {}
    for prefix, some in (("", rules), ("baseline_", baseline)):
        lift, held = _lift_and_held(samples, places, some, params)
        figures[f"{prefix}held_share"] = held.mean(axis=1)
        figures[f"{prefix}later_lift"] = np.median(lift, axis=1)
    for name in ("held_share", "later_lift"):
        figures[f"{name}_gain"] = figures[name] - figures[f"baseline_{name}"]
    flat: dict[str, float] = {}
    for name, values in figures.items():
        flat |= resampling.of_draws(values).interval().figures(name)
    return {
        **flat,
        "judged_customers": float(len(per_customer)),
        "judged_orders": float(samples[0, places[EVERY_ORDER]]),
    }


def _lift_and_held(
    samples: Array, places: dict[ItemSet, int], rules: Sequence[Rule], params: AssociationParams
) -> tuple[Array, Array]:
    import numpy as np

    orders = samples[:, [places[EVERY_ORDER]]]
    antecedent = samples[:, [places[rule.antecedent] for rule in rules]]
    consequent = samples[:, [places[(rule.consequent,)] for rule in rules]]
    both = samples[:, [places[rule.items] for rule in rules]]
    expected = antecedent * consequent / orders
    lift = np.divide(both, expected, out=np.zeros_like(both), where=expected > 0)
    is_sure = tail(orders, antecedent, consequent, both) * len(rules) < params.largest_p_value
    return lift, (lift > 1) & is_sure
