"""Named places in the flow where a test can have this process die, fail or stop: `HUAXIANG_FAILPOINT=name:action[@n]`.

The actions: `kill` (SIGKILL to itself), `stop` (SIGSTOP to itself), `exit` (ends without clean-up), `raise` (as if the
disk were full). `@n`: when the place is reached for the n-th time, once (`raise`: from then on). The environment is
read once; when nothing is armed a place costs one comparison.
"""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import dataclass

from huaxiang.errors import BadConfiguration

VARIABLE = "HUAXIANG_FAILPOINT"

# A closed list, so that a mistyped name is an error and not a test that never fails.
NAMES = (
    "lease.before_lock",
    "lease.begun",
    "landing.raw_kept",
    "landing.accepted_written",
    "landing.before_commit",
    "landing.committed",
    "staging.before_state",
    "staging.after_state",
    "features.before_table",
    "features.before_state",
    "features.after_state",
    "models.before_family",
    "profiles.before_table",
    "profiles.after_state",
    "gates.before_result",
    "report.between_pages",
    "release.before_manifest",
    "release.before_copy",
    "release.files_copied",
    "release.before_rename",
    "release.before_switch",
    "release.after_switch",
    "release.before_build_removed",
    "release.build_set_aside",
    "files.write",
    "files.before_rename",
)
ACTIONS = ("kill", "stop", "exit", "raise")


@dataclass
class _Armed:
    name: str
    action: str
    at: int
    reached: int = 0


def reach(name: str) -> None:
    """Here is the place `name`. Does nothing unless it is armed."""
    if _armed is not None:
        _strike(_armed, name)


def arm(said: str | None) -> None:
    """Arm what `said` names, as in the variable; None or '' disarms. Raises BadConfiguration for what is not known."""
    global _armed
    _armed = _parse(said) if said else None


def _parse(said: str) -> _Armed:
    name, _, rest = said.partition(":")
    action, _, count = rest.partition("@")
    if name not in NAMES or action not in ACTIONS or (count and not count.isdigit()) or count == "0":
        raise BadConfiguration(
            f"{VARIABLE} '{said}': write it as name:action or name:action@n, with a name of {', '.join(NAMES)} and an "
            f"action of {', '.join(ACTIONS)}"
        )
    return _Armed(name, action, int(count or 1))


def _strike(armed: _Armed, name: str) -> None:
    if name not in NAMES:
        raise BadConfiguration(f"there is no failpoint '{name}': add it to huaxiang.failpoints.NAMES")
    if name != armed.name:
        return
    armed.reached += 1
    if armed.action == "raise" and armed.reached >= armed.at:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), f"failpoint {name}")
    if armed.reached != armed.at:
        return
    if armed.action == "exit":
        os._exit(70)
    os.kill(os.getpid(), signal.SIGSTOP if armed.action == "stop" else signal.SIGKILL)


_armed: _Armed | None = _parse(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None
