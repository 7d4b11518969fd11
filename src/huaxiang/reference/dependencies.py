"""docs/reference/dependencies.md says why each direct dependency is there: one line each, checked here."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path("docs/reference/dependencies.md")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")
_LINE = re.compile(r"^- `([^`]+)`: \S", re.MULTILINE)


def problems(project: Path) -> list[str]:
    """One sentence for every dependency without a line and every line without a dependency."""
    page = project / PAGE
    explained = {_plain(name) for name in _LINE.findall(page.read_text(encoding="utf-8"))} if page.exists() else set()
    named = requirements(project)
    missing = [
        f"{file} names '{name}', but {PAGE} does not say why: add the line '- `{name}`: ...' there"
        for name, file in named.items()
        if name not in explained
    ]
    left_over = sorted(explained - set(named))
    return missing + [
        f"{PAGE} explains '{name}', which no requirements/*.in names: remove its line" for name in left_over
    ]


def requirements(project: Path) -> dict[str, str]:
    """Every direct dependency by name, with the file that names it."""
    found: dict[str, str] = {}
    for path in sorted((project / "requirements").glob("*.in")):
        for line in path.read_text(encoding="utf-8").splitlines():
            name = _REQUIREMENT.match(line.strip())
            if name:
                found.setdefault(_plain(name[1]), f"requirements/{path.name}")
    return found


def _plain(name: str) -> str:
    """Names that mean one package: case, `_`, `-` and `.` do not matter."""
    return re.sub(r"[-_.]+", "-", name).lower()
