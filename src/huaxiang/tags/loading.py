"""Read all tags and check what only shows when they are seen together with the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from huaxiang.contracts import load_contracts
from huaxiang.families import FAMILIES
from huaxiang.settings import Settings
from huaxiang.tags.binding import bind
from huaxiang.tags.columns import tag_columns
from huaxiang.tags.order import in_reading_order
from huaxiang.tags.reading import read_tag
from huaxiang.tags.tag import Tag

# What a tag's file is read and checked against, by folder of the project.
_READ = ("tags", "features", "contracts", "dbt_project/models/profiles")
_LOADED: dict[tuple[tuple[Path, int, int], ...], tuple[Tag, ...]] = {}


def load_tags(settings: Settings) -> tuple[Tag, ...]:
    """Read and check every tag, in order of name; the retired ones are among them.

    Raises BadConfiguration naming file, line, key, reason and next step when one cannot be used.
    """
    files = sorted(
        path for folder in _READ for path in (settings.project / folder).glob("*.yml")
    )  # a command asks several times; the files tell whether anything changed
    marks = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in files)
    if marks not in _LOADED:
        _LOADED.clear()
        _LOADED[marks] = read_tags(settings)
    return _LOADED[marks]


def read_tags(settings: Settings) -> tuple[Tag, ...]:
    """What load_tags gives, read and checked anew."""
    tags = [read_tag(path) for path in sorted(settings.tags_dir.glob("*.yml"))]
    _check_needs(settings, tags)
    ordered = _with_inherited_needs(in_reading_order(tags))
    bind(ordered, tag_columns(settings))
    return tuple(sorted(ordered, key=lambda tag: tag.name))


def _check_needs(settings: Settings, tags: Sequence[Tag]) -> None:
    contracts = load_contracts(settings)
    columns = {f"{name}.{column}" for name, contract in contracts.items() for column in contract.column_names}
    known = {*contracts, *columns, *FAMILIES}
    for tag in tags:
        for number, need in enumerate(tag.needs):
            if need not in known:
                assert tag.declaration is not None
                raise tag.declaration.wrong(
                    f"'{need}' is no canonical table, table.column or model family",
                    "correct it or leave it out",
                    "needs",
                    number,
                )


def _with_inherited_needs(ordered: Sequence[Tag]) -> list[Tag]:
    """What is read must be there: a tag needs all that the tags need which it reads."""
    done: dict[str, Tag] = {}
    for tag in ordered:
        inherited = [need for name in tag.reads for need in done[name].needs]
        done[tag.name] = replace(tag, needs=tuple(dict.fromkeys([*tag.needs, *inherited])))
    return list(done.values())
