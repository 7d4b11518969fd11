"""A reader of a home: polls `CURRENT`, and looks whether every release it meets is whole. Standard library only.

`python reader.py HOME SECONDS` polls that often until its standard input ends, then prints what it saw as JSON.
"""

from __future__ import annotations

import hashlib
import json
import select
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    home, seconds = Path(sys.argv[1]), float(sys.argv[2])
    seen: dict[str, Any] = {"polls": 0, "whole": 0, "releases": [], "violations": []}
    known: dict[str, Any] = {}
    while True:
        poll(home, seen, known)
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        if ready:
            break
    print(json.dumps(seen))


def poll(home: Path, seen: dict[str, Any], known: dict[str, Any]) -> None:
    """One session: read `CURRENT` once, stay in that folder, and compare every file with the manifest.

    A file whose inode, size and time are those of the last look is not read again.
    """
    current = home / "CURRENT"
    try:
        name = current.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return  # before the first release
    seen["polls"] += 1
    if not seen["releases"] or seen["releases"][-1] != name:
        seen["releases"].append(name)
    try:
        violation = look(home / "releases" / name, known)
    except (OSError, ValueError) as error:
        violation = f"{type(error).__name__}: {error}"
    if violation is None:
        seen["whole"] += 1
    elif current.read_text(encoding="utf-8").strip() == name:  # else the session outlived the release
        seen["violations"].append(f"{name}: {violation}")


def look(folder: Path, known: dict[str, Any]) -> str | None:
    """What is wrong with the release, or None."""
    said = json.loads((folder / "MANIFEST.json").read_text(encoding="utf-8"))
    if said["release_id"] != folder.name:
        return f"the manifest is of {said['release_id']}"
    for name, promised in said["files"].items():
        path = folder / name
        stat = path.stat()
        state = [stat.st_ino, stat.st_size, stat.st_mtime_ns, promised["sha256"]]
        if known.get(str(path)) == state:
            continue
        if hashlib.sha256(path.read_bytes()).hexdigest() != promised["sha256"]:
            return f"{name} is not as sealed"
        known[str(path)] = state
    return None


if __name__ == "__main__":
    main()
