"""The models through spark-submit on a real standalone master and worker: the same tables as in one process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyspark
import pytest

from huaxiang import families, models, warehouse
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import PROJECT, Run, Settings
from tests.spark.conftest import SAMPLE_DAY, copy_of

pytestmark = [pytest.mark.spark, pytest.mark.dbt, pytest.mark.slow]

RUN = Run(SAMPLE_DAY, SAMPLE_DAY)
# The two whose work is spread over a cluster; scores are fitted on the driver, rules are counted in one job.
FAMILIES = ("segments", "recommendations")
QUICK = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m"  # many small jobs: Java need not optimise them
SPARK_HOME = Path(pyspark.__file__).parent
ENVIRONMENT = {
    **os.environ,
    "SPARK_HOME": str(SPARK_HOME),
    "SPARK_LOCAL_IP": "127.0.0.1",
    "PYSPARK_PYTHON": sys.executable,
    "PYSPARK_DRIVER_PYTHON": sys.executable,
}


@pytest.fixture(scope="module")
def featured(landed) -> Settings:
    """The sample with the features of its day, by DuckDB."""
    settings = replace(copy_of(landed, "featured"), models=FAMILIES)
    warehouse.staging(settings, RUN)
    warehouse.features(settings, RUN)
    return settings


@dataclass(frozen=True)
class Cluster:
    """A running master: where applications go, and what it says of itself."""

    address: str
    pages: str

    def state(self) -> dict:
        with urllib.request.urlopen(f"{self.pages}/json/", timeout=5) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    """A master with one worker of two cores."""
    folder = tmp_path_factory.mktemp("cluster")
    port, pages, worker_pages = free_ports(3)
    made = Cluster(f"spark://127.0.0.1:{port}", f"http://127.0.0.1:{pages}")
    here = ["--host", "127.0.0.1"]
    with ExitStack() as running:
        master = ["master.Master", *here, "--port", str(port), "--webui-port", str(pages)]
        worker = ["worker.Worker", *here, "--cores", "2", "--memory", "1g", "--webui-port", str(worker_pages)]
        for words in (master, [*worker, made.address]):
            running.enter_context(server(words, folder))
        wait_for_worker(made, seconds=60)
        yield made


def free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def server(words: list[str], folder: Path) -> Iterator[None]:
    command = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{words[0]}", *words[1:]]
    environment = {**ENVIRONMENT, "SPARK_WORKER_DIR": str(folder / "work"), "SPARK_LOG_DIR": str(folder)}
    with (folder / f"{words[0]}.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for_worker(cluster: Cluster, seconds: int) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if cluster.state()["aliveworkers"] == 1:
                return
        except OSError:
            pass  # the master is not up yet
        time.sleep(0.2)
    raise AssertionError(f"no worker after {seconds} s")


def submit(settings: Settings, cluster: Cluster) -> None:
    """`spark-submit` of the word `models`, on the home of `settings`."""
    config = settings.home.root / "huaxiang.yml"
    said = settings.config.read_text().splitlines()
    lines = [line for line in said if not line.startswith("models:")]
    config.write_text("\n".join([*lines, f"models: [{', '.join(settings.models)}]"]))
    (settings.home.root / "sources").symlink_to(settings.sources_dir)
    done = subprocess.run(
        [
            *(str(SPARK_HOME / "bin" / "spark-submit"), "--master", cluster.address, "--executor-memory", "512m"),
            *("--driver-java-options", QUICK, "--conf", f"spark.executor.extraJavaOptions={QUICK}"),
            *("--conf", "spark.driver.host=127.0.0.1", str(PROJECT / "scripts" / "submit_models.py")),
            *("--as-of", str(RUN.as_of)),
        ],
        env={**ENVIRONMENT, "HUAXIANG_HOME": str(settings.home.root), "HUAXIANG_CONFIG": str(config)},
        cwd=settings.home.root,
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def tables(settings: Settings) -> dict[str, str]:
    """Content hash of every table that the models wrote."""
    build = settings.home.build(RUN.id)
    paths = [build / table for family in FAMILIES for table in families.tables_of(family)]
    return {path.name: content_hash(path) for path in paths if path.exists()}


def test_a_cluster_finds_and_scores_the_same_models_as_one_process(spark, featured, cluster) -> None:
    alone, together = copy_of(featured, "alone"), copy_of(featured, "together")
    models.score(alone, RUN)
    submit(together, cluster)
    assert tables(together) == tables(alone)
    assert "customer_segments.parquet" in tables(alone)
    assert families.left_out(together.home.build(RUN.id)) == families.left_out(alone.home.build(RUN.id))
    assert [app["state"] for app in cluster.state()["completedapps"]] == ["FINISHED"]
