"""One writer per home: a lock while a command works, and a fencing number that rises with every run.

The lock keeps two commands apart; the kernel frees it when a process ends, however it ends. The fencing number keeps an
old run from publishing after a newer one has begun (Kleppmann, "How to do distributed locking", 2016): a run takes the
next number when it begins, and `release` refuses a run whose number is no longer the newest.

A command that waited for the lock while a run began is itself of the past, and is refused: it may be a copy that was
stopped and woke up after its retry. A command that is stopped while it holds the lock keeps the home until it is ended:
the others are told its process id. Whoever finds a name in the lock file knows that its holder died, and clears up.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from huaxiang.errors import HomeBusy, HuaxiangError, MissingPartition, StaleWriter
from huaxiang.failpoints import reach
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.stray import clear_up

WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Lease:
    """The newest fencing number of a home, the run that took it, and the release it ended with, once it has."""

    fence: int
    run_id: str
    released: str | None = None


@contextmanager
def hold(settings: Settings, who: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Keep every other writing command of this home out while the body runs.

    Raises HomeBusy when another command still writes after `wait_seconds`, StaleWriter when a run began meanwhile.
    """
    seen = read(settings)
    reach("lease.before_lock")
    with _locked(settings.home.lease.with_suffix(".lock"), who, wait_seconds) as died:
        if died:
            clear_up(settings)
        newest = read(settings)
        if newest and (seen is None or newest.fence != seen.fence):
            raise StaleWriter(
                f"run {newest.run_id} (number {newest.fence}) began while this command waited for the home: nothing "
                "was written; if it is still wanted when that run has ended, run the command again"
            )
        yield


@contextmanager
def hold_file(path: Path, who: str, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Keep everybody else out who holds the same lock file, while the body runs. Raises HomeBusy as `hold` does."""
    with _locked(path, who, wait_seconds):
        yield


@contextmanager
def _locked(path: Path, who: str, wait_seconds: float) -> Iterator[str]:
    """Hold the file; gives the name its last holder left by dying, '' after an orderly end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("a+", encoding="utf-8")
    try:
        _lock(lock, wait_seconds)
        lock.seek(0)
        died = lock.read()
        lock.truncate(0)
        lock.write(f"'{who}' (process {os.getpid()})")
        lock.flush()
        with _leaving_no_name(lock):
            yield died
    finally:
        lock.close()


@contextmanager
def _leaving_no_name(lock: TextIO) -> Iterator[None]:
    """Take the name out of the lock file at an orderly end, which an error that somebody can act on is, too."""
    try:
        yield
    except HuaxiangError:
        lock.truncate(0)
        raise
    lock.truncate(0)


def begin(settings: Settings, run: Run) -> Lease:
    """Take the next fencing number for `run` and leave it in the run's build. Called with the lock held."""
    newest = read(settings)
    lease = Lease(fence=newest.fence + 1 if newest else 1, run_id=run.id)
    _write(settings.home.lease, lease)
    _write(_held_by(settings, run), lease)
    reach("lease.begun")
    return lease


def end(settings: Settings, run: Run, release_id: str) -> None:
    """Note that the run has ended with this release. Called with the lock held, by the run that `require` let pass."""
    _write(settings.home.lease, replace(require(settings, run), released=release_id))


def ended_with(settings: Settings, run: Run) -> str | None:
    """The release with which the run ended, if it is the newest run and has ended."""
    newest = read(settings)
    return newest.released if newest and newest.run_id == run.id else None


def read(settings: Settings) -> Lease | None:
    return _read(settings.home.lease)


def require(settings: Settings, run: Run) -> Lease:
    """The run's own lease, if it is still the newest.

    Raises MissingPartition when the run never began, StaleWriter when a newer run has taken the home over.
    """
    own, newest = _read(_held_by(settings, run)), read(settings)
    if own is None and newest and newest.run_id != run.id:
        raise StaleWriter(
            f"run {run.id} has not begun, or the home was taken over by run {newest.run_id} (number {newest.fence}): "
            f"nothing was published; begin with 'huaxiang landing --as-of {run.as_of}' if the day is still wanted"
        )
    if own is None:
        raise MissingPartition(f"run {run.id} has not begun: run 'huaxiang landing --as-of {run.as_of}' first")
    if newest is None or (newest.fence, newest.run_id) != (own.fence, own.run_id):
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
    return Lease(fence=int(said["fence"]), run_id=str(said["run"]), released=said.get("released"))


def _write(path: Path, lease: Lease) -> None:
    said = {"fence": lease.fence, "run": lease.run_id} | ({"released": lease.released} if lease.released else {})
    write_text(path, json.dumps(said))


def _lock(lock: TextIO, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                lock.seek(0)
                holder = lock.read() or "another command"
                raise HomeBusy(
                    f"this home is being written by {holder}: wait for it to end, then run the command again"
                ) from error
            time.sleep(0.2)
