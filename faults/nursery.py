"""A warm process whose children are commands: each is forked with dbt, Spark's client and the rest already imported.

`python -m faults.nursery` reads one JSON request a line and answers each with one JSON line. A child is a process group
of its own, as a task of a scheduler is, so that a kill takes its Java process along. What it says goes to a file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from huaxiang import cli, failpoints
from huaxiang.settings import PROJECT

_HEAVY = (
    "dbt.cli.main", "dbt.adapters.duckdb", "great_expectations", "mlflow", "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store", "pyspark.sql", "pyspark.ml", "sklearn.cluster", "scipy.stats",
    "matplotlib.figure", "pandas", "duckdb", "pyarrow.parquet", "expectations.runner", "huaxiang.landing",
    "huaxiang.models", "huaxiang.warehouse", "huaxiang.report", "huaxiang.release", "huaxiang.simulate",
    "huaxiang.tracking", "openlineage.common.provider.dbt.local", "sqlglot.optimizer.qualify", "spark_jobs.session",
    "spark_jobs.segments.job", "spark_jobs.recommendations.job", "spark_jobs.associations.job",
    "spark_jobs.scores.job", "spark_jobs.attributes.job", "spark_jobs.categories.job", "spark_jobs.vectors.job",
    "spark_jobs.portrait.bundle",
)  # fmt: skip
Commands = list[list[str]]


class Nursery:
    """The harness's side: start commands, wait for them, kill them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env=os.environ | environment,
        )
        self._told()

    def close(self) -> None:
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()

    def start(self, commands: Commands, log: Path, failpoint: str = "", **limits: int) -> int:
        """Start the commands, one after another until one fails, in one process; returns its id."""
        return self._ask({"do": "start", "commands": commands, "log": str(log), "failpoint": failpoint, **limits})

    def wait(self, pid: int, seconds: float = 600.0) -> int | None:
        """The exit code, negative for a signal; None when it still runs after `seconds`, or was stopped."""
        return self._ask({"do": "wait", "pid": pid, "seconds": seconds})

    def run(self, commands: Commands, log: Path, failpoint: str = "", **limits: int) -> int | None:
        return self.wait(self.start(commands, log, failpoint, **limits))

    def kill(self, pid: int) -> int | None:
        """SIGKILL to the command's whole process group; returns how it ended (0 if it was done before)."""
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        return self.wait(pid)

    def _ask(self, request: dict[str, Any]) -> Any:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._told()

    def _told(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the warm process ended: what it said stands above")
        return json.loads(line)["answer"]


def main() -> None:
    for name in _HEAVY:
        import_module(name)
    assert threading.active_count() == 1, "a process with threads cannot be forked safely"
    answers, started = sys.stdout, []
    _answer(answers, None)
    for line in sys.stdin:
        request = json.loads(line)
        found = _start(request) if request["do"] == "start" else _wait(request["pid"], request["seconds"])
        if request["do"] == "start" and found:
            started.append(found)
        _answer(answers, found)
    for pid in started:  # the harness is gone: so are its commands
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _answer(answers: Any, found: int | None) -> None:
    answers.write(json.dumps({"answer": found}) + "\n")
    answers.flush()


def _start(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = _be_a_command(request)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _be_a_command(request: dict[str, Any]) -> int:
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for here, there in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(here, there)
    tempfile.tempdir = None
    if request.get("file_bytes"):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_bytes"], resource.RLIM_INFINITY))
    failpoints.arm(request["failpoint"])
    try:
        return next((code for words in request["commands"] if (code := cli.main(words))), 0)
    finally:
        _stop_spark()


def _stop_spark() -> None:
    """As the end of a process would, and wait for it: a Java process that tidies up would disturb the next trial."""
    context = sys.modules["pyspark"].SparkContext
    gateway = context._gateway
    try:
        if context._active_spark_context:
            context._active_spark_context.stop()
        if gateway:
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(timeout=30)
    except Exception:  # how Java ends is no part of what the command came to
        traceback.print_exc()
        gateway.proc.kill()


def _wait(pid: int, seconds: float) -> int | None:
    deadline = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if ended and os.WIFSTOPPED(status):
            return None
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            return None
        time.sleep(0.005)


if __name__ == "__main__":
    main()
