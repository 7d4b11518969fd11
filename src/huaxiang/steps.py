"""Time a step, tell the terminal about it and keep its facts for the report."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from huaxiang.errors import MissingPartition
from huaxiang.progress import tell
from huaxiang.settings import Run, Settings

Fact = int | float | str

# The step without which a word has nothing to work on. A gate comes after its word and stands for both.
_BEFORE = {
    "staging": "landing gate",
    "features": "staging",
    "models": "features",
    "profiles": "models",
    "report": "profiles gate",
    "release": "report",
}


@dataclass
class StepLog:
    """What a step says about itself: facts once, progress while it works."""

    name: str
    facts: dict[str, Fact] = field(default_factory=dict)

    def fact(self, name: str, value: Fact) -> None:
        """Record a figure of this step, such as `log.fact("files", 334)`."""
        self.facts[name] = value

    def progress(self, text: str) -> None:
        """One plain line while a long step works."""
        tell(f"{self.name:<10} {text}")


@contextmanager
def step(name: str, run: Run, settings: Settings) -> Iterator[StepLog]:
    """Run the body as the step `name`; on success append its seconds and facts to `steps.jsonl` of the run's build."""
    log = StepLog(name)
    wall, cpu = time.perf_counter(), _cpu_seconds()
    yield log
    entry = {
        "step": name,
        "seconds": round(time.perf_counter() - wall, 2),
        "cpu_seconds": round(_cpu_seconds() - cpu, 2),
        "peak_mb": round(_peak_mb()),
        "facts": log.facts,
    }
    build = settings.home.build(run.id)
    if build.exists():  # training may come after the day was released, when its build is gone
        with (build / "steps.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")
    tell(f"{name:<10} {entry['seconds']:6.1f} s  {describe(log.facts)}".rstrip())


def require_before(settings: Settings, run: Run, word: str) -> None:
    """Raise MissingPartition unless the step before `word` has succeeded in this very build.

    Two runs of one day share its build: when the second begins, the first one's next word finds it empty.
    """
    step_before = _BEFORE.get(word)
    if step_before and step_before not in _succeeded(settings.home.build(run.id) / "steps.jsonl"):
        before = step_before.removesuffix(" gate")
        raise MissingPartition(
            f"{before}/{run.id}: not done since the run began; run 'huaxiang {before} --as-of {run.as_of}' first"
        )


def _succeeded(log: Path) -> set[str]:
    """The steps that a build's log names; a line that a killed process left half-written names none."""
    names = set()
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        with suppress(ValueError, KeyError, TypeError):
            names.add(json.loads(line)["step"])
    return names


def describe(facts: dict[str, Fact]) -> str:
    """Facts in one line of words: `files 334, accepted 1,339,855`."""
    return ", ".join(
        f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in facts.items()
    )


def _cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_mb() -> float:
    """Peak resident memory of this process in MiB (the kernel counts KiB on Linux, bytes on macOS)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
