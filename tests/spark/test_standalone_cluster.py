"""The models through spark-submit on a real standalone master and worker: the same tables as in one process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from faults.cluster import Cluster, cluster, ended_well, submitting
from huaxiang import families, models, warehouse
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from tests.spark.conftest import SAMPLE_DAY, copy_of

pytestmark = [pytest.mark.spark, pytest.mark.dbt, pytest.mark.slow, pytest.mark.services]

RUN = Run(SAMPLE_DAY, SAMPLE_DAY)
# The two whose work is spread over a cluster; scores are fitted on the driver, rules are counted in one job.
FAMILIES = ("segments", "recommendations")


@pytest.fixture(scope="module")
def featured(landed) -> Settings:
    """The sample with the features of its day, by DuckDB."""
    settings = replace(copy_of(landed, "featured"), models=FAMILIES)
    warehouse.staging(settings, RUN)
    warehouse.features(settings, RUN)
    return settings


@pytest.fixture(scope="module")
def master(tmp_path_factory) -> Iterator[Cluster]:
    """A master with one worker of two cores."""
    with cluster(tmp_path_factory.mktemp("cluster") / "spark") as made:
        yield made


def tables(settings: Settings) -> dict[str, str]:
    """Content hash of every table that the models wrote."""
    build = settings.home.build(RUN.id)
    paths = [build / table for family in FAMILIES for table in families.tables_of(family)]
    return {path.name: content_hash(path) for path in paths if path.exists()}


def test_a_cluster_finds_and_scores_the_same_models_as_one_process(spark, featured, master) -> None:
    alone, together = copy_of(featured, "alone"), copy_of(featured, "together")
    models.score(alone, RUN)
    ended_well(submitting(together, master, str(RUN.as_of)))
    assert tables(together) == tables(alone)
    assert "customer_segments.parquet" in tables(alone)
    assert families.left_out(together.home.build(RUN.id)) == families.left_out(alone.home.build(RUN.id))
    assert [app["state"] for app in master.state()["completedapps"]] == ["FINISHED"]
