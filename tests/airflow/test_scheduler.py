"""The daily DAG through the real scheduler and LocalExecutor: pool, retry and Asset, on the tiny shop."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from huaxiang import airflow_home, release
from huaxiang.settings import load_settings
from tests.airflow.conftest import TINY_SHOP, Services, wait_for

pytestmark = [pytest.mark.airflow, pytest.mark.spark, pytest.mark.slow]

DAG, TRAINING = "/api/v2/dags/profile_daily", "/api/v2/dags/train_weekly"
AS_OF = "2024-04-21"


@pytest.fixture
def airflow(tmp_path, monkeypatch):
    monkeypatch.setenv("HUAXIANG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUAXIANG_CONFIG", str(TINY_SHOP / "huaxiang.yml"))
    settings = load_settings()
    airflow_home.prepare(settings)
    server = Services(settings)
    try:
        server.wait_until_healthy()
        yield server
    finally:
        server.stop()


def test_the_scheduler_runs_the_day_retries_what_heals_and_announces_the_release(airflow):
    wait_for(lambda: airflow.call("GET", DAG)["dag_id"], "the DAG to be known", seconds=60)
    run = airflow.call("POST", f"{DAG}/dagRuns", {"logical_date": None, "conf": {"as_of": AS_OF}})
    # Let go only now: the run that the schedule would start today comes after ours, and never here.
    airflow.call("PATCH", DAG, {"is_paused": False})
    airflow.call("PATCH", TRAINING, {"is_paused": False})
    path = f"{DAG}/dagRuns/{run['dag_run_id']}"

    def state_of(task):
        return airflow.call("GET", f"{path}/taskInstances/{task}")["state"]

    wait_for(lambda: processes_of("models", airflow.settings), "'models' to run", seconds=240)
    for process in processes_of("models", airflow.settings):
        os.kill(process, signal.SIGKILL)
    wait_for(lambda: state_of("models") == "up_for_retry", "the killed task to be retried", seconds=60)
    assert release.current(airflow.settings) is None
    wait_for(lambda: airflow.call("GET", path)["state"] in ("success", "failed"), "the run to end", seconds=400)

    tasks = {task["task_id"]: task for task in airflow.call("GET", f"{path}/taskInstances")["task_instances"]}
    assert {name: task["state"] for name, task in tasks.items()} == dict.fromkeys(tasks, "success")
    assert {task["pool"] for task in tasks.values()} == {airflow_home.POOL}
    assert {name: task["try_number"] for name, task in tasks.items() if task["try_number"] > 1} == {"models": 2}
    assert str(release.current(airflow.settings).as_of) == AS_OF

    # The release starts the other DAG for its own day; its models are new and nothing has moved, so nothing is due.
    def proposals():
        runs = airflow.call("GET", f"{TRAINING}/dagRuns")["dag_runs"]
        started = [run["dag_run_id"] for run in runs if run["run_type"] == "asset_triggered"]
        return [airflow.call("GET", f"{TRAINING}/dagRuns/{run}/taskInstances/propose") for run in started]

    wait_for(lambda: [task["state"] for task in proposals()] == ["skipped"], "the proposal to be skipped", seconds=120)
    assert f"'AS_OF': '{AS_OF}'" in str(proposals()[0]["rendered_fields"])

    # Asked before the run that an event has started has itself begun, Airflow 3.3 answers with an error of its own.
    events = airflow.call("GET", "/api/v2/assets/events")["asset_events"]
    assert [(event["name"], event["source_task_id"]) for event in events] == [("release", "release")]
    assert events[0]["extra"]["as_of"] == AS_OF


def processes_of(word, settings):
    """The ids of the `huaxiang <word>` commands that work on this home (Linux)."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_word = f"/huaxiang\0{word}\0".encode() in (folder / "cmdline").read_bytes()
            if is_word and str(settings.home.root).encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found
