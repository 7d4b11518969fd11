"""What the page of paths tells of visits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pandas as pd

from huaxiang.report import paths
from huaxiang.report.tables import BuildTables
from huaxiang.settings import Run, load_settings
from huaxiang.tables import Home

DAY = date(2024, 1, 31)


def test_a_home_whose_events_have_no_pages_has_visits_and_saw_none(tmp_path):
    settings = replace(load_settings(), home=Home(tmp_path))
    build = settings.home.build(str(DAY))
    for folder in ("profiles", "features"):
        (build / folder).mkdir(parents=True)
    pd.DataFrame({"customer_id": ["a", "b"]}).to_parquet(build / "profiles" / "customer_profiles.parquet")
    pd.DataFrame(
        {
            "customer_id": ["a", "b"],
            "session_count": [1, 2],
            "session_count_28d": [1, 1],
            "session_count_364d": [1, 2],
            "session_steps_mean": [1.0, 4.0],
            "bounce_share": [1.0, 0.0],
            "dwell_seconds_mean": [None, 30.0],
        }
    ).to_parquet(build / "features" / "customer_web_features.parquet")
    with BuildTables(settings, Run(DAY, DAY)) as tables:
        found = paths.visits(tables)
    assert found is not None
    assert (found.visitors, found.visits, found.pages_seen, found.steps_mean) == (2, 3, 0, 3.0)
