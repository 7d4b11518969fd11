"""MLflow down, hanging, failing, locked or damaged: the last champion scores; nothing is promoted or kept twice."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from faults.handovers import TARGET, a_home, a_training, catch_up, copied, facts, handovers
from huaxiang import failpoints, tracking
from huaxiang.errors import BrokenConservation, MlflowAway
from huaxiang.settings import Servers
from huaxiang.tracking import champions, mlflow_store, spool
from huaxiang.tracking.promotion import Decision, Interval, judging
from tests.faults.mlflow_stubs import failing, hanging, refusing

pytestmark = [pytest.mark.faults, pytest.mark.slow]

NEXT = "2024-04-07"
CODE = {"code": {"revision": "r", "hash": "h"}, "run": []}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The waiting of a night, cut to what a test can wait."""
    monkeypatch.setitem(mlflow_store._PATIENCE, "MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setattr(mlflow_store, "LOCKED_SECONDS", 1.0)
    for name in mlflow_store._PATIENCE:
        monkeypatch.delenv(name, raising=False)
    yield
    mlflow_store._away.clear()
    mlflow_store._found.clear()


@pytest.fixture(scope="module")
def untold(tmp_path_factory):
    """A home in whose spool a training waits; it has an empty MLflow."""
    return a_home(tmp_path_factory.mktemp("untold") / "home")


@pytest.fixture
def home(untold, tmp_path):
    """A home with a champion, version 1."""
    home = copied(untold, tmp_path / "home")
    catch_up(home)
    return home


def locked(file: Path) -> sqlite3.Connection:
    """Another program's hold on the database; it ends with the connection."""
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("begin exclusive")
    return holder


def asks(home) -> tuple[str, float]:
    """Why MLflow is away, and how long it took to find out."""
    mlflow_store.ask_again(home)
    began = time.monotonic()
    with pytest.raises(MlflowAway):
        tracking.open_store(home)
    return tracking.away(home), time.monotonic() - began


@pytest.mark.parametrize(
    ("server", "reason", "at_most"),
    [(refusing, "connection refused", 5), (hanging, "no answer in time", 6), (failing, "it answers with error 5", 5)],
)
def test_a_server_that_does_not_answer_is_asked_once_and_the_champion_last_known_scores(home, server, reason, at_most):
    known = tracking.champion(home, TARGET).run_id
    with server() as address:
        served = replace(home, servers=Servers(mlflow=address))
        why, seconds = asks(served)
        assert why.startswith(reason) and seconds < at_most
        began = time.monotonic()
        for _ in range(20):
            assert tracking.champion(served, TARGET).run_id == known
        assert tracking.model_file(served, tracking.champion(served, TARGET), "model.json").startswith('{"report"')
        assert time.monotonic() - began < 1
        with pytest.raises(MlflowAway, match="no champion of segments is kept"):
            tracking.champion(served, "segments")


def spoil(file: Path, how: str):
    if how == "locked":
        return locked(file)
    if how == "cut":
        os.truncate(file, file.stat().st_size // 2)
    elif how == "empty":
        os.truncate(file, 0)
    elif how == "gone":
        file.unlink()
    return None


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("locked", "its database is locked by another process"),
        ("cut", "its database is damaged"),
        ("empty", "mlflow.db is missing or empty, though this home has had champions"),
        ("gone", "mlflow.db is missing or empty, though this home has had champions"),
    ],
)
def test_a_database_that_cannot_be_used_is_not_made_anew_and_the_champion_last_known_scores(home, how, reason):
    known = tracking.champion(home, TARGET).run_id
    file = home.home.root / "mlflow.db"
    holder = spoil(file, how)
    size = file.stat().st_size if file.exists() else None
    why, seconds = asks(home)
    assert (why, seconds < 5) == (reason, True)
    assert tracking.champion(home, TARGET).run_id == known
    assert (file.stat().st_size if file.exists() else None) == size
    if holder:
        holder.close()
        mlflow_store.ask_again(home)
        tracking.open_store(home)
        assert tracking.away(home) is None


def test_a_kept_champion_that_was_changed_does_not_score(home):
    version = tracking.champion(home, TARGET)
    file = tracking.model_path(home, version, "model.json")
    file.write_text(file.read_text() + " ")
    with pytest.raises(BrokenConservation, match=r"model\.json: not as it was sealed"):
        champions.last(home, TARGET)
    with refusing() as address, pytest.raises(BrokenConservation):
        tracking.champion(replace(home, servers=Servers(mlflow=address)), TARGET)
    # MLflow has it still, so it is kept anew.
    assert tracking.model_file(home, version, "model.json").startswith('{"report"')
    assert champions.last(home, TARGET) == version


