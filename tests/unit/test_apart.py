"""Which families work in the second process: by what they need, not by chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from huaxiang.models import apart
from huaxiang.settings import Run

RUN = Run(date(2024, 4, 1), date(2024, 4, 1))
TRAINED = dict.fromkeys(("segments", "recommendations", "scores", "vectors"), ("train", "score"))
SCORED = dict.fromkeys(TRAINED, ("score",))


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """Room for two; of the families segments alone needs Spark, to be trained."""
    monkeypatch.setattr(apart, "_has_room", lambda: True)
    monkeypatch.setattr(apart, "needs_spark", lambda settings, run, name, said: name == "segments" and "train" in said)


def test_what_is_trained_without_spark_works_beside_the_longest_family(settings):
    assert apart.trained_apart(settings, RUN, TRAINED, 24_000) == ("scores", "vectors")


def test_a_small_training_takes_one_process(settings):
    assert apart.trained_apart(settings, RUN, TRAINED, 2_000) == ()


def test_where_the_longest_family_is_not_trained_there_is_one_process(settings):
    assert apart.trained_apart(settings, RUN, TRAINED | {"recommendations": ("score",)}, 24_000) == ()
    assert apart.trained_apart(settings, RUN, {"scores": ("train",)}, 24_000) == ()


def test_a_small_machine_trains_in_one_process(monkeypatch, settings):
    monkeypatch.setattr(apart, "_has_room", lambda: False)
    assert apart.trained_apart(settings, RUN, TRAINED, 24_000) == ()


def test_lists_are_made_beside_the_rest_unless_somebody_needs_spark(settings):
    assert apart.scored_apart(settings, RUN, SCORED) == ("recommendations",)
    assert apart.scored_apart(settings, RUN, SCORED | {"segments": ("train",)}) == ()


@pytest.mark.slow
def test_a_family_that_fails_in_the_second_process_is_named_with_its_reason(settings):
    """Both processes are real; no model is pinned, so both families say that they have none."""
    from huaxiang.beside import second_process
    from huaxiang.steps import StepLog
    from spark_jobs.session import LazySession

    settings = replace(settings, models=("categories", "vectors"), pinned_models={})
    actions = dict.fromkeys(settings.models, ("score",))
    begun: list[str] = []
    spark = LazySession(settings.home.warehouse, settings.home.logs / "spark.log")
    with second_process() as beside:
        said = dict(apart.worked(spark, settings, RUN, StepLog("models"), actions, ("vectors",), beside, begun.append))
    assert set(said) == {"categories", "vectors"} and all(
        "has been trained yet" in reason for reason in said.values()
    ), said
    assert begun == ["vectors", "categories"]
