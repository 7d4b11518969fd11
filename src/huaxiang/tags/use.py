"""Who uses a tag: other tags and audiences. A tag that nobody uses is reported."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from huaxiang.settings import Settings
from huaxiang.tags.tag import Tag
from huaxiang.yaml_files import read_mapping


def users(settings: Settings, tags: Iterable[Tag]) -> dict[str, tuple[str, ...]]:
    """Per tag what uses it, as 'tag <name>' or 'audience <name>', in order.

    An audience uses a tag when its file names it under a key `tag`.
    """
    named = list(tags)
    found: dict[str, list[str]] = {tag.name: [] for tag in named}
    for tag in named:
        for read in tag.reads:
            found[read].append(f"tag {tag.name}")
    for path in sorted((settings.project / "audiences").glob("*.yml")):
        for name in sorted(_tags_in(read_mapping(path, what="an audience"))):
            if name in found:
                found[name].append(f"audience {path.stem}")
    return {name: tuple(by) for name, by in found.items()}


def _tags_in(said: Any) -> set[str]:
    """All that stands under a key `tag`, however deep."""
    if isinstance(said, list):
        return set().union(*map(_tags_in, said)) if said else set()
    if not isinstance(said, dict):
        return set()
    own = {said["tag"]} if isinstance(said.get("tag"), str) else set()
    return own.union(*map(_tags_in, said.values()))
