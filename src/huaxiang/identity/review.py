"""What people see of who is who, and what they decide: explain, review, approve, unmerge, rejoin, train.

They look at what staging built last; a decision holds from the next staging on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from huaxiang.errors import MissingPartition
from huaxiang.identity import connect, decisions, history, home_id, known, likeness
from huaxiang.identity.people import Id, Link, strongest_chain
from huaxiang.identity.policy import load_policy
from huaxiang.settings import Settings

_NEXT = "it holds from the next 'huaxiang staging' on"


def explain(settings: Settings, name: str) -> str:
    """Why the customers behind a customer_id (or around a `source:id`) are one person: each with its chain of links.

    Raises MissingPartition for a name that nobody has.
    """
    keys = _keys(settings)
    person = _person(settings, keys, name)
    members = sorted(
        (one for one, (customer, _) in keys.items() if customer == person), key=lambda one: (one.source, one.id)
    )
    oldest = next(one for one in members if home_id(settings, one) == person)
    inside = set(members)
    links = history.read_links(settings.home.person_links)
    of_person = [link for link in links if link.joins and {link.left, link.right} <= inside]
    chains = strongest_chain(oldest, of_person)
    lines = [f"customer {person}: {len(members)} customers of sources are this person"]
    for one in [oldest, *(member for member in members if member != oldest)]:
        if one == oldest:
            lines.append(f"  {one}: the oldest; its id is the person's")
            continue
        lines.append(f"  {one}: confidence {_sure(keys[one][1])}")
        lines += [f"      {_sentence(link)}" for link in _chain(one, oldest, chains)]
    outward = sorted(
        (link for link in links if (link.left in inside) != (link.right in inside)), key=lambda link: -link.confidence
    )
    for joins, title in ((True, "would be this person too, but somebody set them apart or the join waits:"),
                         (False, "have to do with this person, and stay persons of their own:")):  # fmt: skip
        if told := [_sentence(link) for link in outward if link.joins == joins]:
            lines += [f"  {title}", *(f"      {one}" for one in told)]
    return "\n".join(lines)


def waiting_text(settings: Settings) -> str:
    """The joins that wait for somebody to look."""
    waiting = _waiting(settings)
    if not waiting:
        return "nothing waits: no identifier is shared by too many, no person would grow too large"
    lines = []
    for one in waiting:
        what = "would become one person" if one["kind"] == "person" else f"share one {one['kind']}"
        lines.append(f"{one['id']}  {one['customers']:,} customers {what}: {_some(one['members'])}")
    lines.append("look at them with 'huaxiang identity explain SOURCE:ID'; join them with 'huaxiang identity approve'")
    return "\n".join(lines)


def approve(settings: Settings, name: str, reason: str) -> str:
    """Let a join that waits happen. Raises MissingPartition when none of that id waits."""
    one = next((one for one in _waiting(settings) if one["id"] == name), None)
    if one is None:
        raise MissingPartition(f"approve: nothing waits under '{name}'; 'huaxiang identity review' shows what does")
    if one["kind"] == "person":
        members = [Id(*member) for member in one["members"]]
        path = decisions.decide(settings, decisions.APPROVE_PERSON, reason, ids=members)
    else:
        path = decisions.decide(settings, decisions.APPROVE_IDENTIFIER, reason, identifier=name)
    return f"decision {int(path.stem)}: approved; {_NEXT}"


def unmerge(settings: Settings, names: Sequence[str], reason: str) -> str:
    """Set these customers of sources (`source:id`) apart from all others of their person.

    Raises MissingPartition when they are not customers of one person with others besides.
    """
    keys = _keys(settings)
    group = _group(settings, keys, names)
    persons = {keys[one][0] for one in group}
    if len(persons) > 1:
        raise MissingPartition("unmerge: these are customers of several persons; name those of one at a time")
    others = [one for one, (customer, _) in keys.items() if customer in persons and one not in group]
    if not others:
        raise MissingPartition("unmerge: nobody else is this person; name only those that are to leave")
    path = decisions.decide(settings, decisions.UNMERGE, reason, ids=group, others=others)
    return f"decision {int(path.stem)}: {len(group)} set apart from {len(others)} others; {_NEXT}"


def rejoin(settings: Settings, names: Sequence[str], reason: str) -> str:
    """Take back that these were set apart: their links count again."""
    group = _group(settings, _keys(settings), names)
    held = decisions.read_decisions(settings.home).apart
    if not any(set(group) & pair[0] for pair in held):
        raise MissingPartition("rejoin: nobody has set these apart; name one that 'unmerge' named")
    path = decisions.decide(settings, decisions.REJOIN, reason, ids=group)
    return f"decision {int(path.stem)}: their links count again; {_NEXT}"


def train(settings: Settings) -> str:
    """Fit the model of likeness again on the customers that staging knew last. Raises CannotFit when it cannot be."""
    if not settings.home.known_files.exists():
        raise MissingPartition("nothing is staged yet; run 'huaxiang staging' first")
    policy = load_policy(settings)
    before = likeness.newest(settings.home)
    with connect() as connection:
        known.attach(connection, settings, policy)
        if not policy.compared or not known.described(connection, policy):
            raise likeness.CannotFit("train: no customer has two kinds that can be compared; see identity.yml")
        model = likeness.fit(connection, policy, before.number + 1 if before else 1)
    likeness.keep(settings.home, model)
    return f"model {model.number} ({model.fingerprint}) fitted on {model.records:,} customers; {_NEXT}"


def _keys(settings: Settings) -> dict[Id, tuple[str, float]]:
    import pyarrow.parquet as pq

    path = settings.home.person_keys
    if not path.exists():
        raise MissingPartition("nothing is staged yet; run 'huaxiang staging' first")
    rows = pq.ParquetFile(path).read().to_pylist()
    return {Id(row["source_name"], row["source_customer_id"]): (row["customer_id"], row["confidence"]) for row in rows}


def _person(settings: Settings, keys: dict[Id, tuple[str, float]], name: str) -> str:
    source, _, number = name.partition(":")
    found = keys.get(Id(source, number))
    if found:
        return found[0]
    if any(customer == name for customer, _ in keys.values()):
        return name
    raise MissingPartition(
        f"nobody with an identifier has that name; give a customer_id, or source:id as in {settings.sources[0]}:1"
    )


def _group(settings: Settings, keys: dict[Id, tuple[str, float]], names: Sequence[str]) -> list[Id]:
    group = []
    for place, name in enumerate(names, start=1):
        source, _, number = name.partition(":")
        if Id(source, number) not in keys:
            raise MissingPartition(
                f"name {place} is no customer with an identifier; give source:id, as"
                f" 'huaxiang identity explain' shows them; the sources are {', '.join(settings.sources)}"
            )
        group.append(Id(source, number))
    return group


def _waiting(settings: Settings) -> list[dict[str, Any]]:
    path = settings.home.identity / "waiting.json"
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    return found


def _chain(one: Id, oldest: Id, chains: dict[Id, tuple[float, Link | None]]) -> list[Link]:
    chain = []
    while one != oldest:
        link = chains[one][1]
        assert link is not None
        chain.append(link)
        one = link.left if link.right == one else link.right
    return chain


def _sentence(link: Link) -> str:
    what = "are alike" if link.kind == likeness.LIKENESS else f"share a {link.kind} ({link.evidence})"
    model = f", model {link.model}" if link.model else ""
    return f"{link.left} and {link.right} {what}: {_sure(link.confidence)}, known since {link.first_seen}{model}"


def _sure(confidence: float) -> str:
    """Four places, and never 1 for what is not quite."""
    return "over 0.9999" if 0.99995 <= confidence < 1 else f"{confidence:.4f}"


def _some(members: Sequence[Sequence[str]]) -> str:
    shown = ", ".join(":".join(one) for one in members[:5])
    return shown + (f" and {len(members) - 5:,} more" if members[5:] else "")
