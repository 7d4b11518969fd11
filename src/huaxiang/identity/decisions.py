"""What people decided about who is who: kept one by one in `identity/decisions/`, never changed.

A decision holds from the next staging on. Taking one back is another decision.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from huaxiang.errors import BrokenConservation
from huaxiang.files import write_text
from huaxiang.identity.people import Decisions, Id
from huaxiang.settings import Settings
from huaxiang.tables import Home

UNMERGE, APPROVE_PERSON, APPROVE_IDENTIFIER, REJOIN = "unmerge", "approve_person", "approve_identifier", "rejoin"


def read_decisions(home: Home) -> Decisions:
    """All decisions, the last one counting where two contradict. Raises BrokenConservation for a damaged file."""
    apart: list[tuple[frozenset[Id], frozenset[Id]]] = []
    together: list[frozenset[Id]] = []
    identifiers: set[str] = set()
    paths = decision_files(home)
    for path in paths:
        said = _read(path)
        groups = [frozenset(Id(*one) for one in said.get(name, [])) for name in ("ids", "others")]
        if said["decision"] == UNMERGE:
            apart.append((groups[0], groups[1]))
        elif said["decision"] == REJOIN:
            apart = [pair for pair in apart if not groups[0] & pair[0]]
        elif said["decision"] == APPROVE_PERSON:
            together.append(groups[0])
        else:
            identifiers.add(said["identifier"])
    return Decisions(tuple(apart), tuple(together), frozenset(identifiers), int(paths[-1].stem) if paths else 0)


def decide(
    settings: Settings, decision: str, reason: str, *, ids: Collection[Id] = (), others: Collection[Id] = (),
    identifier: str = "",
) -> Path:  # fmt: skip
    """Keep one decision under the next number."""
    files = decision_files(settings.home)
    number = int(files[-1].stem) + 1 if files else 1
    path = _folder(settings.home) / f"{number:06d}.json"
    said: dict[str, Any] = {"decision": decision, "reason": reason}
    if identifier:
        said["identifier"] = identifier
    for name, group in (("ids", ids), ("others", others)):
        if group:
            said[name] = sorted(map(list, group))
    write_text(path, json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    return path


def decision_files(home: Home) -> list[Path]:
    """The decisions in the order they were taken."""
    return sorted(_folder(home).glob("[0-9]*.json"))


def _folder(home: Home) -> Path:
    return home.identity / "decisions"


def _read(path: Path) -> dict[str, Any]:
    try:
        said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if said["decision"] not in (UNMERGE, APPROVE_PERSON, APPROVE_IDENTIFIER, REJOIN):
            raise ValueError
        return said
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenConservation(
            f"{path}: cannot be read, so who is who is not known; restore it from a copy of the home"
        ) from error
