"""One day through Postgres, an MLflow server, Airflow's services and a Spark cluster, beside the same day embedded."""

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from huaxiang import cli, release, tracking
from huaxiang.scaled import make_secrets
from huaxiang.settings import load_settings
from tests.pipeline.conftest import run_words
from tests.services.processes import BIN, Airflow, Mlflow, Postgres, Processes, Spark, quiet

pytestmark = pytest.mark.services

SINCE, BEFORE, AS_OF = "2017-10-02", "2017-11-29", "2017-11-30"
CUSTOMERS = "200"
RUN_ID = "by_hand"
DAG = "/api/v2/dags/profile_daily"


@dataclass(frozen=True)
class Scaled:
    """A finished day of the scaled form, its servers still running."""

    secrets: Path
    environment: dict[str, str]
    postgres: Postgres
    mlflow: Mlflow
    spark: Spark
    airflow: Airflow
    tasks: dict[str, str]  # task -> state


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    """Both homes get the same drops."""
    root = tmp_path_factory.mktemp("drops")
    with environment_of(quiet(HUAXIANG_HOME=str(root))):
        words = ["simulate", "--source", "complete_journey", "--since", SINCE, "--through", AS_OF]
        assert cli.main([*words, "--customers", CUSTOMERS]) == 0
    return root / "inbox"


@pytest.fixture(scope="module")
def scaled(tmp_path_factory, inbox):
    folder = tmp_path_factory.mktemp("scaled")
    home, secrets = folder / "home", folder / "secrets"
    make_secrets(secrets)
    shutil.copytree(inbox, home / "inbox")
    processes = Processes(folder / "logs")
    # Not below pytest's folder: that is closed to the user that Postgres runs as.
    with tempfile.TemporaryDirectory(prefix="huaxiang-postgres-") as cluster:
        try:
            postgres = Postgres(processes, Path(cluster), secrets)
            mlflow = Mlflow(processes, postgres, folder / "mlartifacts")
            spark = Spark(processes, folder / "spark", secrets)
            environment = quiet(
                HUAXIANG_HOME=str(home),
                HUAXIANG_AIRFLOW_DB=postgres.address("airflow"),
                HUAXIANG_MLFLOW_URI=mlflow.uri,
                HUAXIANG_SPARK_MASTER=spark.master,
            )
            airflow = Airflow(processes, environment, secrets)
            for service in (mlflow, spark, airflow):
                service.wait_until_healthy()
            yield Scaled(secrets, environment, postgres, mlflow, spark, airflow, run_dag(airflow))
        finally:
            processes.stop()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory, inbox):
    """The home of the same day without any server."""
    home = tmp_path_factory.mktemp("embedded") / "home"
    shutil.copytree(inbox, home / "inbox")
    with environment_of(quiet(HUAXIANG_HOME=str(home))):
        assert run_words(AS_OF) == 0
    return home


def test_the_dag_runs_to_success(scaled):
    assert len(scaled.tasks) >= 7
    assert scaled.tasks == dict.fromkeys(scaled.tasks, "success")


def test_the_released_tables_equal_those_of_the_embedded_form(scaled, embedded):
    with environment_of(scaled.environment):
        there = table_hashes()
    with environment_of(quiet(HUAXIANG_HOME=str(embedded))):
        here = table_hashes()
    assert "customer_segments" in there
    assert there == here


def test_the_runs_of_airflow_are_in_its_own_postgres_database(scaled):
    said = scaled.postgres.ask(f"select dag_id, state from dag_run where run_id = '{RUN_ID}'", "airflow", "airflow")
    assert said.stdout.split() == ["profile_daily|success"]
    home = Path(scaled.environment["HUAXIANG_HOME"])
    assert not (home / "airflow" / "airflow.db").exists()


def test_the_champions_are_in_the_registry_of_the_mlflow_server(scaled):
    with environment_of(scaled.environment):
        settings = load_settings()
        manifest = release.current(settings).manifest
        assert "segments" in manifest["models"]
        for target, said in manifest["models"].items():
            champion = tracking.champion(settings, target)
            assert (champion.version, champion.run_id) == (str(said["version"]), said["run_id"])
    in_postgres = scaled.postgres.ask("select distinct name from model_versions", "mlflow", "mlflow")
    assert set(in_postgres.stdout.split()) >= set(manifest["models"])
    home = Path(scaled.environment["HUAXIANG_HOME"])
    assert not (home / "mlflow.db").exists()
    assert not (home / "mlartifacts").exists()


def test_the_models_ran_on_the_spark_cluster(scaled):
    [application] = scaled.spark.state()["completedapps"]
    assert (application["name"], application["state"]) == ("huaxiang", "FINISHED")


