"""Change a tag's file: retire the tag, or have an earlier version's rule again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from huaxiang.errors import HuaxiangError
from huaxiang.files import write_text
from huaxiang.settings import Settings
from huaxiang.tags.loading import load_tags
from huaxiang.tags.tag import Tag
from huaxiang.tags.versions import Told


def retire(settings: Settings, name: str, on: date) -> Path:
    """Write into the tag's file that portraits carry it up to the day before `on`. Returns the file.

    Raises BadConfiguration when another tag that lives on reads it; the file is as before then.
    """
    tag = find(load_tags(settings), name)
    if tag.retired_on:
        raise HuaxiangError(f"{name}: is retired on {tag.retired_on} already; to change the day, edit its file")
    path = _path(settings, name)
    return _replaced(settings, path, f"{path.read_text(encoding='utf-8').rstrip()}\nretired_on: {on}\n")


def rollback(settings: Settings, name: str, to: int, told: Iterable[Told]) -> Path:
    """Put the file of the tag's version `to` back, as a release held it. Returns the file.

    Raises HuaxiangError when no release had that version, BadConfiguration when it no longer holds.
    """
    held = [one for one in told if one.name == name]
    texts = [one.text for one in held if one.version == to]
    if not texts:
        known = ", ".join(map(str, sorted({one.version for one in held}))) or "none"
        raise HuaxiangError(f"{name}: no release had version {to}; there are: {known}")
    return _replaced(settings, _path(settings, name), texts[-1])


def find(tags: Iterable[Tag], name: str) -> Tag:
    """The tag of that name. Raises HuaxiangError when there is none."""
    found = next((tag for tag in tags if tag.name == name), None)
    if found is None:
        raise HuaxiangError(f"there is no tag '{name}': 'huaxiang tags list' shows them")
    return found


def _path(settings: Settings, name: str) -> Path:
    return settings.tags_dir / f"{name}.yml"


def _replaced(settings: Settings, path: Path, text: str) -> Path:
    """Write the file; when the tags do not hold with it, as it was before."""
    before = path.read_text(encoding="utf-8") if path.exists() else None
    write_text(path, text)
    try:
        load_tags(settings)
    except HuaxiangError:
        if before is None:
            path.unlink()
        else:
            write_text(path, before)
        raise
    return path
