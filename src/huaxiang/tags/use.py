"""Who uses a tag: other tags and audiences. A tag that nobody uses is reported."""

from __future__ import annotations

import re
from collections.abc import Iterable

from huaxiang.settings import Settings
from huaxiang.tags.tag import Tag


def users(settings: Settings, tags: Iterable[Tag]) -> dict[str, tuple[str, ...]]:
    """Per tag what uses it, as 'tag <name>' or 'audience <name>', in order.

    An audience uses a tag when its file names it as a word.
    """
    named = list(tags)
    found: dict[str, list[str]] = {tag.name: [] for tag in named}
    for tag in named:
        for read in tag.reads:
            found[read].append(f"tag {tag.name}")
    for path in sorted((settings.project / "audiences").glob("*.yml")):
        said = set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        for name, by in found.items():
            if name in said or f"tag_{name}" in said:
                by.append(f"audience {path.stem}")
    return {name: tuple(by) for name, by in found.items()}
