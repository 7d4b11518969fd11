"""The quality gates: run a suite at a border of the flow, keep its results, stop the run on a critical failure."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.beside import result, second_process
from huaxiang.errors import GateFailed
from huaxiang.failpoints import reach
from huaxiang.files import write_text
from huaxiang.landing.arrivals import Arrival, arrivals
from huaxiang.settings import Run, Settings
from huaxiang.steps import step

if TYPE_CHECKING:
    from expectations.runner import Check


@contextmanager
def getting_ready(settings: Settings, run: Run, suite: str) -> Iterator[Callable[[], None]]:
    """`check`, by a second process that imports Great Expectations while the body works: that takes seconds. Where it
    is imported already, as by whoever runs many days in one process, there is nothing to get ready."""
    if "great_expectations" in sys.modules:
        yield lambda: check(settings, run, suite)
        return
    with second_process() as beside:
        beside.begin(_get_ready)
        yield lambda: check(settings, run, suite, lambda *asked: result(beside.begin(_checks, *asked)))


def check(
    settings: Settings, run: Run, suite: str, checked: Callable[[Settings, Run, str], list[Check]] | None = None
) -> None:
    """Run the suite `landing` or `profiles` and write its results to `<build>/gates/<suite>.json`, whatever they are.

    Raises GateFailed when a critical check fails, MissingPartition when there is nothing to check yet. The released
    portrait is not touched in any case. `checked` runs the suite elsewhere.
    """
    with step(f"{suite} gate", run, settings) as facts:
        checks = (checked or _checks)(settings, run, suite)
        reach("gates.before_result")
        came = arrivals(settings, run.known_at) if suite == "landing" else []
        _write(result_file(settings, run, suite), run, suite, checks, came)
        facts.fact("checks", len(checks))
        facts.fact("warnings", sum(not found.passed and not found.stops for found in checks))
        facts.fact("critical failures", sum(found.stops for found in checks))
        for found in checks:
            if not found.passed and not found.stops:
                facts.progress(f"warning, {found.name}: {found.observed}")
    stopping = [found for found in checks if found.stops]
    if stopping:
        raise GateFailed(_message(settings, run, suite, stopping))


def _checks(settings: Settings, run: Run, suite: str) -> list[Check]:
    from expectations.runner import run_suite

    return run_suite(settings, run, suite)


def _get_ready() -> None:
    from expectations.runner import get_ready

    get_ready()


def result_file(settings: Settings, run: Run, suite: str) -> Path:
    return settings.home.build(run.id) / "gates" / f"{suite}.json"


def sentence(found: Check) -> str:
    """What failed, how many rows, where they are and the next step."""
    rows = f", failing rows: {found.failing_rows:,}" if found.failing_rows else ""
    place = f", to be found in {found.where}" if found.where else ""
    return f"{found.name}: {found.observed}{rows}{place}; expected: {found.expected}. Next: {found.next_step}."


def _message(settings: Settings, run: Run, suite: str, stopping: list[Check]) -> str:
    count = "1 critical check" if len(stopping) == 1 else f"{len(stopping)} critical checks"
    lines = [
        f"the gate '{suite}' stops the run for {run.as_of}: {count} failed. The released portrait stays as it was."
    ]
    lines += [f"  - {sentence(found)}" for found in stopping]
    lines.append(f"  All checks: {result_file(settings, run, suite)}; paths are below {settings.home.root}.")
    return "\n".join(lines)


def _write(path: Path, run: Run, suite: str, checks: list[Check], came: list[Arrival]) -> None:
    said: dict[str, Any] = {
        "suite": suite,
        "as_of": str(run.as_of),
        "known_at": str(run.known_at),
        "passed": not any(found.stops for found in checks),
        "checks": [asdict(found) for found in checks],
    }
    if suite == "landing":
        said["arrivals"] = [asdict(one) | {"load_date": str(one.load_date)} for one in came]
    write_text(path, json.dumps(said, indent=2, ensure_ascii=False) + "\n")
