"""Would other limits let more rules come back? `python -m benchmarks.replication_limits`, The Complete Journey.

Every way of limiting rules is looked at on the quarters of 2017 (first against second, third against fourth), sorted
by the mean Jaccard overlap there, and beside it on the halves, which `benchmarks.replication` reports. The first row
is what the family does. All figures come from one matrix: in how many orders of each month each item set is.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np

from benchmarks.recommenders import write_purchases
from benchmarks.replication import agreement
from spark_jobs.associations import counting, laptop, rules
from spark_jobs.associations.params import AssociationParams
from spark_jobs.associations.rules import ItemSet, Rule

Array = np.ndarray
PARAMS = AssociationParams()
LEAST = 0.004  # share of a quarter's orders below which no set is looked at
PAIRS = ((range(0, 3), range(3, 6)), (range(6, 9), range(9, 12)), (range(0, 6), range(6, 12)))  # of months


@dataclass(frozen=True)
class Way:
    """Which rules are told. `support` is a share of the orders, or above 1 the number of rules most often bought."""

    name: str
    support: float = PARAMS.min_support
    confidence: float = PARAMS.min_confidence
    lift: float = PARAMS.min_lift
    largest_antecedent: int = PARAMS.largest_antecedent
    gain: float = 0.0  # confidence of a rule of two over that of each of its parts, at least
    deviations: float = 0.0  # by which support and confidence must pass their limits
    months: str = "all"  # or 'least', 'mean': support and confidence of the worst month, their geometric mean


WAYS = (
    Way("as the family does"),
    *(Way(f"support {share}", support=share) for share in (0.006, 0.008, 0.012, 0.015)),
    *(Way(f"confidence {share}", confidence=share) for share in (0.1, 0.15, 0.25, 0.3)),
    *(Way(f"lift {lift}", lift=lift) for lift in (1.0, 1.5, 2.0)),
    Way("one type on the left", largest_antecedent=1),
    Way("rules of two only where surer by a tenth", gain=1.1),
    Way("limits passed by 2.3 standard errors", deviations=2.3),
    Way("limits kept in every month", months="least"),
    Way("limits kept in the mean month", months="mean"),
    Way("one type, support .006, confidence .4", 0.006, 0.4, largest_antecedent=1),
    Way("200 most often bought, confidence .15", 200, 0.15),
    Way("one type, 250 most often bought, confidence .15", 250, 0.15, largest_antecedent=1),
    Way("300 most often bought in the worst month, no other limit", 300, 0, 0, months="least"),
    Way("one type, 800 most often bought in the mean month, confidence .25", 800, 0.25, largest_antecedent=1,
        months="mean"),
)  # fmt: skip


@dataclass(frozen=True)
class Candidates:
    """Every rule, and in how many orders of each month (rows) its antecedent, its consequent and both are."""

    rules: tuple[Rule, ...]
    orders: Array
    antecedent: Array
    consequent: Array
    both: Array
    gain: Array  # of the year; infinite for rules with one type on the left

    def found(self, months: range, way: Way) -> dict[Rule, float]:
        """The rules of these months with their lifts."""
        rows = [[month] for month in months] if way.months != "all" else [list(months)]
        each = [self._limited(some, way) for some in rows]
        support, confidence = (_over_months(np.array(part), way.months) for part in zip(*each, strict=True))
        orders, antecedent, consequent, both = self._sums(list(months))
        lift = both * orders / np.maximum(antecedent * consequent, 1)
        fits = np.array([len(rule.antecedent) <= way.largest_antecedent for rule in self.rules])
        often = np.where(fits, support, -1.0)
        least = -np.sort(-often)[int(way.support) - 1] if way.support > 1 else way.support
        told = (often >= least) & (confidence >= way.confidence) & (lift >= way.lift) & (self.gain >= way.gain)
        return {self.rules[place]: float(lift[place]) for place in np.flatnonzero(told)}

    def _sums(self, months: list[int]) -> tuple[Array, ...]:
        return tuple(part[months].sum(axis=0) for part in (self.orders, self.antecedent, self.consequent, self.both))

    def _limited(self, months: list[int], way: Way) -> tuple[Array, Array]:
        orders, antecedent, _, both = self._sums(months)
        support, confidence = both / orders, both / np.maximum(antecedent, 1)
        missing = way.deviations * np.sqrt(support / orders)
        unsure = way.deviations * np.sqrt(confidence * (1 - confidence) / np.maximum(antecedent, 1))
        return support - missing, confidence - unsure


def main() -> None:
    """A row per way, best on the quarters first."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "purchases.parquet"
        write_purchases(path)
        known = candidates(path)
    first, *others = [_row(known, way) for way in WAYS]
    for _, text in [first, *sorted(others, reverse=True)]:
        print(text)


def _row(known: Candidates, way: Way) -> tuple[float, str]:
    """Mean Jaccard of the quarters, and the figures in words."""
    found = [(known.found(one, way), known.found(other, way)) for one, other in PAIRS]
    (first, _), (second, _), (halves, lifts) = (agreement(*both) for both in found)
    one, other = found[-1]
    [(_, most)] = Counter(rule.consequent for rule in one).most_common(1)
    mean = (first + second) / 2
    return mean, (
        f"{way.name}: quarters {first:.3f} {second:.3f} (mean {mean:.3f}), halves {halves:.3f}, lifts {lifts:.4f}, "
        f"{len(one)} and {len(other)} rules, {most / len(one):.0%} of them on one type"
    )


def candidates(path: Path) -> Candidates:
    """Every rule of the sets that are frequent in some quarter."""
    frequent: set[ItemSet] = set()
    for first, last in (_days(start, start + 3) for start in (1, 4, 7, 10)):
        fewest = round(LEAST * counting.count(path, first, last, []).orders)
        frequent |= laptop.often_together(path, first, last, fewest, PARAMS.largest_antecedent + 1).keys()
    of = tuple(rules.candidates(frequent, PARAMS.largest_antecedent))
    sets = rules.itemsets_of(of)
    months = [counting.count(path, *_days(month, month + 1), sets).of for month in range(1, 13)]
    counts = np.array([[month.get(items, 0) for items in sets] for month in months], dtype=float)
    column = {items: counts[:, place] for place, items in enumerate(sets)}
    year = {items: values.sum() for items, values in column.items()}

    def gain(rule: Rule) -> float:
        """How much surer the rule is than the surest of its parts."""
        parts = [
            Rule(part, rule.consequent) for part in combinations(rule.antecedent, len(rule.antecedent) - 1) if part
        ]
        sure = [year[part.items] / year[part.antecedent] for part in parts]
        return float(year[rule.items] / year[rule.antecedent] / max(sure)) if sure else np.inf

    def matrix(sets: list[ItemSet]) -> Array:
        return np.array([column[items] for items in sets]).T

    return Candidates(
        of,
        column[rules.EVERY_ORDER][:, None],
        matrix([rule.antecedent for rule in of]),
        matrix([(rule.consequent,) for rule in of]),
        matrix([rule.items for rule in of]),
        np.array([gain(rule) for rule in of]),
    )


def _over_months(values: Array, months: str) -> Array:
    if months == "mean":
        return np.exp(np.log(np.maximum(values, 1e-6)).mean(axis=0))
    return values.min(axis=0)


def _days(month: int, until: int) -> tuple[date, date]:
    """The days from the first of `month` to the last before the month `until`."""
    return date(2017, month, 1), (date(2017, until, 1) if until < 13 else date(2018, 1, 1)) - timedelta(days=1)


if __name__ == "__main__":
    main()
