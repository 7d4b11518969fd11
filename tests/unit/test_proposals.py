"""Which models are proposed for training, and why."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest

from huaxiang.drift.daily import DIMENSION, FEATURE, SCORE, Drift
from huaxiang.errors import MissingPartition, NothingDue
from huaxiang.models import proposal
from huaxiang.settings import Run, Settings

DAY = date(2017, 4, 30)
CARDS = {
    "churn_28d": {"model": "churn_28d", "training_as_of": "2017-04-10", "family": "scores"},
    "segments": {"model": "segments", "training_as_of": "2017-04-10", "family": "segments"},
    "associations": {"model": "associations", "training_as_of": "2017-04-10", "family": "associations"},
}
STEADY, FAR = (0.5, 0.5), (0.9, 0.1)


def drift(kind: str, name: str, today: tuple[float, ...] = FAR) -> Drift:
    return Drift(kind, name, "2017-04-11", "f", (1.0,), (0.5, 0.5), today)


def test_a_feature_that_moved_far_proposes_the_models_that_read_features():
    moved = (drift(FEATURE, "recency_days"), drift(FEATURE, "basket_mean", STEADY))
    said = "recency_days (index 0.88) moved far since 2017-04-11"
    assert proposal.reasons(CARDS, moved, DAY, 28) == {"churn_28d": [said], "segments": [said]}


def test_scores_that_moved_far_propose_their_own_model():
    found = proposal.reasons(CARDS, (drift(SCORE, "churn_28d"),), DAY, 28)
    assert found == {"churn_28d": ["its scores moved far since 2017-04-11 (index 0.88)"]}


def test_dimensions_that_moved_far_propose_the_vectors_alone():
    vectors = {"customer_vectors": {"model": "customer_vectors", "training_as_of": "2017-04-10", "family": "vectors"}}
    found = proposal.reasons(CARDS | vectors, (drift(DIMENSION, "dimension 3 of the vectors"),), DAY, 28)
    assert found == {"customer_vectors": ["dimension 3 of the vectors (index 0.88) moved far since 2017-04-11"]}


def test_a_model_is_old_from_so_many_days_on():
    assert proposal.reasons(CARDS, (), DAY, 21) == {}
    found = proposal.reasons(CARDS, (), DAY, 20)
    assert set(found) == set(CARDS)
    assert found["segments"] == ["trained on days up to 2017-04-10, 20 days ago"]


def release(settings: Settings, day: date, moved: tuple[Drift, ...]) -> Run:
    """A release of the day that holds cards and drift, and no more."""
    folder = settings.home.release(f"{day}-aaaa")
    (folder / "drift").mkdir(parents=True)
    said = [vars(one) | {"psi": one.psi, "status": one.status} for one in moved]
    (folder / "drift" / "drift.json").write_text(json.dumps({"as_of": str(day), "drift": said}))
    (folder / "scores").mkdir()
    (folder / "scores" / "model.churn_28d.json").write_text(json.dumps(CARDS["churn_28d"]))
    manifest = {"as_of": str(day), "known_at": str(day), "fence": 1, "inputs": {}, "tables": {}, "schema_version": 1}
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    return Run(day, day)


def test_a_planted_drift_is_proposed_on_its_day_and_asked_again_a_week_later(settings):
    with pytest.raises(NothingDue, match="nothing has moved far"):
        proposal.propose(settings, release(settings, DAY - timedelta(days=1), (drift(SCORE, "churn_28d", STEADY),)))
    for late, is_asked in ((0, True), (1, False), (6, False), (7, True)):
        run = release(settings, DAY + timedelta(days=late), (drift(SCORE, "churn_28d"),))
        settings_of_day = settings.__class__(**{**vars(settings), "retrain_days": 365})
        if is_asked:
            assert set(proposal.propose(settings_of_day, run).reasons) == {"churn_28d"}
            assert proposal.read(settings, run).release_id == f"{run.as_of}-aaaa"
        else:
            with pytest.raises(NothingDue):
                proposal.propose(settings_of_day, run)


def test_without_a_release_of_the_day_or_a_proposal_the_next_step_is_told(settings):
    with pytest.raises(MissingPartition, match=f"run 'huaxiang run --as-of {DAY}' first"):
        proposal.propose(settings, Run(DAY, DAY))
    with pytest.raises(MissingPartition, match=f"run 'huaxiang propose --as-of {DAY}' first"):
        proposal.read(settings, Run(DAY, DAY))
