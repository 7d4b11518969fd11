"""F34: a Spark worker lost in the middle of the models step, every task tried twice: the same tables all the same."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from faults.cluster import Cluster, cluster, ended_well, submitting, wait_for
from faults.trial import Folder, Trial
from huaxiang import families, landing, lease, models, warehouse
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.simulate import simulate
from huaxiang.tables import Home

FAMILIES = ("segments", "recommendations")  # whose work is spread over a cluster
DAY = date(2017, 11, 30)
# A task counts as slow, and is begun a second time elsewhere, as soon as it takes longer than the half of the others.
_EAGER = ("spark.speculation=true", "spark.speculation.multiplier=1.0", "spark.speculation.quantile=0.1",
          "spark.speculation.interval=10ms", "spark.speculation.minTaskRuntime=0ms")  # fmt: skip


def spark_workers(options: Folder) -> Iterator[Trial]:
    """The models of 200 customers in one process, then on two workers: one is lost early or late; speculation."""
    home = featured(options.folder)
    alone = _copy(home, "alone")
    models.score(alone, Run(DAY, DAY))
    wanted = tables(alone)
    for seconds in (2, 12, 25):
        together = _copy(home, f"lost-after-{seconds}")
        with cluster(options.folder / f"cluster-{seconds}", workers=2, cores=1) as spark:
            submitted = submitting(together, spark, str(DAY))
            wait_for(partial(_has_begun, spark), "the application to begin", 120)
            time.sleep(seconds)
            spark.lose(0)
            is_running = submitted.poll() is None
            ended_well(submitted)
        yield Trial("F34 Spark worker lost", f"after {seconds} s", is_running and tables(together) == wanted)
    together = _copy(home, "speculation")
    with cluster(options.folder / "cluster", workers=2, cores=1) as spark:
        ended_well(submitting(together, spark, str(DAY), *(word for one in _EAGER for word in ("--conf", one))))
    yield Trial("F34 speculation", "every slow task is begun twice", tables(together) == wanted)


def _has_begun(spark: Cluster) -> bool:
    return bool(spark.state()["activeapps"])


def featured(folder: Path) -> Settings:
    """200 real households and 60 days, up to their features."""
    settings = replace(load_settings(), home=Home(folder / "home"), inbox=folder / "inbox", models=FAMILIES)
    simulate(settings, "complete_journey", DAY, since=date(2017, 10, 2), customers=200)
    run = Run(DAY, DAY)
    with lease.hold(settings, "landing"):
        lease.begin(settings, run)
        landing.land(settings, run)
    warehouse.staging(settings, run)
    warehouse.features(settings, run)
    return settings


def tables(settings: Settings) -> dict[str, str]:
    """Content hash of every table that the models wrote, and the names of all files there."""
    build = settings.home.build(str(DAY))
    files = sorted(path for family in FAMILIES for path in (build / family).rglob("*") if path.is_file())
    tables = {build / table for family in FAMILIES for table in families.tables_of(family)}
    return {str(path.relative_to(build)): content_hash(path) if path in tables else "" for path in files}


def _copy(settings: Settings, name: str) -> Settings:
    root = settings.home.root.with_name(name)
    shutil.copytree(settings.home.root, root)
    return replace(settings, home=Home(root))
