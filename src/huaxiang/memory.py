"""How much memory there is, and the peak of this process and all its children while a run works.

The peak is sampled, on Linux; elsewhere it is unknown.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

_EVERY_SECONDS = 0.5


_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container (control groups, version 2)


def total_gib() -> float | None:
    """What this machine or container has, in GiB; None where unknown."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return None
    try:
        return min(machine, int(_LIMIT.read_text()) / 2**30)
    except (ValueError, OSError):  # "max", or no such groups
        return machine


class PeakMemory:
    """`with PeakMemory() as memory: ...` then `memory.peak_gib`: proportional set size, over the process tree."""

    def __init__(self) -> None:
        self.peak_gib: float | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> PeakMemory:
        if Path("/proc/self/smaps_rollup").exists():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(_EVERY_SECONDS):
            self.peak_gib = max(self.peak_gib or 0.0, pss_gib(_tree(os.getpid())))


def pss_gib(processes: Iterable[int]) -> float:
    """Memory of these processes in GiB: their own and their share of what they have in common; 0 where unknown."""
    return sum(map(_pss_kib, processes)) / 2**20


def _tree(root: int) -> list[int]:
    """`root` and all processes below it."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The command's name, in brackets, may hold spaces: the parent is the second word after it.
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue  # it has ended
        children.setdefault(parent, []).append(int(stat.parent.name))
    found = [root]
    for process in found:
        found.extend(children.get(process, []))
    return found


def _pss_kib(process: int) -> int:
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass  # it has ended
    return 0
