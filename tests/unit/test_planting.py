"""Businesses planted at a training: what they are like, whom the baseline calls, and that a blind model is caught."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from spark_jobs.segments import outliers, planting
from spark_jobs.segments.params import OutlierParams

PARAMS = replace(OutlierParams(), planted_draws=3)


def households(count: int = 400) -> pd.DataFrame:
    """Households around ten orders of eight lines at 3 EUR over a year; each differs by a third or so in everything."""
    noise = np.exp(np.random.default_rng(1).normal(0, 0.3, (count, 6)))
    orders = 40 * noise[:, 0]
    return pd.DataFrame(
        {
            "tenure_days": 364.0,
            "recency_days": 9 * noise[:, 1],
            "order_count": orders,
            "order_count_91d": orders / 4,
            "basket_lines_mean": 8 * noise[:, 2],
            "line_count": orders * 8 * noise[:, 2],
            "net_spend": orders * 24 * noise[:, 2] * noise[:, 3],
            "gap_days_mean": 364 / orders,
            "gap_days_std": 250 * noise[:, 4] / orders,
            "category_count": 60 * noise[:, 5],
        }
    )


def test_a_planted_business_orders_as_it_says_it_does() -> None:
    found = planting.businesses(households(), 200, np.random.default_rng(2), PARAMS)
    assert found["gap_days_mean"].between(1.5, 7.6).all() and found["category_count"].between(3, 24).all()
    assert found["basket_lines_mean"].between(4, 42).all()
    np.testing.assert_allclose(found["line_count"] / found["order_count"], found["basket_lines_mean"])
    usual = np.median(households()["net_spend"] / households()["line_count"])
    assert (found["net_spend"] / found["line_count"] / usual).between(1, 4).all()
    days = found["gap_days_mean"] * (found["order_count"] - 1)
    assert days.between(0.45 * 364, 1.2 * 364).all()


def test_the_baseline_calls_as_many_customers_and_those_farthest_from_the_mean() -> None:
    customers = pd.DataFrame({"recency_days": 5.0, "order_count": 3.0, "net_spend": [1, 2, 3, 4, 90, 95, 2.5]})
    found = np.array([True, False, False, False, False])  # one of the first five; the last two are planted
    assert planting.called(customers, found).tolist() == [False, False, False, False, True, True, False]
    assert planting.called(customers, np.zeros(5, dtype=bool)).tolist() == [False] * 5 + [True, False]


def test_planted_businesses_are_found_where_the_baseline_passes_many_over() -> None:
    said = planting.judge(households(), PARAMS)
    assert said["outlier_recall"] > 0.9 > said["baseline_outlier_recall"]
    assert said["outlier_recall_gain"] == pytest.approx(
        said["outlier_recall"] - said["baseline_outlier_recall"], abs=1e-5
    )
    assert said["outlier_recall_gain_low"] > 0
    assert said == planting.judge(households(), PARAMS)


def test_a_model_that_has_gone_blind_loses_to_the_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    """It calls the first customers, whoever they are, as many as before."""
    judged = outliers.judged

    def blind(table, crowd, params, currency):
        found = judged(table, crowd, params, currency)
        number = int(found["is_outlier"].sum())
        return found.assign(is_outlier=np.arange(len(found)) < number)

    monkeypatch.setattr(outliers, "judged", blind)
    said = planting.judge(households(), PARAMS)
    assert said["outlier_recall"] == 0
    assert said["outlier_recall_gain_high"] < 0


@pytest.mark.parametrize("customers", [households(20), households().drop(columns="net_spend")], ids=["few", "no spend"])
def test_without_enough_to_plant_among_nothing_is_said(customers: pd.DataFrame) -> None:
    assert planting.judge(customers, PARAMS) == {}
