"""The one Spark session of a process: started when first used, local unless a master is named."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.errors import HuaxiangError, TryAgain
from huaxiang.tables import SPARK_SCRATCH

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MASTER_VARIABLE = "HUAXIANG_SPARK_MASTER"
_LOG4J = Path(__file__).with_name("log4j2.properties")


class LazySession:
    """Stands for the session of `session`, which it starts when first asked for anything: a step in which nobody uses
    Spark never starts it."""

    def __init__(self, warehouse: Path, log: Path) -> None:
        self._places = warehouse, log
        self.started: SparkSession | None = None

    def start(self) -> SparkSession:
        """The session. Raises as `session` does."""
        if self.started is None:
            self.started = session(*self._places)
        return self.started

    def __getattr__(self, name: str) -> Any:
        return getattr(self.start(), name)


def session(warehouse: Path, log: Path) -> SparkSession:
    """The process's session; the first call starts it. `warehouse` is where Spark may keep tables of its own, `log`
    takes what the Java process says.

    `HUAXIANG_SPARK_MASTER` names another master than `local[2]`, such as `spark://host:7077`; what the cluster asks
    for (memory, its secret) stands in `spark-defaults.conf` of Spark's own `SPARK_CONF_DIR`. Under spark-submit the
    master, the driver's address and its memory are what spark-submit was told.
    Raises HuaxiangError when Java is missing or not a version Spark runs on, or when Spark does not start.
    """
    _require_java()
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    # Spark resolves the machine's name at start; a laptop's name often leads nowhere. In a cluster of several machines
    # SPARK_LOCAL_HOSTNAME, Spark's own variable, is the name by which executors call back.
    host = os.environ.get("SPARK_LOCAL_HOSTNAME", "127.0.0.1")
    os.environ.setdefault("SPARK_LOCAL_IP", host)
    # Python workers need our packages: by default Spark takes whatever python3 is first in the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    master = os.environ.get(MASTER_VARIABLE, "local[2]")
    # On one machine a day's work is many small jobs: without the optimising compiler they take 16 s instead of 23 s.
    # Without it Java also keeps room for 48 MB of compiled code only, and compiles no more once SQL has filled that.
    quick_start = " -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m" if master.startswith("local") else ""
    # What Spark writes while it works is customers' data: it stays in the home, and what a killed session left goes.
    scratch = warehouse.with_name(SPARK_SCRATCH).resolve()  # beside the warehouse, which may be deleted at any time
    is_first = SparkContext._gateway is None and "PYSPARK_GATEWAY_PORT" not in os.environ
    if master.startswith("local") and is_first:  # a second session of a process goes on with the Java that runs
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        quick_start += f' "-Djava.io.tmpdir={scratch}"'
    options = {
        "spark.driver.host": host,
        "spark.driver.bindAddress": host,
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={_LOG4J.as_uri()}{quick_start}",
        "spark.sql.catalogImplementation": "in-memory",  # no Derby files in whatever folder we are in
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": str(warehouse / "spark"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.appName("huaxiang")
    if "PYSPARK_GATEWAY_PORT" in os.environ:  # spark-submit has started Java: what concerns it is decided
        options = {name: value for name, value in options.items() if not name.startswith("spark.driver.")}
    else:
        builder = builder.master(master)
    for name, value in options.items():
        builder = builder.config(name, value)
    with _java_says_into(log), _temporary_files_in(scratch if scratch.exists() else None):
        try:
            return builder.getOrCreate()
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
            raise TryAgain(f"Spark did not start ({reason}): what Java said stands in {log}") from error


@contextmanager
def _java_says_into(log: Path) -> Iterator[None]:
    """The Java process inherits our stderr when it starts, and greets with a page of warnings: let a file have it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    ours = os.dup(2)
    with log.open("a") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(ours, 2)
        os.close(ours)


@contextmanager
def _temporary_files_in(folder: Path | None) -> Iterator[None]:
    """Python's side of Spark waits for Java in a folder of its own, which stays when it is killed meanwhile: let it be
    in the home, where what dead commands left is cleared up.
    """
    before = tempfile.tempdir
    tempfile.tempdir = str(folder) if folder else before
    try:
        yield
    finally:
        tempfile.tempdir = before


def _require_java() -> None:
    from huaxiang.doctor import java

    found = java()
    if not found.is_ok:
        raise HuaxiangError(f"Spark cannot start ({found.found}): {found.next_step}")
