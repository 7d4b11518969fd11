"""The models step and a training on a real sample while MLflow is away, and when Spark's Java process is killed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from huaxiang import families, models, tracking, warehouse
from huaxiang.cli import TRY_AGAIN
from huaxiang.errors import MlflowAway
from huaxiang.models import candidates
from huaxiang.models.shadow import shadow
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Servers, Settings
from huaxiang.tracking import mlflow_store, spool
from tests.faults.mlflow_stubs import refusing
from tests.spark.conftest import SAMPLE_DAY, copy_of

pytestmark = [pytest.mark.spark, pytest.mark.dbt, pytest.mark.slow, pytest.mark.faults]

RUN = Run(SAMPLE_DAY, SAMPLE_DAY)
# `huaxiang models`, which has to train first and whose Java process is killed when it begins to fit.
DIES = """
import os, signal, sys
from pyspark import SparkContext
from huaxiang import cli
from spark_jobs.segments import training
fit = training.fit
def dying(*arguments):
    os.kill(SparkContext._active_spark_context._gateway.proc.pid, signal.SIGKILL)
    return fit(*arguments)
training.fit = dying
sys.exit(cli.main(["models", "--as-of", sys.argv[1]]))
"""


@pytest.fixture(scope="module")
def featured(landed) -> Settings:
    """The sample with the features of its day and one family of models switched on; nothing was trained."""
    settings = copy_of(landed, "without_mlflow", models=("segments",))
    warehouse.staging(settings, RUN)
    warehouse.features(settings, RUN)
    return settings


@pytest.fixture(scope="module")
def scored(spark, featured) -> Settings:
    """The same home after a models step with MLflow: trained, then scored."""
    settings = copy_of(featured, "with_mlflow")
    models.score(settings, RUN)
    return settings


def without_mlflow(settings: Settings, address: str) -> Settings:
    return replace(settings, servers=Servers(mlflow=address))


def tables(settings: Settings) -> dict[str, str]:
    """Content hash of every table that the models wrote."""
    build = settings.home.build(RUN.id)
    return {path: content_hash(build / path) for path in families.tables_of("segments") if (build / path).exists()}


def versions(settings: Settings) -> list[str]:
    mlflow_store.ask_again(settings)
    return [one.version for one in tracking.connect(settings).MlflowClient().search_model_versions("name = 'segments'")]


def test_the_day_is_scored_with_the_champion_last_known_and_gives_the_same_tables(scored, capsys):
    wanted = tables(scored)
    assert len(wanted) == 3
    for path in wanted:
        (scored.home.build(RUN.id) / path).unlink()
    with refusing() as address:
        models.score(without_mlflow(scored, address), RUN)
    assert tables(scored) == wanted
    said = capsys.readouterr().out
    assert "MLflow does not answer: scored with segments version 1, kept in champions/segments/1" in said
    facts = json.loads((scored.home.build(RUN.id) / "steps.jsonl").read_text().splitlines()[-1])["facts"]
    assert facts["MLflow"] == "away (connection refused)"
    assert list(map(str, versions(scored))) == ["1"] and spool.entries(scored) == []


def test_without_mlflow_a_family_that_was_never_trained_is_left_out_and_a_training_waits(
    spark, featured, scored, capsys
):
    home = copy_of(featured, "never_trained")
    with refusing() as address:
        away = without_mlflow(home, address)
        models.score(away, RUN)
        reason = families.left_out(home.home.build(RUN.id))["segments"]
        assert reason.startswith("no champion of segments is kept in this home, and MLflow does not answer")
        assert spool.entries(home) == []  # it did not train instead

        for _ in range(2):  # Airflow tries again: what was trained is not trained twice
            with pytest.raises(MlflowAway, match=r"\(connection refused\), so nothing is promoted.*\(segments\) waits"):
                models.train(away, RUN)
        assert [entry.about for entry in spool.entries(home)] == [f"segments, trained up to {SAMPLE_DAY}"]
        assert "trained by an earlier call already: segments" in capsys.readouterr().out
    assert tracking.champion(home, "segments") is None  # MLflow is back and knows of nothing

    models.score(home, RUN)
    said = capsys.readouterr().out
    assert f"MLflow has now the training of segments, trained up to {SAMPLE_DAY}; version 1 is the champion" in said
    assert "trained first" not in said
    assert tables(home) == tables(scored)
    assert families.left_out(home.home.build(RUN.id)) == {}
    assert list(map(str, versions(home))) == ["1"] and spool.entries(home) == []


def test_a_candidate_is_tried_on_the_day_beside_the_champion_and_scores_once_it_is_promoted(spark, scored):
    home = copy_of(scored, "candidate")
    wanted, week_before = tables(home), SAMPLE_DAY - timedelta(days=7)
    models.train(replace(home, holds_candidates=True), Run(week_before, week_before))
    shadow(home, RUN)
    [tried] = candidates.waiting(home)
    assert (tried.version.version, tried.against, tried.shadow) == ("2", "version 1", "passed")
    assert "% of customers in the same segment" in tried.evidence
    assert tables(home) == wanted  # nobody saw it
    assert not (home.home.root / "shadow").exists() and not (home.home.root / "shadow_build").exists()

    candidates.promote(home, RUN)
    models.score(home, RUN)
    card = json.loads((home.home.build(RUN.id) / "segments" / "model.json").read_text())
    assert (card["version"], card["training_as_of"]) == ("2", str(week_before))


def test_when_java_is_killed_the_step_asks_to_be_run_again_and_then_gives_the_same_tables(featured, scored, tmp_path):
    wanted = tables(scored)
    home = copy_of(featured, "java_killed")
    config = tmp_path / "huaxiang.yml"
    config.write_text(re.sub(r"models: \[.*?\]", "models: [segments]", home.config.read_text()))
    (tmp_path / "sources").symlink_to(home.sources_dir)
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(SAMPLE_DAY)],
        env={**os.environ, "HUAXIANG_HOME": str(home.home.root), "HUAXIANG_CONFIG": str(config)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == TRY_AGAIN, done.stderr[-2000:]
    assert "Spark stopped while it worked" in done.stderr and "run the step again" in done.stderr
    assert tables(home) == {} and versions(home) == []
    models.score(home, RUN)
    assert tables(home) == wanted
    assert families.left_out(home.home.build(RUN.id)) == {}
