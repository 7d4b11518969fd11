"""`huaxiang run`: bring the simulated sources up to the day, run the day's DAG by Airflow, and sum it up."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from huaxiang import airflow_home, lease, release
from huaxiang.doctor import prerequisites
from huaxiang.errors import HuaxiangError
from huaxiang.memory import PeakMemory
from huaxiang.progress import PROGRESS_FILE
from huaxiang.settings import Run, Settings, require_due

DAG = "profile_daily"


def run_day(settings: Settings, run: Run) -> int:
    """Run the day end to end; 0 when its portrait was released, else 1 and the reason on the terminal."""
    from huaxiang.simulate import PLAYERS, simulate

    missing = [finding for finding in prerequisites(settings.home.root) if not finding.is_ok]
    if missing:
        raise HuaxiangError(f"{missing[0].name}: {missing[0].found}; {missing[0].next_step}")
    require_due(settings, run)
    start = time.perf_counter()
    with PeakMemory() as memory:
        for source in settings.sources:
            if source in PLAYERS:
                simulate(settings, source, run.known_at)
        airflow_home.prepare(settings)
        number = lease.read(settings)
        ended_well, log = _run_dag(settings, run)
    if not (ended_well and _released(settings, run, after=number)):
        now = release.current(settings)
        served = f"{now.id} stays released" if now else "nothing is released yet"
        print(f"run        the day was not released; {served}. Airflow's log: {log}", file=sys.stderr)
        return 1
    print(summary(settings, run, time.perf_counter() - start, memory.peak_gib))
    return 0


def summary(settings: Settings, run: Run, seconds: float, peak_gib: float | None) -> str:
    """The released day in a few aligned lines, and the paths to look at."""
    made, now = release.of_run(settings, run), release.current(settings)
    assert made is not None and now is not None
    totals, gates = made.manifest["totals"], made.manifest["gates"].values()
    segments = made.manifest["tables"].get("segments", {}).get("rows")
    rows = [
        ("released", made.id),
        ("current", f"{now.id} stays current: it is of a later day") if now.id != made.id else None,
        ("customers", f"{totals['customers']:,}"),
        ("orders", f"{totals['orders']:,} with {totals['order_lines']:,} lines") if "orders" in totals else None,
        ("net spend", f"{Decimal(totals['net_spend']):,} {settings.currency}".rstrip()) if "orders" in totals else None,
        ("segments", str(segments)) if segments else None,
        (
            "gates",
            f"{sum(gate['checks'] for gate in gates)} checks, {sum(len(gate['warnings']) for gate in gates)} warnings",
        ),
        ("took", f"{seconds:.0f} s" + (f", at most {peak_gib:.1f} GiB in all processes" if peak_gib else "")),
        ("pages", str(made.path / "report" / "index.html")),
        ("tables", str(made.path / "profiles")),
        ("manifest", str(made.path / "MANIFEST.json")),
        ("models", settings.mlflow_uri),
    ]
    return "\n" + "\n".join(f"{row[0]:<10} {row[1]}" for row in rows if row)


def _run_dag(settings: Settings, run: Run) -> tuple[bool, Path]:
    """Run the DAG in one process by `airflow dags test`, recorded in Airflow's database."""
    log = settings.home.logs / f"airflow-{run.id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    progress = settings.home.logs / f"progress-{run.id}.txt"
    progress.write_text("", encoding="utf-8")
    words = [str(airflow_home.command(settings)), "dags", "test", DAG]
    words += ["--conf", json.dumps({"as_of": str(run.as_of), "known_at": str(run.known_at)})]
    environment = airflow_home.environment(settings) | {PROGRESS_FILE: str(progress)}
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(words, env=environment, stdout=output, stderr=subprocess.STDOUT)
        with _ending(process):
            for line in _lines(progress, process):
                print(line, flush=True)
    progress.unlink()
    return process.returncode == 0, log


def _released(settings: Settings, run: Run, after: lease.Lease | None) -> bool:
    """Airflow's exit code does not tell whether the run succeeded.

    What tells is that it took a number after `after`, and that `release` noted there how it ended.
    """
    taken = lease.read(settings)
    has_begun = taken is not None and taken.fence != (after.fence if after else 0)
    return has_begun and lease.ended_with(settings, run) is not None


def _lines(progress: Path, process: subprocess.Popen) -> Iterator[str]:
    """The lines that the steps say, as they come; on a terminal the waiting is shown in between."""
    on_terminal = sys.stdout.isatty()
    start = time.perf_counter()
    with progress.open(encoding="utf-8") as lines:
        while True:
            has_ended = process.poll() is not None
            for line in lines.read().splitlines():
                yield ("\r\x1b[K" if on_terminal else "") + line
            if has_ended:
                return
            if on_terminal:
                print(f"\r\x1b[K... {time.perf_counter() - start:.0f} s", end="", flush=True)
            time.sleep(0.2)


@contextmanager
def _ending(process: subprocess.Popen) -> Iterator[None]:
    """End the child if we are interrupted, so that no run goes on unseen."""
    try:
        yield
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
