"""The versions of every tag: which rule each number stood for, and what it said in which release.

Every release holds the tag files it was made with. What they say is kept in the home (`tags/released/<id>.json`), so
that it can be read when the release itself has gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.files import write_text
from huaxiang.settings import Settings
from huaxiang.tags.figures import FILE
from huaxiang.tags.tag import Tag

if TYPE_CHECKING:
    from huaxiang.release.store import Release

_KEYS = {"name", "version", "rule_hash", "customers", "coverage", "changed", "text"}


@dataclass(frozen=True)
class Told:
    """What one release said of one tag; `text` is the tag's file."""

    release_id: str
    as_of: date
    name: str
    version: int
    rule_hash: str
    customers: int
    coverage: float
    changed: float | None
    text: str


def keep(settings: Settings, releases: Iterable[Release]) -> None:
    """Keep what the releases say of their tags; called before old releases go. What is kept already stays."""
    for folder in _with_tags(releases):
        target = settings.home.tags_released / f"{folder.name}.json"
        if not target.exists() and _read(folder / FILE):
            write_text(target, (folder / FILE).read_text(encoding="utf-8"))


def told(settings: Settings, releases: Iterable[Release]) -> list[Told]:
    """What all releases have said of all tags, of releases that have gone too; the earliest day first.

    A damaged file stops nobody: it says nothing.
    """
    files = {folder.name: folder / FILE for folder in _with_tags(releases)}
    files |= {path.stem: path for path in settings.home.tags_released.glob("*.json")}
    found = [
        Told(
            release_id=release_id,
            as_of=date.fromisoformat(release_id[:10]),
            **{key: one[key] for key in _KEYS},
        )
        for release_id, path in files.items()
        for one in _read(path)
    ]
    return sorted(found, key=lambda one: (one.as_of, one.release_id, one.name))


def check_versions(tags: Iterable[Tag], told: Iterable[Told]) -> None:
    """Refuse a tag whose rule is another than that which its version stood for in a release.

    Raises BadConfiguration naming file, line, the release and the version to write.
    """
    known: dict[str, dict[int, Told]] = {}
    for one in told:
        known.setdefault(one.name, {}).setdefault(one.version, one)
    for tag in tags:
        versions: Mapping[int, Told] = known.get(tag.name, {})
        same = versions.get(tag.version)
        if same and same.rule_hash != tag.rule_hash:
            assert tag.declaration is not None
            raise tag.declaration.wrong(
                f"{tag.version} stood for another rule in release {same.release_id}",
                f"write version: {max(versions) + 1}, or 'huaxiang tags rollback {tag.name} --to {tag.version}' to "
                "have that rule again",
                "version",
            )


def as_manifest(build: Path) -> dict[str, Any] | None:
    """What a release's manifest says of its tags: version, rule hash and figures of each."""
    path = build / FILE
    if not path.exists():
        return None
    keys = (
        "version",
        "rule_hash",
        "customers",
        "coverage",
        "confidence",
        "changed",
        "rests_on",
        "gain",
        "gain_low",
        "gain_high",
    )
    return {one["name"]: {key: one[key] for key in keys} for one in json.loads(path.read_text(encoding="utf-8"))}


def _with_tags(releases: Iterable[Release]) -> list[Path]:
    return [one.path for one in releases if (one.path / FILE).exists()]


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return said if all(set(one) >= _KEYS for one in said) else []
    except (OSError, ValueError, TypeError):
        return []
