"""What a customer does not want to be recommended reaches the models from the day on that it holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import duckdb
import pytest

from huaxiang import warehouse
from huaxiang.settings import Run
from tests.dbt.small_home import DAY, NEXT, small_shop

pytestmark = pytest.mark.dbt


def test_a_suppression_is_handed_to_the_models_from_its_day_on(settings) -> None:
    shop, run = small_shop(settings), Run(NEXT, NEXT)
    shop.land(
        "suppressions",
        NEXT,
        [
            {"customer_id": "anna", "product_id": "p1", "suppressed_on": DAY},
            {"customer_id": "ben", "product_id": "p2", "suppressed_on": date(2026, 2, 9)},
        ],
    )
    settings = replace(shop.settings, models=("recommendations",))
    warehouse.staging(settings, run)
    warehouse.features(settings, run)
    handed_over = settings.home.inputs(run.id) / "suppressions.parquet"
    assert duckdb.execute(f"from '{handed_over}'").fetchall() == [("anna", "p1")]
