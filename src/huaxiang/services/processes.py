"""Processes that live on after the command that started them: started, found again, and ended with all their children.

Each has a session of its own, and a file that names it by its id and the moment it started, since ids are used again.
What it starts may leave its session (Airflow gives every task one), so children are found by their parents (Linux; on
other systems the session alone is ended).
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TERM_SECONDS = 20.0
KILL_SECONDS = 5.0


@dataclass(frozen=True)
class Process:
    """A process by its id and the moment it started (as the system tells it): no two are ever equal."""

    pid: int
    started: str


def start(record: Path, words: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path) -> Process:
    """Start a command in a session of its own; its output goes to `log` (mode 600), its name to `record`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as output:
        begun = subprocess.Popen(
            list(words),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = Process(begun.pid, _started(begun.pid) or "")
    record.parent.mkdir(parents=True, exist_ok=True)
    said = {"pid": process.pid, "started": process.started, "words": list(words)}
    record.write_text(json.dumps(said) + "\n", encoding="utf-8")
    return process


def recorded(record: Path) -> Process | None:
    """The process that `record` names, whether or not it still lives."""
    try:
        said = json.loads(record.read_text(encoding="utf-8"))
        return Process(int(said["pid"]), str(said["started"]))
    except (FileNotFoundError, ValueError, KeyError):
        return None


def started_with(record: Path) -> list[str]:
    """The command that `record` was written for."""
    return list(map(str, json.loads(record.read_text(encoding="utf-8")).get("words", [])))


def is_alive(process: Process) -> bool:
    return _started(process.pid) == process.started and not _is_zombie(process.pid)


def family(roots: Collection[Process]) -> list[Process]:
    """The roots that live, everything they started, and what their sessions still hold when a root itself is gone."""
    table = _all_processes()
    known = {process.pid: process for process in table}
    alive = [root for root in roots if known.get(root.pid) == root]
    # While any process is in a session its number is not given to a new process, so what is in it is ours.
    left = [process for root in roots if root.pid not in known for process in table if table[process][1] == root.pid]
    found = dict.fromkeys([*alive, *left])
    waiting = list(found)
    while waiting:
        parent = waiting.pop().pid
        for process, (above, _) in table.items():
            if above == parent and process not in found:
                found[process] = None
                waiting.append(process)
    return list(found)


def end(roots: Collection[Process]) -> list[Process]:
    """Ask the roots and their families to end, insist after `TERM_SECONDS`; return what lives even then."""
    members = family(roots)
    for number, seconds in ((signal.SIGTERM, TERM_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        for process in members:
            _signal(process, number)
        deadline = time.monotonic() + seconds
        while members and time.monotonic() < deadline:
            time.sleep(0.1)
            _reap(members)
            members = [process for process in dict.fromkeys([*members, *family(roots)]) if is_alive(process)]
    return members


def _signal(process: Process, number: signal.Signals) -> None:
    if is_alive(process):
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(process.pid, number)


def _reap(processes: Collection[Process]) -> None:
    """Take the exit code of those that are children of this very process, so that they are gone for everybody."""
    for process in processes:
        with contextlib.suppress(ChildProcessError):  # started by an earlier command
            os.waitpid(process.pid, os.WNOHANG)


def _all_processes() -> dict[Process, tuple[int, int]]:
    """Every process: its parent's id and its session. Elsewhere than on Linux asked of `ps`."""
    found = {}
    if Path("/proc/self/stat").exists():
        for folder in Path("/proc").glob("[0-9]*"):
            said = _stat(int(folder.name))
            if said and said[0] != "Z":
                found[Process(int(folder.name), said[19])] = (int(said[1]), int(said[3]))
        return found
    for line in _ps("-axo", "pid=,ppid=,pgid=,lstart="):
        pid, parent, group, started = line.split(None, 3)
        found[Process(int(pid), started.strip())] = (int(parent), int(group))
    return found


def _started(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        said = _stat(pid)
        return said[19] if said else None
    lines = _ps("-o", "lstart=", "-p", str(pid))
    return lines[0].strip() if lines else None


def _is_zombie(pid: int) -> bool:
    if Path("/proc/self/stat").exists():
        said = _stat(pid)
        return bool(said and said[0] == "Z")
    return any(line.strip().startswith("Z") for line in _ps("-o", "stat=", "-p", str(pid)))


def _stat(pid: int) -> list[str] | None:
    """The words of Linux's `/proc/<pid>/stat` from the state on: 0 state, 1 parent, 3 session, 19 start time."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The command's name, in brackets, may hold spaces.
    return text.rsplit(")", 1)[1].split()


def _ps(*words: str) -> list[str]:
    return subprocess.run(["ps", *words], capture_output=True, text=True, check=False).stdout.splitlines()