def test_an_application_without_the_secret_of_the_cluster_is_turned_away(scaled, tmp_path):
    (tmp_path / "job.py").write_text(
        "from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().range(3).count()\n"
    )
    words = [BIN / "spark-submit", "--master", scaled.spark.master, "--conf", "spark.ui.enabled=false",
             "--conf", "spark.driver.host=127.0.0.1", tmp_path / "job.py"]  # fmt: skip
    environment = quiet(
        SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=str(BIN / "python"), PYSPARK_DRIVER_PYTHON=str(BIN / "python")
    )
    before = len(scaled.spark.state()["completedapps"])
    done = subprocess.run(
        list(map(str, words)), env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode != 0
    assert len(scaled.spark.state()["completedapps"]) == before


def test_a_service_is_no_superuser_and_is_shut_out_of_the_others_database(scaled):
    for role, other in (("airflow", "mlflow"), ("mlflow", "airflow")):
        rights = scaled.postgres.ask("select rolsuper, rolcreaterole, rolcreatedb from pg_roles "
                                     f"where rolname = '{role}'", role, role)  # fmt: skip
        assert rights.stdout.strip() == "f|f|f"
        refused = scaled.postgres.ask("select 1", role, other)
        assert "permission denied for database" in refused.stderr


def test_no_secret_stands_in_a_command_line_an_environment_or_a_log(scaled):
    secrets = {word for path in scaled.secrets.iterdir() for word in re.findall(rb"[0-9a-f]{64}", path.read_bytes())}
    secrets.add((scaled.secrets / "fernet_key").read_bytes())
    assert len(secrets) == 8
    texts = [path for path in scaled.secrets.parent.rglob("*.log") if path.is_file()]
    texts += [place / name for place in Path("/proc").glob("[0-9]*") for name in ("cmdline", "environ")]
    told = []
    for path in texts:
        with contextlib.suppress(OSError):  # a process may have ended meanwhile
            told += [path.name for secret in secrets if secret in path.read_bytes()]
    assert told == []


def test_the_day_before_goes_on_by_itself_though_postgres_was_stopped_for_a_while(scaled, embedded):
    """Airflow's and MLflow's databases are away for half a minute in the middle of the features; comes last."""
    airflow, processes, run_id = scaled.airflow, scaled.airflow.processes, "postgres_stopped"
    body = {"dag_run_id": run_id, "logical_date": None, "run_after": f"{BEFORE}T12:00:00Z", "conf": {"as_of": BEFORE}}
    airflow.call("POST", f"{DAG}/dagRuns", body)
    path = f"{DAG}/dagRuns/{run_id}"
    is_at_work = lambda: airflow.call("GET", f"{path}/taskInstances/features")["state"] == "running"  # noqa: E731
    processes.wait_for(is_at_work, "'features' to run", 300)
    processes.end("postgres")
    for _ in range(30):
        processes.revive(but="postgres")
        time.sleep(1)
    ended = lambda: airflow.call("GET", path)["state"] in ("success", "failed")  # noqa: E731
    processes.wait_for(ended, "the run to end", 900, revives=True)
    tasks = airflow.call("GET", f"{path}/taskInstances")["task_instances"]
    assert {task["task_id"]: task["state"] for task in tasks} == dict.fromkeys(scaled.tasks, "success")
    with environment_of(scaled.environment):
        there = [made.manifest["tables"] for made in release.releases(load_settings()) if str(made.as_of) == BEFORE]
    with environment_of(quiet(HUAXIANG_HOME=str(embedded))):
        assert run_words(BEFORE) == 0
        here = [made.manifest["tables"] for made in release.releases(load_settings()) if str(made.as_of) == BEFORE]
    assert len(there) == 1 and there == here


@contextlib.contextmanager
def environment_of(environment):
    """This process's environment is `environment` while the body runs."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run_dag(airflow: Airflow) -> dict[str, str]:
    """Run the day by Airflow's REST API; the state each task ended in."""
    airflow.processes.wait_for(
        lambda: airflow.call("GET", DAG)["dag_id"] == "profile_daily", "the DAG to be known", 120
    )
    # Due before the run that the schedule would start today, so that it is the first to go.
    body = {"dag_run_id": RUN_ID, "logical_date": None, "run_after": f"{AS_OF}T12:00:00Z", "conf": {"as_of": AS_OF}}
    airflow.call("POST", f"{DAG}/dagRuns", body)
    path = f"{DAG}/dagRuns/{RUN_ID}"
    airflow.call("PATCH", DAG, {"is_paused": False})
    airflow.processes.wait_for(
        lambda: airflow.call("GET", path)["state"] in ("success", "failed"), "the run to end", 900
    )
    tasks = airflow.call("GET", f"{path}/taskInstances")["task_instances"]
    return {task["task_id"]: task["state"] for task in tasks}


def table_hashes() -> dict[str, str]:
    """Content hash of every table that the home released."""
    now = release.current(load_settings())
    assert now.as_of == date.fromisoformat(AS_OF)
    return {name: table["content_hash"] for name, table in now.manifest["tables"].items()}
