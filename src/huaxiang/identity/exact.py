"""Links by equal identifiers: a strong one makes one person of two customers, a weak one only says that they met."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from itertools import combinations, pairwise

from huaxiang.identity.known import Shared
from huaxiang.identity.people import Decisions, Link, Waiting, short_hash
from huaxiang.identity.policy import STRONG, WEAK, Policy

# An identifier that somebody has approved for more customers than this links each to the next, not all pairs.
_ALL_PAIRS_UP_TO = 50
# What is left of a weak identifier's confidence when it is no longer worth a word.
_FADED = 0.05


def exact_links(
    shared: Iterable[Shared], policy: Policy, decisions: Decisions, known_at: date
) -> tuple[list[Link], list[Waiting]]:
    """The links of every pair that shares an identifier; and the strong identifiers that too many share.

    Those wait until somebody approves them; weak ones that so many share say nothing at all.
    """
    links: list[Link] = []
    waiting = []
    for one in shared:
        kind = policy.kinds[one.kind]
        evidence = short_hash("identifier", one.kind, one.value)
        if len(one.holders) > policy.most_per_identifier and evidence not in decisions.identifiers:
            if kind.strength == STRONG:
                waiting.append(Waiting(evidence, one.kind, evidence, tuple(holder for holder, _, _ in one.holders)))
            continue
        pairs = combinations if len(one.holders) <= _ALL_PAIRS_UP_TO else _chain
        for (left, since, last), (right, other_since, other_last) in pairs(one.holders, 2):
            confidence = kind.confidence
            if kind.strength == WEAK and kind.half_life_days:
                # Both used it at least up to the earlier of the two last days.
                age = (known_at - min(last, other_last)).days
                confidence = round(confidence * 0.5 ** (max(age, 0) / kind.half_life_days), 6)
                if confidence < _FADED:
                    continue
            links.append(
                Link(left, right, one.kind, evidence, confidence, max(since, other_since), kind.strength == STRONG)
            )
    return links, waiting


def _chain(holders: tuple, _: int) -> Iterable[tuple]:
    return pairwise(holders)
