"""The portrait model: bundled from real champions, and served by a real `mlflow models serve`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import replace
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from huaxiang import tracking
from huaxiang.settings import Run, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from spark_jobs.scores.params import ScoreParams
from spark_jobs.segments.params import SegmentParams
from tests.spark.small_shop import SmallShop

pytestmark = [pytest.mark.spark, pytest.mark.slow]

DAY = Run(date(2024, 10, 20), date(2024, 10, 20))
SCORES = replace(
    ScoreParams(), cutoffs=7, resamples=20, tree_count=5, least_leaf_rows=20, recipes=("logistic", "boosting"), bins=5
)
SEGMENTS = replace(SegmentParams(), bootstraps=3, bootstrap_starts=2, largest_k=3, fit_starts=1, shapes=())


@pytest.fixture(scope="module")
def home(spark, tmp_path_factory):
    """A home whose segments and scores were trained and scored, and bundled."""
    from spark_jobs.portrait.bundle import bundle
    from spark_jobs.scores import job as scores
    from spark_jobs.segments import job as segments

    settings = replace(load_settings(), home=Home(tmp_path_factory.mktemp("portrait") / "home"), currency="EUR")
    SmallShop.made().put(settings, DAY, scores.snapshot_days(DAY.as_of, SCORES))
    log = StepLog("models")
    assert bundle(settings, DAY) is None  # there is nothing to bundle yet
    for job, params in ((segments, SEGMENTS), (scores, SCORES)):
        job.train(spark, settings, DAY, log, params)
        job.score(spark, settings, DAY, log, params)
    assert bundle(settings, DAY).version == "1"
    return settings


def expected(settings) -> pd.DataFrame:
    """What the day's tables say of every customer, beside the features."""
    build = settings.home.build(DAY.id)
    features = pd.read_parquet(build / "features" / "customer_features.parquet")
    segments = pd.read_parquet(build / "segments" / "customer_segments.parquet")
    scores = pd.read_parquet(build / "scores" / "customer_scores.parquet")
    churn = scores[scores["target"] == "churn_28d"][["customer_id", "probability", "reasons"]]
    return features.merge(segments, on="customer_id").merge(churn, on="customer_id")


def test_a_bundle_is_made_anew_only_when_a_champion_changed(home):
    from spark_jobs.portrait.bundle import bundle

    assert bundle(home, DAY) is None
    client = tracking.connect(home).MlflowClient()
    copied = client.copy_model_version("models:/churn_28d@champion", "churn_28d")
    assert bundle(home, DAY) is None  # registered, but not yet in use
    client.set_registered_model_alias("churn_28d", "champion", copied.version)
    assert bundle(home, DAY).version == "2"
    assert tracking.champion(home, "portrait").version == "2"


def test_a_server_answers_for_one_customer_as_the_daily_run_did(home):
    row = expected(home).iloc[7]
    figures = {
        name: None if pd.isna(value) else float(value)
        for name, value in row.items()
        if isinstance(value, int | float) or hasattr(value, "dtype")
    }
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = home.home.root / "serve.log"
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "-m", "models:/portrait@champion"]
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)],
            env=os.environ
            | {
                "MLFLOW_TRACKING_URI": home.home.mlflow_uri,
                "MLFLOW_DISABLE_TELEMETRY": "true",
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # it looks for uvicorn there
            },
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for(f"{address}/ping", server, log)
            [answer] = asked(f"{address}/invocations", {"dataframe_records": [figures]})["predictions"]
            [other] = asked(f"{address}/invocations", {"dataframe_records": [{"recency_days": 200.0}]})["predictions"]
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)
    assert answer == {
        "segment_id": row["segment_id"],
        "segment_name": row["segment_name"],
        "churn_probability": row["probability"],
        "churn_reasons": row["reasons"],
    }
    assert other["churn_reasons"].startswith("last order 200 days ago")  # what is left out counts as typical


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(address: str, server: subprocess.Popen, log: Path, seconds: float = 180) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    pytest.fail(f"the server did not answer: {log.read_text()[-2000:]}")


def asked(address: str, question: dict) -> dict:
    request = urllib.request.Request(
        address, json.dumps(question).encode(), headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
