"""The reference pages in `docs/reference/`: made from contracts, dbt, features, tags, command line and Makefile.

No page is written by hand except `dependencies.md`, which is checked against `requirements/*.in`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from huaxiang.files import write_text
from huaxiang.reference import commands, dependencies, features, tables, tags

FOLDER = Path("docs/reference")
PAGES: dict[str, Callable[[Path], str]] = {
    "tables.md": tables.page,
    "features.md": features.page,
    "tags.md": tags.page,
    "commands.md": commands.page,
}


def write_reference(project: Path, only_check: bool) -> int:
    """Write the pages of `project` that are stale, or with `only_check` only name them.

    Returns 0 when all is up to date afterwards, else 1. Raises BadConfiguration when a contract, a tag or a dbt model's
    yml cannot be used.
    """
    pages = {FOLDER / name: page(project) for name, page in PAGES.items()}
    stale = {path: text for path, text in pages.items() if _read(project / path) != text}
    for path, text in stale.items():
        if only_check:
            print(f"docs       {path} is stale: run 'huaxiang docs' and keep the page it writes")
        else:
            write_text(project / path, text)
            print(f"docs       {path} written")
    wrong = dependencies.problems(project)
    for sentence in wrong:
        print(f"docs       {sentence}")
    if wrong or (stale and only_check):
        return 1
    print("docs       the reference is up to date")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
