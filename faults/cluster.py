"""A real standalone Spark cluster on this machine: a master and workers, each a process that can be killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyspark

from huaxiang.settings import PROJECT, Settings
from spark_jobs import engine

QUICK = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"  # many small jobs: Java need not optimise them
SPARK_HOME = Path(pyspark.__file__).parent
ENVIRONMENT = {
    **os.environ,
    "SPARK_HOME": str(SPARK_HOME),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "PYSPARK_PYTHON": sys.executable,
    "PYSPARK_DRIVER_PYTHON": sys.executable,
}


@dataclass(frozen=True)
class Cluster:
    """A running master: where applications go, what it says of itself, and the processes of its workers."""

    address: str
    pages: str
    workers: tuple[subprocess.Popen[bytes], ...]

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.pages}/json/", timeout=5) as answer:  # noqa: S310 (our own address)
            return dict(json.load(answer))

    def lose(self, worker: int) -> None:
        """Kill a worker with the executors on it, as when its machine is lost."""
        os.killpg(self.workers[worker].pid, signal.SIGKILL)
        self.workers[worker].wait()


@contextmanager
def cluster(folder: Path, workers: int = 1, cores: int = 2) -> Iterator[Cluster]:
    """A master with so many workers of so many cores."""
    port, pages, *worker_pages = free_ports(2 + workers)
    address, site = f"spark://127.0.0.1:{port}", f"http://127.0.0.1:{pages}"
    here = ["--host", "127.0.0.1"]
    with ExitStack() as running:
        master = ["master.Master", *here, "--port", str(port), "--webui-port", str(pages)]
        running.enter_context(server(master, folder / "master"))
        each = ["worker.Worker", *here, "--cores", str(cores), "--memory", "1g"]
        started = tuple(
            running.enter_context(server([*each, "--webui-port", str(number), address], folder / f"worker-{number}"))
            for number in worker_pages
        )
        made = Cluster(address, site, started)
        wait_for(lambda: made.state()["aliveworkers"] == workers, "the workers", seconds=60)
        yield made


@contextmanager
def server(words: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One of Spark's servers in a process group of its own, so that its executors end with it."""
    command = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{words[0]}", *words[1:]]
    environment = {**ENVIRONMENT, "SPARK_WORKER_DIR": str(folder / "work"), "SPARK_LOG_DIR": str(folder)}
    folder.mkdir(parents=True)
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            command, env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            yield process
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def submitting(settings: Settings, cluster: Cluster, day: str, *more: str) -> subprocess.Popen[str]:
    """`spark-submit` of the word `models` on the home of `settings`, begun; `more` are options of spark-submit."""
    config = settings.home.root / "huaxiang.yml"
    said = settings.config.read_text(encoding="utf-8").splitlines()
    lines = [line for line in said if not line.startswith("models:")]
    config.write_text("\n".join([*lines, f"models: [{', '.join(settings.models)}]"]), encoding="utf-8")
    (settings.home.root / "sources").symlink_to(settings.sources_dir)
    return subprocess.Popen(
        [
            *(str(SPARK_HOME / "bin" / "spark-submit"), "--master", cluster.address, "--executor-memory", "512m"),
            *("--driver-java-options", QUICK, "--conf", f"spark.executor.extraJavaOptions={QUICK}"),
            *("--conf", "spark.driver.host=127.0.0.1", *more, str(PROJECT / "scripts" / "submit_models.py")),
            *("--as-of", day),
        ],
        env={
            **ENVIRONMENT,
            "HUAXIANG_HOME": str(settings.home.root),
            "HUAXIANG_CONFIG": str(config),
            engine.VARIABLE: engine.SPARK,  # a home of tests is too small to choose Spark itself
        },
        cwd=settings.home.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended_well(process: subprocess.Popen[str], seconds: float = 400) -> None:
    """Wait for what `submitting` began. Raises AssertionError with the end of what it said when it failed."""
    _, errors = process.communicate(timeout=seconds)
    assert process.returncode == 0, errors[-3000:]


def wait_for(condition: Callable[[], object], what: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):  # the master is not up yet, or half so
            if condition():
                return
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
