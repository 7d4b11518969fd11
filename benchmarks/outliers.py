"""Are planted business buyers found? `python -m benchmarks.outliers`, on all households of The Complete Journey.

Beside the recall stand the share of households that are called unlike everybody too, the recall of a training's
baseline where it calls as many households (`spark_jobs.segments.planting`), and DBSCAN as it comes (distance .5 on
standardised recency, frequency and spend). With `--rows` the same for so many customers, drawn with a little noise from
the households, and the seconds it takes: what is usual is learned from a sample, everybody is scored.
"""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import businesses
from spark_jobs.segments import outliers, planting
from spark_jobs.segments.inputs import drawn_rows
from spark_jobs.segments.params import SegmentParams

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

PARAMS = SegmentParams()
_COUNT, _SEEDS = 25, 10


def main() -> None:
    """Print recall and noise for small and large purchases, of businesses that are few and many."""
    import duckdb

    parser = argparse.ArgumentParser(prog="python -m benchmarks.outliers", description=__doc__)
    parser.add_argument("--rows", type=int, default=0, help="customers to score, for instance 1000000")
    said = parser.parse_args()
    with duckdb.connect() as connection:
        businesses.read(connection)
        households = businesses.figures(connection)
        crowd = outliers.learn(households, PARAMS.outliers)
        assert crowd is not None
        print(f"no business: {_noise(households, crowd):.1%} of {len(households):,} unlike everybody; {crowd.report}")
        businesses.plant(connection, _COUNT, seed=0)
        recall, noise = plain(businesses.figures(connection))
        print(f"plain DBSCAN, {_COUNT} businesses of 6 to 48 units a line: recall {recall:.2f}, households {noise:.1%}")
        for units in ((6, 48), (3, 8), (2, 4), (1, 4)):
            for count in (_COUNT, 10 * _COUNT):
                print(
                    f"{count} businesses of {units[0]} to {units[1]} units a line: {_planted(connection, count, units)}"
                )
    if said.rows:
        print(at_size(households, said.rows))


def _planted(connection: duckdb.DuckDBPyConnection, count: int, units: tuple[float, float]) -> str:
    found = []
    for seed in range(_SEEDS):
        connection.execute(f"delete from lines where starts_with(customer_id, '{businesses.PREFIX}')")
        businesses.plant(connection, count, seed, units)
        found.append(found_by(businesses.figures(connection)))
    recall, noise, baseline = np.array(found).T
    return (
        f"recall {recall.min():.2f} to {recall.max():.2f} over {_SEEDS} seeds, households {noise.mean():.1%}; "
        f"baseline {baseline.min():.2f} to {baseline.max():.2f}"
    )


def found_by(customers: pd.DataFrame) -> tuple[float, float, float]:
    """The share of planted businesses that are found, of households called the same, and of the businesses that the
    baseline finds when it calls as many households; learned with them inside."""
    crowd = outliers.learn(drawn_rows(customers, PARAMS.sample_customers), PARAMS.outliers)
    found = outliers.judged(customers, crowd, PARAMS.outliers, "")["is_outlier"].to_numpy(dtype=bool)
    is_planted = customers["customer_id"].str.startswith(businesses.PREFIX).to_numpy()
    households_first = np.argsort(is_planted, kind="stable")
    called = planting.called(customers.iloc[households_first], found[households_first][: int((~is_planted).sum())])
    return *_shares(customers, found), float(called[is_planted[households_first]].mean())


def plain(customers: pd.DataFrame) -> tuple[float, float]:
    """The same of what DBSCAN calls noise as it comes."""
    from sklearn.cluster import DBSCAN

    values = customers[["recency_days", "order_count", "net_spend"]].to_numpy()
    labels = DBSCAN(eps=0.5).fit((values - values.mean(axis=0)) / values.std(axis=0)).labels_
    return _shares(customers, labels == -1)


def _shares(customers: pd.DataFrame, found: np.ndarray) -> tuple[float, float]:
    is_planted = customers["customer_id"].str.startswith(businesses.PREFIX).to_numpy()
    return float(found[is_planted].mean()), float(found[~is_planted].mean())


def at_size(households: pd.DataFrame, rows: int) -> str:
    """Learn from a sample of `rows` customers and score them all; says the seconds of each."""
    rng = np.random.default_rng(PARAMS.seed)
    many = households.iloc[rng.integers(0, len(households), rows)].reset_index(drop=True)
    figures = [name for name in many.columns if name != "customer_id"]
    many[figures] *= np.exp(rng.normal(0, 0.05, (rows, len(figures))))
    many["customer_id"] = [f"c{number}" for number in range(rows)]
    began = time.perf_counter()
    crowd = outliers.learn(drawn_rows(many, PARAMS.sample_customers), PARAMS.outliers)
    learned = time.perf_counter()
    assert crowd is not None
    noise = _noise(many, crowd)
    scored = time.perf_counter()
    seconds = f"learned in {learned - began:.1f} s, scored in {scored - learned:.1f} s"
    return f"{rows:,} customers: {seconds}, {noise:.1%} unlike everybody"


def _noise(customers: pd.DataFrame, crowd: outliers.Crowd) -> float:
    return float(outliers.judged(customers, crowd, PARAMS.outliers, "")["is_outlier"].mean())


if __name__ == "__main__":
    main()
