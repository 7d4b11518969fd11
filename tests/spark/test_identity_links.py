"""Probable links are the same on both engines, and a fit comes out as before: 500 of FEBRL's people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from huaxiang.identity import connect, known, likeness
from huaxiang.identity.policy import load_policy
from huaxiang.settings import load_settings
from huaxiang.simulate import febrl
from huaxiang.simulate.drops import Sample
from huaxiang.tables import Home

pytestmark = [pytest.mark.spark, pytest.mark.slow]


def test_both_engines_find_the_same_links_with_the_same_confidence(spark: Any, tmp_path: Path) -> None:
    settings = replace(load_settings(), home=Home(tmp_path), sources=("crm",), models=())
    settings.home.warehouse.mkdir()
    policy = load_policy(settings)
    with connect() as connection:
        febrl.drops("crm", connection, tmp_path, date(2026, 1, 5), Sample(customers=500))
        connection.execute(
            "create table known as select system as source_name, number as customer_id, what as kind, said as cleaned,"
            " load_date as since, load_date as last_seen, 1 as last_row from delivered"
        )
        assert known.described(connection, policy) > 1000
        model = likeness.fit(connection, policy, 1)
        assert likeness.fit(connection, policy, 1) == model
        found = {
            engine: likeness.probable_links(connection, settings, policy, model, engine)
            for engine in ("duckdb", "spark")
        }
    assert len(found["duckdb"]) > 1000
    assert found["spark"] == found["duckdb"]
