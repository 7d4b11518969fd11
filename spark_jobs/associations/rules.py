"""What a rule is: from item sets and their counts to rules, and which of them are worth telling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from spark_jobs.associations.params import AssociationParams

# Product types in alphabetical order. The empty one is in every order, so its count is that of the orders.
ItemSet = tuple[str, ...]
EVERY_ORDER: ItemSet = ()
_EPSILON = 1e-9  # a share of exactly the limit passes, whatever the last bit of the quotient


@dataclass(frozen=True, order=True)
class Rule:
    """Orders with all of `antecedent` also have `consequent`."""

    antecedent: ItemSet
    consequent: str

    @property
    def items(self) -> ItemSet:
        return tuple(sorted((*self.antecedent, self.consequent)))

    def __str__(self) -> str:
        return f"{' + '.join(self.antecedent)} -> {self.consequent}"


@dataclass(frozen=True)
class Counted:
    """A rule with the orders behind it, and what follows from them."""

    rule: Rule
    order_count: int
    antecedent_count: int
    consequent_count: int
    both_count: int

    @property
    def support(self) -> float:
        return _share(self.both_count, self.order_count)

    @property
    def confidence(self) -> float:
        return _share(self.both_count, self.antecedent_count)

    @property
    def lift(self) -> float:
        """1 when antecedent and consequent know nothing of each other; 0 where one of them is in no order."""
        return _share(self.both_count * self.order_count, self.antecedent_count * self.consequent_count)

    @property
    def leverage(self) -> float:
        """Share of all orders that have both beyond those that would by chance (Piatetsky-Shapiro 1991); 0 is chance.

        Unlike lift it is small where few orders are concerned.
        """
        by_chance = self.antecedent_count * self.consequent_count
        return _share(self.both_count * self.order_count - by_chance, self.order_count * self.order_count)


def candidates(itemsets: Iterable[ItemSet], largest_antecedent: int) -> list[Rule]:
    """Every rule the item sets can form with one product type on the right, in order."""
    return sorted(
        Rule(tuple(other for other in items if other != item), item)
        for items in itemsets
        if 2 <= len(items) <= largest_antecedent + 1
        for item in items
    )


def itemsets_of(rules: Iterable[Rule]) -> list[ItemSet]:
    """Every item set whose count the figures of the rules need, each once, in order."""
    needed = {EVERY_ORDER}
    for rule in rules:
        needed |= {rule.antecedent, (rule.consequent,), rule.items}
    return sorted(needed)


def counted(rules: Iterable[Rule], counts: Mapping[ItemSet, int]) -> list[Counted]:
    """The rules with their counts; an item set that `counts` does not name is in no order."""
    return [
        Counted(
            rule,
            counts.get(EVERY_ORDER, 0),
            counts.get(rule.antecedent, 0),
            counts.get((rule.consequent,), 0),
            counts.get(rule.items, 0),
        )
        for rule in rules
    ]


def fewest_both(order_count: int, params: AssociationParams) -> int:
    """In how many of so many orders an item set must be."""
    return max(params.fewest_both, ceil(params.min_support * order_count - _EPSILON))


def strong(rules: Iterable[Counted], params: AssociationParams) -> list[Counted]:
    """The rules that reach support, confidence and lift; by falling lift, then by key."""
    found = [
        one
        for one in rules
        if one.both_count >= fewest_both(one.order_count, params)
        and one.confidence >= params.min_confidence - _EPSILON
        and one.lift >= params.min_lift - _EPSILON
    ]
    return sorted(found, key=lambda one: (-round(one.lift, 6), one.rule))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
