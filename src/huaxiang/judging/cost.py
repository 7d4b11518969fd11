"""What a fit costs: seconds of processor time, and the memory it added at its peak.

Processor time hardly changes with what else the machine does, so a recipe is not called slow for another's work.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass
class Cost:
    """`with cost: ...`, as often as it takes: seconds add up, of memory the most counts; None where it is unknown.

    Only Linux tells a process its peak since a moment of its choice.
    """

    seconds: float = 0.0
    memory_mb: float | None = None
    _began: float = field(default=0.0, repr=False)
    _held_kib: int | None = field(default=None, repr=False)

    def __enter__(self) -> Cost:
        self._held_kib = _reset()
        self._began = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds += time.process_time() - self._began
        peak = _kib("VmHWM") if self._held_kib is not None else None
        if peak is not None and self._held_kib is not None:
            self.memory_mb = max(self.memory_mb or 0.0, round((peak - self._held_kib) / 1024, 1))


def _reset() -> int | None:
    """Begin a new peak; what is held now in KiB, or None where this system cannot say."""
    try:
        _CLEAR.write_text("5")
    except OSError:
        return None
    return _kib("VmRSS")


def _kib(name: str) -> int | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), None)
