import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

import pytest

from huaxiang.errors import HuaxiangError
from huaxiang.settings import PROJECT
from huaxiang.tables import SPARK_SCRATCH
from spark_jobs.session import session


def test_without_java_the_error_names_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java-here"))
    with pytest.raises(HuaxiangError, match="apt-get install openjdk-17-jre-headless"):
        session(tmp_path, tmp_path / "spark.log")


@dataclass
class Builder:
    """Stands where Spark would start Java: notes what it is told."""

    told: dict = field(default_factory=dict)

    def appName(self, name):
        return self

    def master(self, name):
        return self.config("spark.master", name)

    def config(self, name, value):
        self.told[name] = value
        return self

    def getOrCreate(self):
        return self.told


def told(monkeypatch, tmp_path, **environment) -> dict:
    pytest.importorskip("pyspark")
    for name in ("HUAXIANG_SPARK_MASTER", "SPARK_LOCAL_HOSTNAME", "PYSPARK_GATEWAY_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("pyspark.sql.SparkSession.builder", Builder())
    return session(tmp_path, tmp_path / "spark.log")


def test_without_a_word_spark_runs_inside_the_process_on_this_machine(monkeypatch, tmp_path):
    said = told(monkeypatch, tmp_path)
    assert (said["spark.master"], said["spark.driver.host"]) == ("local[2]", "127.0.0.1")


def test_a_cluster_is_called_by_its_address_and_calls_back_by_the_host_name(monkeypatch, tmp_path):
    said = told(monkeypatch, tmp_path, HUAXIANG_SPARK_MASTER="spark://boss:7077", SPARK_LOCAL_HOSTNAME="driver.shop")
    assert (said["spark.master"], said["spark.driver.host"]) == ("spark://boss:7077", "driver.shop")
    assert "TieredStopAtLevel" not in said["spark.driver.extraJavaOptions"]


def test_spark_submit_decides_on_master_and_driver(monkeypatch, tmp_path):
    said = told(monkeypatch, tmp_path, PYSPARK_GATEWAY_PORT="4711")
    assert [name for name in said if name == "spark.master" or name.startswith("spark.driver")] == []
    assert said["spark.sql.session.timeZone"] == "UTC"


@pytest.mark.spark
def test_who_is_killed_while_java_starts_leaves_nothing_outside_the_home(tmp_path):
    scratch, outside = tmp_path / "home" / SPARK_SCRATCH, tmp_path / "outside"
    outside.mkdir()
    warehouse = tmp_path / "home" / "warehouse"
    start = "import sys, pathlib, spark_jobs.session; spark_jobs.session.session(*map(pathlib.Path, sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-c", start, warehouse, tmp_path / "log"],
        cwd=PROJECT,
        env=os.environ | {"TMPDIR": str(outside)},
        start_new_session=True,
    )
    try:
        until = time.monotonic() + 60
        while not list(scratch.glob("tmp*")) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        assert list(scratch.glob("tmp*")), "Spark's start has no folder of its own in the home"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert list(outside.iterdir()) == []
