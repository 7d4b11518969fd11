"""A declaration: a YAML file in which a person says what is wanted, read with the line of every key.

Features, tags and audiences are declarations. What is wrong in one is said with file, line, reason and the mend.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.errors import BadConfiguration
from huaxiang.yaml_files import read_mapping

if TYPE_CHECKING:
    import yaml

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Declaration:
    """One file's mapping. `lines` gives the line of each key by its path, such as ('windows', 0)."""

    path: Path
    said: dict[str, Any]
    lines: dict[Place, int] = field(repr=False, compare=False)

    def line(self, *place: str | int) -> int:
        """The line of that key, or of the nearest one around it that the file has."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def wrong(self, reason: str, mend: str, *place: str | int) -> BadConfiguration:
        """The error for what stands at `place`: file, line, key, reason and what to do."""
        key = f"'{'.'.join(map(str, place))}' " if place else ""
        return BadConfiguration(f"{self.path}:{self.line(*place)}: {key}{reason}; {mend}")


def read_declaration(path: Path, what: str) -> Declaration:
    """Read one file; `what` names its role, such as "a tag". Raises BadConfiguration when it is no YAML mapping."""
    import yaml

    said = read_mapping(path, what)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    lines: dict[Place, int] = {}
    _walk(yaml.compose(path.read_text(encoding="utf-8"), Loader=loader), (), lines)
    return Declaration(path, said, lines)


def _walk(node: yaml.Node | None, place: Place, lines: dict[Place, int]) -> None:
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            lines[inner] = key.start_mark.line + 1
            _walk(value, inner, lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[(*place, number)] = item.start_mark.line + 1
            _walk(item, (*place, number), lines)
