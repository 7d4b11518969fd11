"""One writer per home: a lock while a command works, and a fencing number that rises with every run.

The lock keeps two commands apart; the kernel frees it when a process ends, however it ends. The fencing number keeps an
old run from publishing after a newer one has begun (Kleppmann, "How to do distributed locking", 2016): a run takes the
next number when it begins, and `release` refuses a run whose number is no longer the newest.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huaxiang.errors import HomeBusy, MissingPartition, StaleWriter
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings

WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Lease:
    """The newest fencing number of a home and the run that took it."""

    fence: int
    run_id: str


@contextmanager
def hold(settings: Settings, who: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Keep every other writing command of this home out while the body runs.

    Raises HomeBusy when another command still writes after `wait_seconds`.
    """
    with hold_file(settings.home.lease.with_suffix(".lock"), who, wait_seconds):
        yield


@contextmanager
def hold_file(path: Path, who: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Keep everybody else out who holds the same lock file, while the body runs. Raises HomeBusy as `hold` does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("a+", encoding="utf-8")
    try:
        _lock(lock.fileno(), wait_seconds, lock)
        lock.truncate(0)
        lock.write(f"'{who}' (process {os.getpid()})")
        lock.flush()
        yield
    finally:
        lock.close()


def begin(settings: Settings, run: Run) -> Lease:
    """Take the next fencing number for `run` and leave it in the run's build. Called with the lock held."""
    newest = read(settings)
    lease = Lease(fence=newest.fence + 1 if newest else 1, run_id=run.id)
    content = json.dumps({"fence": lease.fence, "run": lease.run_id})
    write_text(settings.home.lease, content)
    write_text(_held_by(settings, run), content)
    return lease


def read(settings: Settings) -> Lease | None:
    return _read(settings.home.lease)


def require(settings: Settings, run: Run) -> Lease:
    """The run's own lease, if it is still the newest.

    Raises MissingPartition when the run never began, StaleWriter when a newer run has taken the home over.
    """
    own, newest = _read(_held_by(settings, run)), read(settings)
    if own is None:
        raise MissingPartition(f"run {run.id} has not begun: run 'huaxiang landing --as-of {run.as_of}' first")
    if newest != own:
        who = f"run {newest.run_id} (number {newest.fence})" if newest else "nobody"
        raise StaleWriter(
            f"run {run.id} holds number {own.fence}, but the home was taken over by {who}: nothing was published; "
            f"run the day again with 'huaxiang run --as-of {run.as_of}'"
        )
    return own


def _held_by(settings: Settings, run: Run) -> Path:
    return settings.home.build(run.id) / "lease.json"


def _read(path: Path) -> Lease | None:
    if not path.exists():
        return None
    said = json.loads(path.read_text(encoding="utf-8"))
    return Lease(fence=int(said["fence"]), run_id=str(said["run"]))


def _lock(descriptor: int, wait_seconds: float, lock: object) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                lock.seek(0)  # type: ignore[attr-defined]
                holder = lock.read() or "another command"  # type: ignore[attr-defined]
                raise HomeBusy(
                    f"this home is being written by {holder}: wait for it to end, then run the command again"
                ) from error
            time.sleep(0.2)
