"""Write files so that a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from huaxiang.failpoints import reach


@contextmanager
def replacing(path: Path, is_synced: bool = True) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the body succeeds, sync it to disk and put it in place in one step.

    Whoever writes hundreds of files that count for nothing until a last one names them can leave the syncing to one
    `sync_all()` before that last one: a sync per file costs about 10 ms.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        reach("files.write")
        if is_synced:
            sync(temporary)
        reach("files.before_rename")
        temporary.replace(path)
        if is_synced:
            sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def link_to(link: Path, folder: Path) -> None:
    """Have `link` lead to `folder`, by a way that stays right when both are moved together."""
    link.parent.mkdir(parents=True, exist_ok=True)
    way = os.path.relpath(folder, link.parent)
    if link.is_symlink() and str(link.readlink()) == way:
        return
    temporary = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(way, target_is_directory=True)
    temporary.replace(link)


def sync_all() -> None:
    """Have the system write everything to disk that it still holds back."""
    os.sync()


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Have the system write one file to disk; of a folder, the names in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
