"""What a family cached is let go when it ends, however it ends."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import pandas as pd
import pytest

from huaxiang.errors import HuaxiangError
from huaxiang.models import jobs
from huaxiang.settings import Run
from huaxiang.steps import StepLog
from spark_jobs.session import LazySession

pytestmark = pytest.mark.spark

RUN = Run(date(2024, 4, 1), date(2024, 4, 1))


def test_rows_cached_by_a_family_that_failed_are_not_given_to_the_next_try(spark, settings, tmp_path, monkeypatch):
    file = tmp_path / "features.parquet"

    def train(spark, settings, run, log):
        rows = spark.read.parquet(str(file)).cache()
        raise HuaxiangError(f"{rows.count()} rows are too few")

    monkeypatch.setattr(jobs, "job", lambda name: SimpleNamespace(train=train))
    session = LazySession(tmp_path / "warehouse", tmp_path / "spark.log")
    session.started = spark
    for count in (1, 2):
        pd.DataFrame({"customer_id": ["anna", "ben"][:count]}).to_parquet(file)
        reason = jobs.tried(session, settings, RUN, StepLog("models"), "segments", ("train",))
        assert reason == f"{count} rows are too few"
