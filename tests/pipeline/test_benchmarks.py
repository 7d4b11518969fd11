"""The benchmarks run on a little data. What they measure is not judged here: times are no tests."""

import json
import math
import subprocess
import sys

import pytest

from benchmarks.pair import DifferentResults, Pair, Side, measure
from huaxiang.settings import PROJECT


@pytest.mark.slow
def test_every_pair_gives_a_finite_ratio_and_both_sides_the_same_result(tmp_path):
    figures = tmp_path / "figures.json"
    said = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--tiny", "--json", str(figures)],
        cwd=PROJECT,
        text=True,
        capture_output=True,
        timeout=900,
    )
    assert said.returncode == 0, said.stderr
    found = json.loads(figures.read_text())
    assert [one["name"] for one in found] == [
        "landing", "increment", "dbt", "merged", "merged/ev", "exact", "day 360", "one day", "declared", "k-means",
        "pairs",
    ]  # fmt: skip
    for one in found:
        assert math.isfinite(one["ratio"]) and one["ratio"] > 0
        assert f"\n{one['name']}" in said.stdout


def test_a_pair_whose_sides_differ_is_refused_and_says_what_they_gave():
    pair = Pair("sum", Side("ours", lambda: 3), Side("theirs", lambda: 4), "nothing", repeats=1)
    with pytest.raises(DifferentResults, match="sum: ours gave 3, theirs 4"):
        measure(pair)


def test_each_side_is_prepared_and_done_as_often_as_said():
    done = []
    pair = Pair(
        "order",
        Side("ours", lambda: done.append("ours"), lambda: done.append("prepare ours")),
        Side("theirs", lambda: done.append("theirs")),
        "nothing",
        repeats=2,
    )
    found = measure(pair)
    assert done == ["prepare ours", "ours", "theirs", "theirs", "prepare ours", "ours"]
    assert (len(found.ours), len(found.reference)) == (2, 2)
