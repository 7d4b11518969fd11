"""How far features and scores have moved: the index by hand, bands, and a reference that travels with the releases."""

from __future__ import annotations

import json
import shutil
from datetime import date

import duckdb
import pytest

from huaxiang.drift import bands, daily, stability
from huaxiang.settings import Run, Settings

MONDAY, TUESDAY, WEDNESDAY = (Run(date(2024, 4, day), date(2024, 4, day)) for day in (1, 2, 3))


def test_the_index_is_the_sum_of_differences_times_the_logarithm_of_ratios():
    # (.9 - .5) ln(.9 / .5) + (.1 - .5) ln(.1 / .5) = .4 x .587787 + .4 x 1.609438
    assert stability.index((0.5, 0.5), (0.9, 0.1)) == pytest.approx(0.87889, abs=1e-5)
    assert stability.index((0.9, 0.1), (0.5, 0.5)) == pytest.approx(0.87889, abs=1e-5)
    assert stability.index((0.2, 0.8), (0.2, 0.8)) == 0
    assert [stability.status(psi) for psi in (0.0999, 0.1, 0.2499, 0.25)] == ["steady", "moving", "moving", "moved"]


def test_an_empty_band_makes_a_large_index_and_not_an_infinite_one():
    # the empty one counts as .0001: (.0001 - .5) ln(.0001 / .5) + (1 - .5) ln(1 / .5)
    assert stability.index((0.5, 0.5), (0.0, 1.0)) == pytest.approx(4.60432, abs=1e-5)


def test_bands_end_at_the_deciles_and_what_has_no_value_is_a_band():
    with duckdb.connect() as connection:
        connection.execute("create table t as select range as plain, nullif(range % 2, 0) as odd from range(1, 101)")
        found = bands.edges(connection, "t", ["plain", "odd"])
        assert found == {"plain": [10, 20, 30, 40, 50, 60, 70, 80, 90], "odd": [1]}
        assert bands.shares(connection, "t", found) == {"plain": (0.1,) * 10 + (0,), "odd": (0.5, 0, 0.5)}
        connection.execute("create table empty as select * from t where false")
        assert bands.shares(connection, "empty", {"odd": [1]}) == {"odd": (0, 0, 0)}


def build(settings: Settings, run: Run, orders: str, fingerprint: str = "f1") -> dict[str, daily.Drift]:
    """A day's build with 100 customers, `n` from 1 on: `orders` of the last 28 days, and a score of staying away."""
    folder = settings.home.build(run.id)
    for part in ("features", "scores"):
        (folder / part).mkdir(parents=True)
    (folder / "scores" / "model.churn_28d.json").write_text(
        json.dumps({"model": "churn_28d", "fingerprint": fingerprint})
    )
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select 'c' || n as customer_id, date '{run.as_of}' as as_of, {orders} as order_count_28d,"
            f" n * 10 as tenure_days from range(1, 101) as t(n)) to '{folder}/features/customer_features.parquet'"
        )
        connection.execute(
            "copy (select 'c' || n as customer_id, 'churn_28d' as target, '' as category, n / 100 as probability"
            f" from range(1, 101) as t(n)) to '{folder}/scores/customer_scores.parquet'"
        )
    daily.measure(settings, run)
    return {one.name: one for one in daily.read(folder)}


def release(settings: Settings, run: Run) -> None:
    folder = settings.home.release(f"{run.as_of}-x")
    shutil.copytree(settings.home.build(run.id), folder)
    said = {"as_of": str(run.as_of), "known_at": str(run.known_at), "fence": 1, "inputs": {}, "tables": {}}
    (folder / "MANIFEST.json").write_text(json.dumps(said))


def test_a_planted_drift_is_seen_on_its_first_day_against_the_day_the_models_came_into_use(settings):
    first = build(settings, MONDAY, "n")
    assert sorted(first) == ["churn_28d", "order_count_28d"]  # tenure grows every day, so it is not watched
    assert {one.status for one in first.values()} == {"steady"}
    release(settings, MONDAY)
    second = build(settings, TUESDAY, "n")
    assert (second["order_count_28d"].psi, second["order_count_28d"].reference_on) == (0, "2024-04-01")
    release(settings, TUESDAY)

    third = build(settings, WEDNESDAY, "case when n <= 50 then 1 else n end")  # half of them stop buying
    moved = third["order_count_28d"]
    # of ten equal bands four are empty now and the first holds half: 4 x .0999 ln(.1 / .0001) + .4 ln(.5 / .1)
    assert (moved.status, moved.reference_on) == ("moved", "2024-04-01")
    assert moved.psi == pytest.approx(4 * 0.0999 * 6.907755 + 0.4 * 1.609438, abs=1e-4)
    assert third["churn_28d"].status == "steady"


def test_other_models_begin_with_a_reference_of_their_own(settings):
    build(settings, MONDAY, "n")
    release(settings, MONDAY)
    after = build(settings, TUESDAY, "case when n <= 50 then 1 else n end", fingerprint="f2")
    assert {(one.psi, one.reference_on) for one in after.values()} == {(0, "2024-04-02")}
