"""The order in which tags are computed: a tag comes after those it reads."""

from __future__ import annotations

from collections.abc import Iterable

from huaxiang.errors import BadConfiguration
from huaxiang.tags.tag import Tag


def in_reading_order(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """The tags, each after all that it reads, else by name.

    Raises BadConfiguration, with file and line, for a tag that reads one that is not there or is retired before it,
    and for tags that read each other in a circle, which is named.
    """
    by_name = {tag.name: tag for tag in sorted(tags, key=lambda tag: tag.name)}
    for tag in by_name.values():
        for number, name in enumerate(tag.reads):
            _check_read(tag, number, by_name.get(name))
    done: dict[str, Tag] = {}
    for tag in by_name.values():
        _visit(tag, by_name, done, ())
    return tuple(done.values())


def _visit(tag: Tag, by_name: dict[str, Tag], done: dict[str, Tag], path: tuple[str, ...]) -> None:
    if tag.name in done:
        return
    for number, name in enumerate(tag.reads):
        way = (*path, tag.name)
        if name in way:
            circle = " -> ".join((*way[way.index(name) :], name))
            raise _wrong(tag, number, f"closes a circle: {circle}", "let one of them read columns instead")
        _visit(by_name[name], by_name, done, way)
    done[tag.name] = tag


def _check_read(tag: Tag, number: int, read: Tag | None) -> None:
    if read is None:
        raise _wrong(tag, number, f"'{tag.reads[number]}' is no tag", "correct it or leave it out")
    if read.retired_on and (tag.retired_on is None or read.retired_on < tag.retired_on):
        raise _wrong(
            tag, number, f"'{read.name}' is retired on {read.retired_on}", "retire this tag too, or let it read another"
        )


def _wrong(tag: Tag, number: int, reason: str, mend: str) -> BadConfiguration:
    assert tag.declaration is not None
    return tag.declaration.wrong(reason, mend, "reads", number)