def test_a_training_without_mlflow_waits_and_is_promoted_by_the_same_rule_when_it_is_back(home):
    before = facts(home)
    fits = a_training(home.home.root, NEXT).fits
    decision = Decision("boosting", "logistic", "no recipe surely beats boosting")
    holder = locked(home.home.root / "mlflow.db")
    mlflow_store.ask_again(home)
    assert tracking.record_all(home, fits, decision, "auc") == (None, "waits")
    assert tracking.waiting(home) == {TARGET}
    holder.close()
    assert facts(home) == before | {"waiting": ["1"]}
    assert catch_up(home) == [
        f"MLflow has now the training of {TARGET}, trained up to {NEXT}; version 3 is the champion"
    ]
    after = facts(home)
    assert after["aliases"] == {"champion": "3", "challenger": "4"}
    assert after["kept"] == ("3", "boosting")
    assert len(after["runs"]) == len(before["runs"]) + 4
    assert catch_up(home) == [] and facts(home) == after


def test_what_waits_is_decided_anew_where_the_champion_is_another_one_by_then(home):
    """Trained when nobody knew of a champion, so 'recency' had won; the champion 'boosting' is surely better."""
    sure, unsure = Interval(0.1, 0.05, 0.15), Interval(0.1, -0.05, 0.15)
    better = {"boosting": {"recency", "logistic"}, "logistic": {"recency"}, "recency": set()}
    judged = judging(
        {"boosting": 0.8, "logistic": 0.7, "recency": 0.6},
        lambda one, other: sure if other in better[one] else replace(unsure, value=-0.1),
        "recency",
    )
    told = '{"report": {"tried": [{"recipe": "recency", "outcome": "won"}, {"recipe": "boosting", "outcome": "lost"}]}}'
    fits = tuple(replace(fit, model_files={"model.json": told}) for fit in a_training(home.home.root, NEXT).fits)
    decision = Decision("recency", None, "as it seemed then")
    spool.put_training(home, replace(a_training(home.home.root), fits=fits, decision=decision, judging=judged), CODE)
    catch_up(home)
    version = tracking.champion(home, TARGET)
    assert (version.version, version.recipe) == ("3", "boosting")
    assert '"outcome": "won",\n    "recipe": "boosting"' in tracking.model_file(home, version, "model.json")


def test_who_is_killed_while_mlflow_is_told_leaves_nothing_to_be_registered_twice(tmp_path):
    """At every 15th commit; `make faults` does it at every one."""
    trials = list(handovers(SimpleNamespace(folder=tmp_path), every=15))
    assert len(trials) >= 7
    assert [trial.detail for trial in trials if not trial.is_same] == []


@pytest.mark.parametrize("name", ["fits/0/files/model.json", "entry.json"])
def test_an_entry_that_was_changed_is_set_aside_and_the_others_go_on(home, name):
    for day in (NEXT, "2024-04-14"):
        spool.put_training(home, a_training(home.home.root, day), CODE)
    (home.home.mlflow_spool / "1" / name).write_text("{}")
    first, second = catch_up(home)
    assert "not as it was sealed" in first and "set_aside/1" in first
    assert second.endswith("version 3 is the champion")


@pytest.mark.parametrize("write", [1, 2])  # the plan; the name of the champion that is kept
def test_a_training_that_a_full_disk_stopped_waits_and_is_handed_over_once(home, write):
    before = facts(home)
    fits = a_training(home.home.root, NEXT).fits
    decision = Decision("boosting", "logistic", "no recipe surely beats boosting")
    failpoints.arm(f"files.write:raise@{write}")
    try:
        with pytest.raises(OSError, match="No space"):
            tracking.record_all(home, fits, decision, "auc")
        assert tracking.waiting(home) == {TARGET}
        with pytest.raises(OSError, match="No space"):
            catch_up(home)
    finally:
        failpoints.arm(None)
    assert catch_up(home) == [
        f"MLflow has now the training of {TARGET}, trained up to {NEXT}; version 3 is the champion"
    ]
    after = facts(home)
    assert (after["kept"], after["waiting"]) == (("3", "boosting"), [])
    assert len(after["runs"]) == len(before["runs"]) + 4


def test_a_release_that_mlflow_did_not_take_is_logged_once_when_it_is_back(home):
    manifest = {
        **{"release_id": f"{NEXT}-0123456789", "as_of": NEXT, "known_at": NEXT, "fence": 7, "tables": {}},
        **{"models": {}, "code": {}, "inputs": {"files": 3}},
    }
    holder = locked(home.home.root / "mlflow.db")
    for _ in range(2):  # the step, and its retry
        with pytest.raises(MlflowAway, match="the run is logged when it is back"):
            tracking.log_release(home, manifest)
    holder.close()
    assert catch_up(home) == [f"MLflow has now release {NEXT}-0123456789"]
    runs = tracking.connect(home).search_runs(experiment_names=["releases"], output_format="list")
    assert [run.info.run_name for run in runs] == [f"{NEXT}-0123456789"]
    assert not list(home.home.mlflow_spool.iterdir())
    shutil.rmtree(home.home.mlflow_spool)
