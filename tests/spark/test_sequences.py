"""Sequences through real Spark and real MLflow: PrefixSpan beside plain Python, and a planted habit."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import duckdb
import numpy as np
import pandas as pd
import pytest

from huaxiang import tracking
from huaxiang.settings import Run, Settings, load_settings
from huaxiang.steps import StepLog
from huaxiang.tables import Home
from spark_jobs.sequences import job, patterns
from spark_jobs.sequences.params import SequenceParams

pytestmark = pytest.mark.spark

RUN = Run(date(2026, 3, 31), date(2026, 3, 31))
PARAMS = replace(SequenceParams(), bootstraps=50, min_support=0.1)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """120 customers with 12 steps: of five categories by chance, but tea is followed by milk 4 times of 5."""
    rng = np.random.default_rng(7)
    names, found = np.array(["bread", "eggs", "milk", "salt", "tea"]), []
    for customer in range(120):
        last = ""
        for day in range(12):
            is_habit = last == "tea" and rng.random() < 0.8
            last = "milk" if is_habit else str(rng.choice(names))
            found.append((f"c{customer:03d}", "", day, RUN.as_of - timedelta(days=4 * (11 - day)), last))
    return pd.DataFrame(found, columns=["customer_id", "sequence_id", "position", "happened_on", "category"])


def holds(sequence: list[list[str]], pattern: patterns.Pattern) -> bool:
    """Whether the steps of the pattern are in the sequence, in order: the plain definition."""
    place = 0
    for step in sequence:
        if place < len(pattern) and set(pattern[place]) <= set(step):
            place += 1
    return place == len(pattern)


def test_prefixspan_finds_what_plain_python_counts(spark, rows) -> None:
    mined = patterns.mine(spark, rows, PARAMS)
    sequences = patterns.sequences_of(rows)
    names = sorted(rows["category"].unique())
    plain: Counter = Counter()
    for length in (2, 3):
        for pattern in product(names, repeat=length):
            plain[tuple((name,) for name in pattern)] = sum(
                holds(one, tuple((name,) for name in pattern)) for one in sequences
            )
    assert mined.counts == {pattern: count for pattern, count in plain.items() if count >= 12}
    assert mined.sequences == 120


@pytest.fixture(scope="module")
def scored(spark, rows, tmp_path_factory) -> tuple[Settings, dict]:
    root = tmp_path_factory.mktemp("sequences")
    settings = replace(load_settings(), home=Home(root), inbox=root / "inbox", models=("sequences",))
    folder = settings.home.inputs(RUN.id)
    folder.mkdir(parents=True)
    rows.to_parquet(folder / "steps.parquet", index=False)
    log = StepLog("models")
    job.train(spark, settings, RUN, log, PARAMS)
    job.score(spark, settings, RUN, log, PARAMS)
    card = json.loads((settings.home.build(RUN.id) / "sequences" / "model.next_category.json").read_text())
    return settings, card


def test_a_planted_habit_is_found_and_wins(scored) -> None:
    settings, card = scored
    assert card["recipe"] == "markov"
    assert card["metrics"]["log_likelihood_gain_low"] > 0
    assert {one["recipe"]: one["outcome"] for one in card["tried"]} == {
        "frequencies": "lost", "markov": "won", "own": "lost"
    }  # fmt: skip
    build = settings.home.build(RUN.id) / "sequences"
    following = duckdb.execute(
        f"select category, rank from '{build}/customer_next_categories.parquet' where customer_id in "
        f"(select customer_id from '{settings.home.inputs(RUN.id)}/steps.parquet' "
        f"where category = 'tea' and happened_on = date '{RUN.as_of}') and rank = 1"
    ).fetchall()
    assert following and set(following) == {("milk", 1)}
    [(support,)] = duckdb.execute(
        f"select support from '{build}/frequent_sequences.parquet' where sequence = 'tea > milk'"
    ).fetchall()
    assert support > 0.8


def test_every_recipe_is_a_run_and_the_model_answers_by_itself(scored) -> None:
    settings, _ = scored
    import mlflow.pyfunc

    runs = tracking.connect(settings).search_runs(experiment_names=["next_category"])
    assert len(runs) == 4 and "leaderboard" in set(runs["tags.recipe"])
    champion = tracking.champion(settings, "next_category")
    assert champion is not None
    model = mlflow.pyfunc.load_model(str(tracking.model_folder(settings, champion)))
    answer = model.predict(pd.DataFrame({"categories": ["tea", "nothing"]}))
    assert answer["category"].tolist() == ["milk", None]


def test_scoring_twice_writes_equal_bytes(spark, scored) -> None:
    settings, _ = scored
    build = settings.home.build(RUN.id) / "sequences"
    before = {path.name: path.read_bytes() for path in build.glob("*.parquet")}
    job.score(spark, settings, RUN, StepLog("models"), PARAMS)
    assert {path.name: path.read_bytes() for path in build.glob("*.parquet")} == before
