"""Targets: what is predicted of each customer, each declared in a file of `targets/` and read here.

A target is an event within a window of days after a cut-off. Its model is trained, judged and promoted like every
other one; docs/how-to/add-a-target.md shows how to write the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huaxiang.declarations import Declaration, read_declaration
from huaxiang.settings import Settings

# Kind of event -> the keys it takes; of those of a group exactly one is needed.
_EVENTS: Mapping[str, tuple[str, ...]] = {
    "purchase": (),
    "no_purchase": (),
    "category": ("categories", "largest"),
    "product": ("products",),
    "redemption": (),
    "high_spend": ("top_pct",),
}
_TEXTS = ("name", "title", "sentence", "owner", "purpose")
_KEYS = (*_TEXTS, "event", "window_days", "baseline")
_BASELINE = ("name", "column", "says")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_LONGEST_WINDOW = 182  # days; two of them must fit into the history that is learned from
_MOST_CATEGORIES = 100


@dataclass(frozen=True)
class Event:
    """What has to happen within the window. `kind` is a key of the table above.

    `names`: the categories or products of which one is to be bought. `largest`: instead of names, so many of the
    largest categories, each scored on its own. `top_pct`: the net spend that so many percent of the customers reached
    in as many days up to the cut-off is to be reached again.
    """

    kind: str
    names: tuple[str, ...] = ()
    largest: int = 0
    top_pct: float = 0.0


@dataclass(frozen=True)
class Baseline:
    """One column of the features as it stands, no more: `name` is its recipe. The event is likelier where it is higher.

    `says` is what it does, in words.
    """

    name: str
    column: str
    says: str


@dataclass(frozen=True)
class Target:
    """One declaration. `title` and `sentence` are what a reader of the report sees."""

    name: str
    title: str
    sentence: str
    event: Event
    window_days: int
    baseline: Baseline
    owner: str
    purpose: str
    declaration: Declaration

    @property
    def is_by_category(self) -> bool:
        """Whether a customer has a score per category rather than one."""
        return self.event.largest > 0


def load_targets(settings: Settings) -> tuple[Target, ...]:
    """Every target, in order of name. Raises BadConfiguration naming file, line, key, reason and mend."""
    return tuple(read_target(read_declaration(path, what="a target")) for path in _files(settings))


def target_names(settings: Settings) -> tuple[str, ...]:
    """The names alone, without reading the files: a file is called like its target."""
    return tuple(path.stem for path in _files(settings))


def read_target(file: Declaration) -> Target:
    """The target of a file. Raises BadConfiguration as load_targets does."""
    _check_keys(file)
    said = file.said
    window = said["window_days"]
    if type(window) is not int or not 1 <= window <= _LONGEST_WINDOW:
        raise file.wrong(f"is not a number of days from 1 to {_LONGEST_WINDOW}", "write it as 28", "window_days")
    return Target(
        name=said["name"],
        title=" ".join(said["title"].split()),
        sentence=" ".join(said["sentence"].split()),
        event=_event(file),
        window_days=window,
        baseline=_baseline(file),
        owner=said["owner"].strip(),
        purpose=" ".join(said["purpose"].split()),
        declaration=file,
    )


def _files(settings: Settings) -> list[Any]:
    return sorted((settings.project / "targets").glob("*.yml"))


def _check_keys(file: Declaration) -> None:
    said = file.said
    for key in said:
        if key == "split":
            raise file.wrong(
                "is not chosen: days are always split by time, since a random split learns from days after those it "
                "is judged on",
                "leave it out",
                key,
            )
        if key not in _KEYS:
            raise file.wrong("is not a key of a target", f"use {', '.join(_KEYS)}", key)
    for key in _KEYS:
        if key not in said:
            raise file.wrong(f"'{key}' is missing", "add it; docs/how-to/add-a-target.md shows how")
    for key in _TEXTS:
        if not isinstance(said[key], str) or not said[key].strip():
            raise file.wrong("is not a text", "write one", key)
    if not _NAME.fullmatch(said["name"]):
        raise file.wrong("is no name of a target", "use lower-case letters, digits and _, a letter first", "name")
    if said["name"] != file.path.stem:
        raise file.wrong(f"is '{said['name']}', but the file is {file.path.name}", "give both one name", "name")


def _event(file: Declaration) -> Event:
    said = file.said["event"]
    if not isinstance(said, dict) or said.get("kind") not in _EVENTS:
        raise file.wrong("has no known kind", f"write event: {{kind: ...}} with one of {', '.join(_EVENTS)}", "event")
    kind = said["kind"]
    taken = _EVENTS[kind]
    for key in said:
        if key != "kind" and key not in taken:
            raise file.wrong(f"is not a key of {kind}", f"use {' or '.join(taken) or 'kind alone'}", "event", key)
    if taken and len(said) != 2:
        raise file.wrong(f"of kind {kind} needs {' or '.join(taken)}", "write exactly one of them", "event")
    names = said.get("categories", said.get("products"))
    if names is not None and not (isinstance(names, list) and names and all(isinstance(one, str) for one in names)):
        raise file.wrong("names nothing that can be bought", "write a list of names, in quotes", "event", taken[0])
    largest = said.get("largest", 0)
    if "largest" in said and (type(largest) is not int or not 2 <= largest <= _MOST_CATEGORIES):
        raise file.wrong(f"is not a number from 2 to {_MOST_CATEGORIES}", "write it as 20", "event", "largest")
    top_pct = said.get("top_pct", 0)
    if "top_pct" in said and (type(top_pct) not in (int, float) or not 0 < top_pct <= 50):
        raise file.wrong("is not a share above 0 and up to 50 percent", "write it as 10", "event", "top_pct")
    return Event(kind, tuple(names or ()), largest, float(top_pct))


def _baseline(file: Declaration) -> Baseline:
    said = file.said["baseline"]
    if (
        not isinstance(said, dict)
        or set(said) != set(_BASELINE)
        or not all(isinstance(one, str) for one in said.values())
    ):
        raise file.wrong("is not a column to beat", f"write it with the texts {', '.join(_BASELINE)}", "baseline")
    if not _NAME.fullmatch(said["name"]):
        raise file.wrong("is no name of a recipe", "use lower-case letters, digits and _", "baseline", "name")
    return Baseline(said["name"], said["column"], " ".join(said["says"].split()))
