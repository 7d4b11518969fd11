"""How right the links are, measured against who it really is.

Pairs: precision is the share of pairs taken for one person that are one; recall the share of pairs that are one person
and were found. B-cubed (Bagga and Baldwin, "Entity-based cross-document coreferencing", 1998) averages both over
customers instead of pairs, so that a large person does not count for all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

_Key = TypeVar("_Key", bound=Hashable)


@dataclass(frozen=True)
class Accuracy:
    """Shares from 0 to 1 over the `customers` whose answer is known; `pairs` of them are one person."""

    customers: int
    pairs: int
    precision: float
    recall: float
    b3_precision: float
    b3_recall: float
    b3_f1: float


def measure(found: Mapping[_Key, Hashable], answers: Mapping[_Key, Hashable]) -> Accuracy | None:
    """Compare the person found with the person it is, over those whose answer is known; None where nobody's is.

    A share of nothing is 1: who claims no pair claims no wrong one.
    """
    known = [one for one in found if one in answers]
    if not known:
        return None
    both = Counter((found[one], answers[one]) for one in known)
    of_found = Counter(found[one] for one in known)
    of_answer = Counter(answers[one] for one in known)
    hits, claimed, true = (_pairs(counts) for counts in (both, of_found, of_answer))
    # A customer's share is the same for all customers of the same found and true person.
    b3_precision = sum(count * count / of_found[person] for (person, _), count in both.items()) / len(known)
    b3_recall = sum(count * count / of_answer[answer] for (_, answer), count in both.items()) / len(known)
    return Accuracy(
        customers=len(known),
        pairs=true,
        precision=round(hits / claimed, 6) if claimed else 1.0,
        recall=round(hits / true, 6) if true else 1.0,
        b3_precision=round(b3_precision, 6),
        b3_recall=round(b3_recall, 6),
        b3_f1=round(2 * b3_precision * b3_recall / (b3_precision + b3_recall), 6),
    )


def _pairs(counts: Mapping[Any, int]) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())
