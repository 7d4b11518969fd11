"""Measure every pair: `python -m benchmarks`. Nothing is kept but what is asked for."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import home, of_features, of_spark, of_sql, write
from benchmarks.pair import Measured, Pair, measure
from huaxiang.settings import PROJECT


def main() -> None:
    """Print a line per pair, as soon as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="so little data that the times say nothing: only to try it")
    parser.add_argument("--write", action="store_true", help="write docs/explanation/benchmarks.md and its picture")
    parser.add_argument("--note", default="", help="a sentence for that page, on the machine")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to FILE")
    said = parser.parse_args()
    size = home.TINY if said.tiny else home.FULL
    print(f"{size}\npair       ratio of medians [least, most]   seconds of ours / reference", flush=True)
    found: list[Measured] = []
    with tempfile.TemporaryDirectory() as folder:
        for pair in _pairs(Path(folder), size):
            # What is only tried needs no warm-up: nobody reads the times.
            found.append(measure(replace(pair, warm_up=False) if said.tiny else pair))
            print(write.line(found[-1]), flush=True)
    if said.json:
        said.json.write_text(write.as_json(found), encoding="utf-8")
    if said.write:
        write.documents(found, size, said.note, PROJECT / "docs")


def _pairs(folder: Path, size: home.Size) -> Iterator[Pair]:
    from huaxiang import warehouse
    from spark_jobs.session import session

    settings, today = home.prepare(folder, size)
    yield of_sql.landing_pair(settings, today, size)
    yield of_sql.increment_pair(settings, today, size)
    yield of_sql.dbt_pair(settings, today, size)
    with home.quietly():
        warehouse.staging(settings, today)
        warehouse.features(settings, today)
    yield from of_features.pairs(settings, today, size, folder / "features")
    began = time.perf_counter()
    spark = session(folder / "spark", folder / "spark.log")
    spark.range(1).count()
    print(f"(Spark's session took {time.perf_counter() - began:.1f} s to start, in none of the figures)", flush=True)
    yield of_spark.kmeans_pair(spark, size)
    yield of_spark.pairs_pair(spark, settings, today, size)
    spark.stop()


if __name__ == "__main__":
    main()
