"""A folder that is written once: complete or not there, and each of its files as it was written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huaxiang.errors import BrokenConservation
from huaxiang.files import sha256, sync

SEAL = "SHA256.json"


@contextmanager
def sealing(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to fill; when the body succeeds, seal it and put it in the place of `folder` in one step."""
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        (temporary / SEAL).write_text(json.dumps(_hashes(temporary), indent=1) + "\n", encoding="utf-8")
        for path in temporary.rglob("*"):  # all of it is on disk before the folder has its name
            sync(path)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def verify(folder: Path) -> None:
    """Raise BrokenConservation when a file is missing, is not the one that was sealed, or was added."""
    try:
        sealed = json.loads((folder / SEAL).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BrokenConservation(f"{folder}: its seal {SEAL} cannot be read, so nobody can say what it held") from error
    found = _hashes(folder)
    wrong = sorted(name for name in {*sealed, *found} if sealed.get(name) != found.get(name))
    if wrong:
        raise BrokenConservation(f"{folder / wrong[0]}: not as it was sealed, so it is not used")


def _hashes(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder) != Path(SEAL))
    return {str(path.relative_to(folder)): sha256(path) for path in paths}
