"""Customers unlike everybody, planted among invented and among real households; no engine but DuckDB."""

import json
from dataclasses import asdict

import duckdb
import numpy as np
import pandas as pd
import pytest

from benchmarks import businesses
from benchmarks.outliers import found_by
from spark_jobs.segments import outliers
from spark_jobs.segments.params import OutlierParams

PARAMS = OutlierParams()


def households(count: int = 400, seed: int = 1) -> pd.DataFrame:
    """Households around ten orders of eight lines at 3 EUR; each differs by a third or so in everything."""
    noise = np.exp(np.random.default_rng(seed).normal(0, 0.3, (count, 4)))
    lines = 80 * noise[:, 0]
    return pd.DataFrame(
        {
            "customer_id": [f"h{number}" for number in range(count)],
            "order_count_91d": 10 * noise[:, 1],
            "basket_lines_mean": 8 * noise[:, 2],
            "line_count": lines,
            "net_spend": 3 * noise[:, 3] * lines,
        }
    )


def with_one(table: pd.DataFrame, **figures: float) -> pd.DataFrame:
    usual = table.drop(columns="customer_id").median().to_dict()
    return pd.concat([table, pd.DataFrame([{"customer_id": "x", **usual, **figures}])], ignore_index=True)


def test_a_customer_far_from_all_is_told_with_the_figures_that_are_far():
    table = with_one(households(), net_spend=80 * 60.0, line_count=80.0)
    crowd = outliers.learn(table, PARAMS)
    found = outliers.judged(table, crowd, PARAMS, "EUR")
    last = found.iloc[-1]
    assert last["is_outlier"] and last["outlier_score"] > 1
    [low, high] = np.quantile(households()["net_spend"] / households()["line_count"], [0.01, 0.99])
    assert last["outlier_reason"].startswith("net spend per line 60.00 EUR, usual ")
    assert crowd.usual[2].low == pytest.approx(low, rel=0.1) and crowd.usual[2].high == pytest.approx(high, rel=0.1)
    usual = found[~found["is_outlier"]]
    assert len(usual) > 0.95 * len(table)
    assert usual["outlier_reason"].isna().all() and (usual["outlier_score"] <= 1).all()


def test_strange_customers_who_are_like_each_other_are_no_crowd():
    strange = households(30).assign(customer_id=[f"x{number}" for number in range(30)])
    strange["net_spend"] *= 30
    table = pd.concat([households(), strange], ignore_index=True)
    found = outliers.judged(table, outliers.learn(table, PARAMS), PARAMS, "EUR")
    assert found["is_outlier"].tail(30).all()


def test_a_middle_stands_for_at_least_five_customers_and_for_none():
    table = households()
    crowd = outliers.learn(table, PARAMS)
    assert 10 < len(crowd.middles) <= len(table) / 10
    customers = outliers._points(outliers.figures(table), crowd.usual, PARAMS)
    assert not {tuple(row) for row in customers} & set(crowd.middles)
    assert "h1" not in json.dumps(asdict(crowd))


def test_scores_do_not_hang_on_the_order_or_on_who_else_is_scored():
    table = households()
    crowd = outliers.learn(table, PARAMS)
    assert outliers.from_said(json.loads(json.dumps(asdict(crowd)))) == crowd
    whole = outliers.judged(table, crowd, PARAMS, "EUR").set_index("customer_id")
    part = outliers.judged(table.sample(50, random_state=3), crowd, PARAMS, "EUR").set_index("customer_id")
    pd.testing.assert_frame_equal(part, whole.loc[part.index])


def test_a_figure_that_is_not_known_counts_as_usual():
    table = households()
    crowd = outliers.learn(table, PARAMS)
    assert not outliers.judged(with_one(table, net_spend=np.nan), crowd, PARAMS, "")["is_outlier"].iloc[-1]


@pytest.mark.parametrize(
    "table", [households(20), households()[["customer_id", "order_count_91d"]], households().assign(order_count_91d=3.0)
              .drop(columns=["basket_lines_mean"])], ids=["few", "one figure", "one that differs"]
)  # fmt: skip
def test_without_enough_to_learn_from_nobody_is_said_to_be_unlike(table):
    assert outliers.learn(table, PARAMS) is None
    found = outliers.judged(table, None, PARAMS, "")
    assert found["is_outlier"].isna().all() and found["outlier_reason"].isna().all()


@pytest.fixture(scope="module")
def real():
    with duckdb.connect() as connection:
        businesses.read(connection)
        yield connection


@pytest.mark.parametrize("seed", range(3))
def test_planted_businesses_are_found_among_the_real_households(real, seed):
    real.execute(f"delete from lines where starts_with(customer_id, '{businesses.PREFIX}')")
    businesses.plant(real, 25, seed)
    recall, noise, baseline = found_by(businesses.figures(real))
    print(f"recall {recall:.2f}, households unlike everybody {noise:.1%}, baseline {baseline:.2f}")
    assert recall >= 0.9 > baseline
    assert noise < 0.025
