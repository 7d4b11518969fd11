"""Check what the platform needs of a machine. Standard library only: it also runs before anything is installed."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huaxiang.memory import total_gib
from huaxiang.ports import VARIABLES, ports

JAVA_HINT = (
    "install it with 'apt-get install openjdk-17-jre-headless' (Debian, Ubuntu) or 'brew install openjdk@17' (macOS)"
)
PYTHON_HINT = (
    "install it with 'apt-get install python3.11 python3.11-venv' (Debian) or 'brew install python@3.11' (macOS)"
)
NEEDED_MEMORY_GIB = 4
NEEDED_DISK_GIB = 6


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what was found and, when that will not do, the next step."""

    name: str
    found: str
    is_ok: bool
    next_step: str = ""

    def __str__(self) -> str:
        mark = "ok     " if self.is_ok else "PROBLEM"
        return f"{mark} {self.name:<8} {self.found}" + ("" if self.is_ok else f"; {self.next_step}")


def prerequisites(folder: Path) -> list[Finding]:
    """What set-up and a daily run need: Python 3.11, Java 17, memory, and disk space below `folder`."""
    return [python(), java(), memory(), disk(folder)]


def python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", found, sys.version_info[:2] == (3, 11), f"Python 3.11 is needed: {PYTHON_HINT}")


def java(run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> Finding:
    """Spark 4 needs Java 17 or newer: JAVA_HOME's if that is set, else the one on the PATH, as Spark itself looks."""
    home = os.environ.get("JAVA_HOME")
    command = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not command or not Path(command).exists():
        where = f"no {command}" if home else "no 'java' on the PATH"
        return Finding("Java", where, False, f"Java 17 is needed: {JAVA_HINT}")
    said = run([command, "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    number = int(version.group(1)) if version else 0
    return Finding("Java", f"version {number or 'unknown'}", number in (17, 21), f"Java 17 is needed: {JAVA_HINT}")


def memory() -> Finding:
    total = total_gib()
    if total is None:
        return Finding("Memory", "size unknown", True)
    step = f"a daily run needs {NEEDED_MEMORY_GIB} GiB: use a larger machine"
    return Finding("Memory", f"{total:.1f} GiB", total >= NEEDED_MEMORY_GIB * 0.95, step)


def disk(folder: Path) -> Finding:
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 2**30
    step = f"{NEEDED_DISK_GIB} GiB are needed: free some space, or set HUAXIANG_HOME to a larger disk"
    return Finding("Disk", f"{free:.1f} GiB free", free >= NEEDED_DISK_GIB, step)


def port(name: str, number: int) -> Finding:
    """Whether the service `name` could listen on 127.0.0.1:`number` now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            step = (
                f"{name} needs it: end the program that listens there ('ss -ltnp' names it), "
                f"or choose another port with {VARIABLES[name]}"
            )
            return Finding("Port", f"{number} is in use", False, step)
    return Finding("Port", f"{number} is free for {name}", True)


def main(folder: Path, with_ports: bool = False) -> int:
    """Print every finding; 0 when all will do, else 1."""
    findings = prerequisites(folder) + ([port(*item) for item in ports().items()] if with_ports else [])
    for finding in findings:
        print(finding)
    return 0 if all(finding.is_ok for finding in findings) else 1
