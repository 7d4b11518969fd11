"""From links to people: who is one person, by which links, and what waits for somebody to look.

A pure function of links and decisions: the order in which they are given changes nothing.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


class Id(NamedTuple):
    """A customer as one source knows it."""

    source: str
    id: str

    def __str__(self) -> str:
        return f"{self.source}:{self.id}"


@dataclass(frozen=True)
class Link:
    """Two customers of sources (`left` before `right`), and what says that they are one person.

    `kind` is the identifier they share, or `likeness`. `evidence` is a hash, never the identifier. `first_seen` is the
    load day since which both ends were known. Links with `joins` make one person of two; the others are only told.
    """

    left: Id
    right: Id
    kind: str
    evidence: str
    confidence: float
    first_seen: date
    joins: bool
    model: str = ""


@dataclass(frozen=True)
class Decisions:
    """What people decided. `apart`: two groups that are not one person. `together`: a group that may be one, whatever
    its size. `identifiers`: shared ones that count, however many share them.
    """

    apart: tuple[tuple[frozenset[Id], frozenset[Id]], ...] = ()
    together: tuple[frozenset[Id], ...] = ()
    identifiers: frozenset[str] = frozenset()
    number: int = 0


@dataclass(frozen=True)
class Waiting:
    """What would join too many at once. `evidence` is the shared identifier, empty for a person grown too large."""

    id: str
    kind: str
    evidence: str
    members: tuple[Id, ...]


@dataclass(frozen=True)
class Member:
    """Whose a customer is (the person's oldest member), and how sure that is: the weakest link of its best chain."""

    person: Id
    confidence: float


@dataclass(frozen=True)
class People:
    """Who is one person, and what waits."""

    members: dict[Id, Member]
    waiting: tuple[Waiting, ...]
    refused: int  # links between two whom somebody has set apart


def age_order(first_seen: Mapping[Id, date], sources: Sequence[str]) -> list[Id]:
    """All ids, the oldest first: by first load day, then the source's rank, then the id (shorter first)."""
    rank = {source: place for place, source in enumerate(sources)}
    return sorted(first_seen, key=lambda one: (first_seen[one], rank.get(one.source, len(rank)), len(one.id), one))


def find_people(
    oldest_first: Sequence[Id], links: Iterable[Link], decisions: Decisions, most_per_person: int
) -> People:
    """Join along the links, the oldest link first and of one day the surest.

    A person has the id of its oldest member. Older joins come first, so that what stood yesterday stands today and the
    newest join is the one that waits.
    """
    place = {one: number for number, one in enumerate(oldest_first)}
    parent = list(range(len(place)))
    groups: dict[int, set[int]] = {}
    apart = _apart(decisions, place)
    together = [{place[one] for one in group if one in place} for group in decisions.together]
    joining = sorted(
        (link for link in links if link.joins and link.left in place and link.right in place),
        key=lambda link: (link.first_seen, -link.confidence, link.left, link.right, link.kind, link.evidence),
    )
    used: list[Link] = []
    too_large: list[tuple[int, int]] = []
    refused = 0
    for link in joining:
        left, right = (_root(parent, place[one]) for one in (link.left, link.right))
        if left == right:
            used.append(link)
            continue
        one, other = groups.get(left, {left}), groups.get(right, {right})
        if any(apart.get(member, set()) & other for member in one):
            refused += 1
            continue
        if len(one) + len(other) > most_per_person and not any(one | other <= group for group in together):
            too_large.append((left, right))
            continue
        keep, drop = sorted((left, right))
        parent[drop] = keep
        groups[keep] = one | other
        groups.pop(drop, None)
        used.append(link)
    members = _members(oldest_first, parent, used)
    return People(members, tuple(_too_large(oldest_first, parent, groups, too_large)), refused)


def strongest_chain(start: Id, links: Iterable[Link]) -> dict[Id, tuple[float, Link | None]]:
    """For every id that the links reach from `start`: the confidence of the best chain (its weakest link), and the
    link by which that chain arrives. Of equally sure chains the shorter one.
    """
    near: dict[Id, list[tuple[Id, Link]]] = {}
    for link in links:
        near.setdefault(link.left, []).append((link.right, link))
        near.setdefault(link.right, []).append((link.left, link))
    best: dict[Id, tuple[float, Link | None]] = {}
    queue: list[tuple[float, int, int, Id, Link | None]] = [(-1.0, 0, 0, start, None)]
    count = 0
    while queue:
        negative, steps, _, here, by = heapq.heappop(queue)
        if here in best:
            continue
        best[here] = (-negative, by)
        for there, link in sorted(near.get(here, []), key=lambda one: (one[0], one[1].kind, one[1].evidence)):
            if there not in best:
                count += 1
                heapq.heappush(queue, (max(negative, -link.confidence), steps + 1, count, there, link))
    return best


def short_hash(*parts: object) -> str:
    """A name of sixteen characters for what the parts say."""
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:16]


def _apart(decisions: Decisions, place: Mapping[Id, int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for one, other in decisions.apart:
        left, right = ({place[member] for member in group if member in place} for group in (one, other))
        for here, there in ((left, right), (right, left)):
            for member in here:
                found.setdefault(member, set()).update(there)
    return found


def _root(parent: list[int], one: int) -> int:
    while parent[one] != one:
        parent[one] = parent[parent[one]]
        one = parent[one]
    return one


def _members(oldest_first: Sequence[Id], parent: list[int], used: Iterable[Link]) -> dict[Id, Member]:
    place = {one: number for number, one in enumerate(oldest_first)}
    of_person: dict[int, list[Link]] = {}
    for link in used:
        of_person.setdefault(_root(parent, place[link.left]), []).append(link)
    members = {one: Member(one, 1.0) for one in oldest_first}
    for root, links in of_person.items():
        person = oldest_first[root]
        for one, (confidence, _) in strongest_chain(person, links).items():
            members[one] = Member(person, confidence)
    return members


def _too_large(
    oldest_first: Sequence[Id],
    parent: list[int],
    groups: Mapping[int, Collection[int]],
    pairs: Iterable[tuple[int, int]],
) -> list[Waiting]:
    found = {}
    for pair in pairs:
        left, right = sorted(_root(parent, one) for one in pair)
        if left != right:
            both = sorted({*groups.get(left, {left}), *groups.get(right, {right})})
            members = tuple(oldest_first[one] for one in both)
            name = short_hash("person", *map(list, members))
            found[name] = Waiting(name, "person", "", members)
    return [found[name] for name in sorted(found)]
