"""F03 and F04: writes that fail, one after another, and a disk that is really full."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from faults.kills import verdict
from faults.kinds import Options
from faults.readers import reading
from faults.trial import Trial
from faults.workshop import Workshop, names_of, workshop
from huaxiang import release

_MB = 1_000_000
# Where mounting is not allowed: no file may grow beyond this, which the work file and the year's drops do.
_LIMITS_MB = (1, 4)
_FREE_MB = (0, 1, 3, 8, 14)


def failing_writes(options: Options) -> Iterator[Trial]:
    """F03: of every word the first write fails, then the second, ... until the word gets through."""
    with workshop(options.folder) as made:
        for word in made.words[1:]:
            yield from failing_writes_of(made, word)


def failing_writes_of(made: Workshop, word: str) -> Iterator[Trial]:
    """Each try goes on from what the failed one before it left; the last one succeeds and the run goes on."""
    made.put_back(word)
    fault = f"F03 failing writes, {word}"
    with reading(made.home) as seen:
        number = 1
        while made.run(word, word, failpoint=f"files.write:raise@{number}") != 0:
            yield Trial(fault, "; ".join([f"from write {number} on", *(found := _half_done(made))]), not found)
            number += 1
        retried = made.run(made.after(word)) if word != "release" else 0
    yield verdict(made, fault, f"from write {number} on there is none", retried, seen.violations, seen.releases)


def full_disk(options: Options) -> Iterator[Trial]:
    """F04: the day on a disk with less and less space left; then what the error asks for is freed."""
    with workshop(options.folder) as made:
        if not may_mount(options.folder):
            for limit in _LIMITS_MB:
                yield no_file_beyond(made, limit * _MB)
            return
        for free in _FREE_MB:
            yield disk_with(made, free * _MB)


def disk_with(made: Workshop, free: int) -> Trial:
    """A file system of its own with `free` bytes beside the home of the evening before."""
    used = sum(path.stat().st_blocks * 512 for path in (made.folder / "before_landing").rglob("*"))
    with _mounted(made.home, used + free):
        made.put_back("landing")
        with reading(made.home) as seen:
            word, wrong = _until_it_fails(made)
            if word:
                wrong += _full_said(made) + _old_is_served(made, word)
                asked = _asked_for(made.said())
                subprocess.run(["mount", "-o", f"remount,size={used + asked}", made.home], check=True)
            retried = made.run(word) if word else 0
        detail = f"{free // _MB} MB free: " + (f"stopped {word}, retried with {asked // _MB} MB" if word else "enough")
        return verdict(made, "F04 full disk", detail, retried, seen.violations + wrong, seen.releases)


def no_file_beyond(made: Workshop, limit: int) -> Trial:
    """No file of the process may grow beyond `limit` bytes."""
    made.put_back("landing")
    with reading(made.home) as seen:
        word, wrong = _until_it_fails(made, file_bytes=limit)
        if word:
            wrong += _full_said(made) + _old_is_served(made, word)
        retried = made.run(word) if word else 0
    detail = f"no file beyond {limit // _MB} MB: " + (f"stopped {word}" if word else "enough")
    return verdict(made, "F04 file size limit", detail, retried, seen.violations + wrong, seen.releases)


def _until_it_fails(made: Workshop, **limits: int) -> tuple[str, list[str]]:
    """Do the day's words; the first that fails, and what is wrong with how it did."""
    for word in made.words[made.words.index("landing") :]:
        code = made.run(word, word, **limits)
        if code != 0:
            return word, [] if code == 1 else [f"{word} ended with {code}"]
    return "", []


def _full_said(made: Workshop) -> list[str]:
    return [] if "is full" in made.said() and _asked_for(made.said()) else [f"the error is: {made.said()}"]


def _asked_for(said: str) -> int:
    """The bytes that the error says a day needs."""
    found = re.search(r"needs about ([\d,]+) MB", said)
    return int(found[1].replace(",", "")) * _MB if found else 0


def _old_is_served(made: Workshop, word: str) -> list[str]:
    now = release.current(made.settings)
    if now is None or (now.id != made.released[0] and word != "release"):
        return [f"{now.id if now else 'nothing'} is current while {word} failed"]
    return []


def _half_done(made: Workshop) -> list[str]:
    """What a failed write may not leave: a release that is not whole, a temporary file, an error nobody can act on."""
    found = _full_said(made)
    for each in release.releases(made.settings):
        release.verify(each)
    names = names_of(made.home)
    found += [f"left behind: {name}" for name in sorted(names) if re.search(r"\.\d+\.tmp$", name)]
    return found


def may_mount(folder: Path) -> bool:
    try:
        with _mounted(folder / "mount", _MB):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


@contextmanager
def _mounted(folder: Path, size: int) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)
