"""The daily DAG through the real scheduler and LocalExecutor: pool, retry and Asset, on the tiny shop."""

from dataclasses import replace

import pytest

from huaxiang import airflow_home, release
from huaxiang.settings import load_settings
from huaxiang.tables import Home
from tests.airflow.conftest import TINY_SHOP, Standalone, wait_for

pytestmark = [pytest.mark.airflow, pytest.mark.spark, pytest.mark.slow]

DAG = "/api/v2/dags/profile_daily"
AS_OF = "2024-04-30"


@pytest.fixture
def airflow(tmp_path, monkeypatch):
    monkeypatch.setenv("HUAXIANG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUAXIANG_CONFIG", str(TINY_SHOP / "huaxiang.yml"))
    settings = load_settings()
    airflow_home.prepare(settings)
    server = Standalone(settings)
    try:
        server.wait_until_healthy()
        yield server
    finally:
        server.stop()


def test_the_scheduler_runs_the_day_retries_what_heals_and_announces_the_release(airflow):
    home = replace(airflow.settings, home=Home(airflow.settings.home.root)).home
    obstacle = home.root / "mlflow.db"
    obstacle.mkdir()  # the tracking database cannot be opened: the first try of `models` fails

    wait_for(lambda: airflow.call("GET", DAG)["dag_id"], "the DAG to be known", seconds=60)
    airflow.call("PATCH", DAG, {"is_paused": False})
    run = airflow.call("POST", f"{DAG}/dagRuns", {"logical_date": None, "conf": {"as_of": AS_OF}})
    path = f"{DAG}/dagRuns/{run['dag_run_id']}"

    def state_of(task):
        return airflow.call("GET", f"{path}/taskInstances/{task}")["state"]

    wait_for(lambda: state_of("models") == "up_for_retry", "the first try of 'models' to fail", seconds=180)
    assert release.current(airflow.settings) is None
    obstacle.rmdir()
    wait_for(lambda: airflow.call("GET", path)["state"] in ("success", "failed"), "the run to end", seconds=300)

    tasks = {task["task_id"]: task for task in airflow.call("GET", f"{path}/taskInstances")["task_instances"]}
    assert {name: task["state"] for name, task in tasks.items()} == dict.fromkeys(tasks, "success")
    assert {task["pool"] for task in tasks.values()} == {airflow_home.POOL}
    assert {name: task["try_number"] for name, task in tasks.items() if task["try_number"] > 1} == {"models": 2}
    assert str(release.current(airflow.settings).as_of) == AS_OF

    events = airflow.call("GET", "/api/v2/assets/events")["asset_events"]
    assert [(event["name"], event["source_task_id"]) for event in events] == [("release", "release")]
