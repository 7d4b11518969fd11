"""Who reads a declared feature: the tags, audiences, dbt models and Spark jobs whose files name one of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from huaxiang.features.declared import Feature

# Where readers are, and what one is called there.
_READERS = (
    ("tags", "*.yml", "tag"),
    ("audiences", "*.yml", "audience"),
    ("dbt_project/models", "**/*.sql", "table"),
    ("spark_jobs", "*/*.py", "model"),
)


def consumers(project: Path, features: Iterable[Feature]) -> dict[str, list[str]]:
    """For each feature its readers in order, such as 'tag coffee_lover'; the words of the files are looked at."""
    found: dict[str, list[str]] = {}
    words = _words(project)
    for feature in features:
        names = set(feature.columns.values())
        found[feature.name] = list(dict.fromkeys(reader for reader, said in words if names & said))
    return found


def _words(project: Path) -> list[tuple[str, set[str]]]:
    found = []
    for folder, pattern, kind in _READERS:
        for path in sorted((project / folder).glob(pattern)):
            name = path.parent.name if kind == "model" else path.stem
            found.append((f"{kind} {name}", set(re.findall(r"\w+", path.read_text(encoding="utf-8")))))
    return found
