"""The models step's frame: a family that fails is left out with its reason and the others go on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest

from huaxiang import families, tracking
from huaxiang.errors import BadConfiguration, HuaxiangError
from huaxiang.models import engines, jobs, scoring
from huaxiang.settings import Run
from huaxiang.steps import StepLog

RUN = Run(date(2024, 4, 1), date(2024, 4, 1))


class Answers:
    """A Spark session that answers."""

    def range(self, _):
        return SimpleNamespace(count=lambda: 1)


class Ended:
    """A Spark session whose Java process has ended."""

    def range(self, _):
        raise ConnectionError("refused")


ALIVE, DEAD, NEVER_STARTED = (SimpleNamespace(started=session) for session in (Answers(), Ended(), None))


def job(error: Exception | None = None):
    def act(*_):
        if error:
            raise error

    return SimpleNamespace(score=act, train=act)


def tried(monkeypatch, settings, error, spark=None):
    monkeypatch.setattr(jobs, "job", lambda name: job(error))
    return jobs.tried(spark or ALIVE, settings, RUN, StepLog("models"), "scores", ("train", "score"))


def test_a_family_that_goes_well_gives_no_reason(monkeypatch, settings):
    assert tried(monkeypatch, settings, None) is None


def test_a_reason_is_the_message_of_our_own_errors_and_only_the_kind_of_others(monkeypatch, settings):
    assert tried(monkeypatch, settings, HuaxiangError("scores: too little data")) == "scores: too little data"
    # another library's message may hold a customer's value
    said = tried(monkeypatch, settings, ValueError("cust-17 is odd"))
    assert said.startswith("ValueError in spark_jobs/scores, a fault of the program: logs/models.log")
    kept = (settings.home.logs / "models.log").read_text()
    assert "in act" in kept and "cust-17" not in kept


def test_when_spark_died_the_step_fails_so_that_it_can_be_retried(monkeypatch, settings):
    with pytest.raises(HuaxiangError, match="Spark stopped while it worked"):
        tried(monkeypatch, settings, ValueError("gone"), spark=DEAD)


def test_a_family_can_fail_though_nobody_started_spark(monkeypatch, settings):
    assert tried(monkeypatch, settings, HuaxiangError("too little data"), spark=NEVER_STARTED) == "too little data"


def test_spark_starts_only_where_an_action_needs_it(monkeypatch, settings):
    started = []
    monkeypatch.setattr("spark_jobs.session.session", lambda *places: started.append(places))
    monkeypatch.setattr(engines, "open_store", lambda settings: None)
    needs = {"train": True, "score": False}
    monkeypatch.setattr(engines, "job", lambda name: SimpleNamespace(needs_spark=lambda *asked: needs[asked[-1]]))
    assert engines.engines(settings, RUN, {"scores": ("score",)}).started is None
    assert started == []
    engines.engines(settings, RUN, {"scores": ("train",)})
    assert len(started) == 1


def test_what_a_failed_family_wrote_is_removed_and_its_reason_stands_there(settings):
    settings = replace(settings, models=("segments", "scores"))
    half = settings.home.build(RUN.id) / "scores" / "customer_scores.parquet"
    half.parent.mkdir(parents=True)
    half.write_text("half")
    families.leave_out(settings, RUN, "scores", "too little data")
    assert not half.exists()
    assert families.left_out(settings.home.build(RUN.id)) == {"scores": "too little data"}
    assert families.expected(settings, RUN) == ("segments",)
    assert json.loads((half.parent / "left_out.json").read_text())["family"] == "scores"


def test_a_family_that_recovers_on_a_retry_is_no_longer_left_out(settings):
    settings = replace(settings, models=("scores",))
    families.leave_out(settings, RUN, "scores", "the disk was full")
    families.take_back(settings, RUN, "scores")
    assert families.expected(settings, RUN) == ("scores",)
    assert families.left_out(settings.home.build(RUN.id)) == {}


def test_a_family_has_written_when_it_left_a_table_or_a_card(settings):
    build = settings.home.build(RUN.id)
    folder = build / "vectors"
    folder.mkdir(parents=True)
    assert not families.has_written(build, "vectors")
    (folder / "model.json").write_text("{}")
    assert families.has_written(build, "vectors")
    (folder / "model.json").rename(folder / "customer_vectors.parquet")
    assert families.has_written(build, "vectors")


def test_families_run_in_the_order_of_the_flow_whatever_the_settings_say(settings):
    assert families.switched_on(replace(settings, models=("scores", "segments"))) == ("segments", "scores")


def test_an_unknown_family_is_named(settings):
    with pytest.raises(BadConfiguration, match="there is no model 'horoscope'; there are segments, recommendations"):
        families.switched_on(replace(settings, models=("horoscope",)))


def test_no_two_families_answer_for_the_same_target(settings):
    found = [target for name in families.FAMILIES for target in jobs.targets(settings, name)]
    assert {"segments", "recommend_any", "associations", "churn_28d", "next_category", "attributes"} <= set(found)
    assert "customer_vectors" in found
    assert len(found) == len(set(found))


@pytest.mark.parametrize(
    ("family", "known", "lacks"),
    [
        ("attributes", {"attributes", "lifestyle_factors"}, False),
        ("attributes", {"attributes"}, True),  # both are needed
        ("scores", {"churn_28d"}, False),  # a home may have no source of the others
        ("scores", set(), True),
    ],
)
def test_a_family_is_trained_first_where_it_cannot_score_yet(settings, monkeypatch, family, known, lacks):
    monkeypatch.setattr(tracking, "champion", lambda _, target: target if target in known else None)
    assert scoring.lacks_champion(settings, family) is lacks
