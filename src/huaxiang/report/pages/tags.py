"""The tags page: the tree of tags, what each says and rests on, whom it covers, how steady it is and who uses it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from huaxiang.report.model_cards import ModelCard, cards, verdict
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables
from huaxiang.tags import TREE, Tag, load_tags
from huaxiang.tags.figures import FILE
from huaxiang.tags.use import users

_KINDS = {
    "fact": "repeats what is known",
    "rule": "judges by a threshold in its file",
    "model": "repeats what a model says",
    "manual": "repeats what a person of the company has said",
}


@dataclass(frozen=True)
class Verdict:
    """How the model behind a tag stands beside its baseline: a state and a sentence about one figure of the card."""

    state: str
    sentence: str
    figure: str
    card: str


@dataclass(frozen=True)
class Entry:
    """A tag with its figures of the run. values: (value, customers, share of those who have one). verdict: None where
    the run has no such model, or its card not that figure."""

    tag: Tag
    customers: int
    coverage: float
    confidence: float | None
    changed: float | None
    values: tuple[tuple[str, int, float], ...]
    other_values: int
    rests_on: date
    is_stale: bool
    used_by: tuple[str, ...]
    verdict: Verdict | None

    @property
    def promises(self) -> list[str]:
        """What was proven on all rows of the run."""
        said = []
        if self.tag.values:
            said.append("no other value")
        if self.tag.is_exhaustive:
            said.append("every customer has one")
        if self.tag.exclusive:
            said.append(f"at most one tag of the group {self.tag.exclusive}")
        return said


def is_needed(tables: BuildTables) -> bool:
    """Whether the run has figures of its tags."""
    return bool(tables.json(FILE))


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `tags.html`; returns the figures the step logs."""
    tags = {tag.name: tag for tag in load_tags(tables.settings)}
    used = users(tables.settings, tags.values())
    judged = {card.target: card for card in cards(tables)}
    entries = [_entry(tags[one["name"]], one, used, judged) for one in tables.json(FILE) if one["name"] in tags]
    branches = [
        (branch, sorted(members, key=lambda entry: (entry.tag.tree, entry.tag.name)))
        for branch in TREE
        if (members := [entry for entry in entries if entry.tag.tree.split("/")[0] == branch])
    ]
    changed = [entry.changed for entry in entries if entry.changed is not None]
    site.write(
        "tags.html",
        branches=branches,
        total=len(entries),
        kinds=_KINDS,
        unused=[entry.tag for entry in entries if not entry.used_by],
        stale=[entry.tag for entry in entries if entry.is_stale],
        unjudged=[
            entry.tag for entry in entries if entry.tag.kind == "model" and entry.customers and not entry.verdict
        ],
        proven=sum(len(entry.promises) for entry in entries),
        has_changes=bool(changed),
        retired=[tag for tag in tags.values() if not tag.is_in_force(tables.run.as_of)],
    )
    return {"tags": len(entries)}


def _entry(tag: Tag, said: dict[str, Any], used: dict[str, tuple[str, ...]], judged: dict[str, ModelCard]) -> Entry:
    held = said["customers"]
    return Entry(
        tag=tag,
        customers=held,
        coverage=said["coverage"],
        confidence=said["confidence"],
        changed=said["changed"],
        values=tuple((value, count, count / held) for value, count in said["values"]),
        other_values=said["other_values"],
        rests_on=date.fromisoformat(said["rests_on"]),
        is_stale=said["is_stale"],
        used_by=used.get(tag.name, ()),
        verdict=_verdict(tag, judged),
    )


def _verdict(tag: Tag, judged: dict[str, ModelCard]) -> Verdict | None:
    target, _, key = tag.judged_by.partition(".")
    card = judged.get(target)
    measure = next((one for one in card.measures if one.key == key), None) if card else None
    if card is None or measure is None:
        return None
    return Verdict(*verdict(measure, card), measure.metric.label, card.target)
