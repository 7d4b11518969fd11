"""A tag as its file says it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from huaxiang.declarations import Declaration

KINDS = ("fact", "rule", "model", "manual")
PERSONAL_DATA = ("none", "pseudonymous", "personal", "sensitive")
# The first part of a tag's place in the tree.
TREE = ("demographic", "behaviour", "consumption", "interest", "lifecycle", "psychographic", "social", "risk")
# The column in which a tag that reads another one finds it.
READ_AS = "tag_"


@dataclass(frozen=True)
class TagTest:
    """One example of a tag's file: a customer with these columns (all others are null) has this value."""

    given: Mapping[str, Any]
    expect: str | None


@dataclass(frozen=True)
class Tag:
    """A tag; value, evidence and confidence are SQL expressions over one row of the portrait, empty for a manual tag.

    kind: 'fact' repeats what is known, 'rule' judges by a threshold in the file, 'model' repeats a model's output,
    'manual' repeats what a person has said of a customer.
    needs: the canonical tables (or `table.column`) and model families without which the tag is left out; those of the
    tags that it reads are among them once all tags are loaded.
    ttl_days: how many days a value holds after the day it rests on. values: all that it may say; empty: any text.
    exclusive: the group of tags of which a customer holds at most one; empty: none.
    judged_by: `<model>.<measure>`, by which the model behind the value stands beside its baseline; of a model only.
    """

    name: str
    title: str
    description: str
    tree: str
    kind: str
    value: str
    evidence: str
    confidence: str
    needs: tuple[str, ...]
    owner: str
    purpose: str
    personal_data: str
    version: int
    ttl_days: int
    values: tuple[str, ...] = ()
    is_exhaustive: bool = False
    exclusive: str = ""
    reads: tuple[str, ...] = ()
    judged_by: str = ""
    tests: tuple[TagTest, ...] = ()
    retired_on: date | None = None
    declaration: Declaration | None = field(default=None, compare=False, repr=False)

    @property
    def rule_hash(self) -> str:
        """Stands for what decides the value and how sure it is: another hash needs another version."""
        rule = [self.kind, self.value, self.confidence, sorted(self.reads), self.ttl_days]
        return hashlib.sha256(json.dumps(rule).encode()).hexdigest()[:12]

    def is_in_force(self, as_of: date) -> bool:
        """Whether portraits of that day carry the tag."""
        return self.retired_on is None or as_of < self.retired_on


def column_of(name: str) -> str:
    """The column in which a tag that reads the tag `name` finds its value."""
    return f"{READ_AS}{name}"


def in_force(tags: Iterable[Tag], as_of: date) -> tuple[Tag, ...]:
    """Those that portraits of that day carry."""
    return tuple(tag for tag in tags if tag.is_in_force(as_of))


def of_visitors(tag: Tag) -> bool:
    """Whether the tag is said of whoever came to look; the others are said of customers who have ordered."""
    return any(need.partition(".")[0] == "events" for need in tag.needs)


def needs_of(tag: Tag) -> tuple[str, ...]:
    """All that the tag needs: its own needs and, unless it is of visitors or people give it, orders."""
    is_of_orders = not of_visitors(tag) and tag.kind != "manual"
    return ("order_lines", *tag.needs) if is_of_orders and "order_lines" not in tag.needs else tag.needs
