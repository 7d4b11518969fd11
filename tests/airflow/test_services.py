"""`huaxiang up` on a small home of real data: a day as `huaxiang run` runs it, then Airflow's back-fill of the next,
through the real scheduler and LocalExecutor, in which a task is killed.

Two days are back-filled; HUAXIANG_BACK_FILL_DAYS=10 makes it ten. Nothing here is a stand-in: the services are those
of `make up`, asked through their own interfaces.
"""

import contextlib
import io
import json
import os
import re
import signal
import socket
import stat
import urllib.request
from datetime import date, timedelta

import pytest

from huaxiang import airflow_home, cli, daily, ports, release, services
from huaxiang.errors import HuaxiangError
from huaxiang.services import processes
from huaxiang.settings import PROJECT, Run, load_settings
from tests.airflow.conftest import wait_for
from tests.airflow.linux import free_ports, listeners, processes_of
from tests.pipeline.conftest import home_at, run_words

pytestmark = [pytest.mark.airflow, pytest.mark.dbt, pytest.mark.spark, pytest.mark.slow]

SINCE, FIRST, CUSTOMERS = "2017-10-16", date(2017, 11, 20), 80
DAYS = [FIRST + timedelta(days=n) for n in range(int(os.environ.get("HUAXIANG_BACK_FILL_DAYS", "2")) + 1)]
DAG, TRAINING = "profile_daily", "train_weekly"


class World:
    """A home with its services up, and what it was like before they came."""

    def __init__(self, settings, said):
        self.settings, self.said = settings, said
        self.token = self.airflow("/auth/token", {"username": "admin", "password": airflow_home.password(settings)})[
            "access_token"
        ]

    def airflow(self, path, body=None, method=None):
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "token"):
            headers["Authorization"] = f"Bearer {self.token}"
        return ask(ports.url(ports.AIRFLOW) + path, body, headers, method)

    def mlflow(self, path, body=None):
        return ask(f"{ports.url(ports.MLFLOW)}/api/2.0/mlflow/{path}", body, {"Content-Type": "application/json"})

    def runs(self, dag=DAG):
        return self.airflow(f"/api/v2/dags/{dag}/dagRuns?limit=100")["dag_runs"]

    def back_fill(self):
        """The back-filled runs, the earliest day first."""
        runs = [run for run in self.runs() if run["run_type"] == "backfill"]
        return sorted(runs, key=lambda run: run["logical_date"])

    def tasks(self, run):
        """The tasks of a run by name."""
        path = f"/api/v2/dags/{run['dag_id']}/dagRuns/{run['dag_run_id']}/taskInstances"
        return {task["task_id"]: task for task in self.airflow(path)["task_instances"]}

    def events(self):
        return [json.loads(line) for line in self.settings.home.lineage.read_text().splitlines()]


def ask(url, body=None, headers=None, method=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, headers=headers or {}, method=method)
    return json.load(urllib.request.urlopen(request, timeout=60))


def said_by(*words):
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        assert cli.main(list(words)) == 0
    return output.getvalue()


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """The example's settings, but no release is removed, and one family of models will do."""
    folder = tmp_path_factory.mktemp("config")
    text = re.sub(r"models: \[.*?\]", "models: [segments]", (PROJECT / "huaxiang.yml").read_text())
    (folder / "huaxiang.yml").write_text(re.sub(r"keep_releases: \d+", "keep_releases: 50", text))
    (folder / "sources").symlink_to(PROJECT / "sources")
    return folder / "huaxiang.yml"


def simulate():
    assert cli.main(["simulate", "--source", "complete_journey", "--since", SINCE, "--through", str(DAYS[-1]),
                     "--customers", str(CUSTOMERS)]) == 0  # fmt: skip


def table_hashes():
    """Content hash of every released table of every day."""
    return {
        (str(each.as_of), name): table["content_hash"]
        for each in release.releases(load_settings())
        for name, table in each.manifest["tables"].items()
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory, config):
    with home_at(tmp_path_factory.mktemp("served") / "home", config), pytest.MonkeyPatch.context() as patch:
        for variable, number in zip(ports.VARIABLES.values(), free_ports(3), strict=True):
            patch.setenv(variable, str(number))
        simulate()
        settings = load_settings()
        airflow_home.prepare(settings)
        ended_well, log = daily._run_dag(settings, Run(FIRST, FIRST))
        assert ended_well, log.read_text()[-3000:]
        try:
            yield World(settings, said_by("up"))
        finally:
            services.down(settings)


@pytest.fixture(scope="module")
def killed(world):
    """The days after the first one, by Airflow's back-fill: the run of a logical date is about the day before it. The
    first run's 'models' has just been killed at work."""
    for dag in (DAG, TRAINING):
        wait_for(lambda dag=dag: world.airflow(f"/api/v2/dags/{dag}")["dag_id"], f"{dag} to be known", seconds=120)
    first, last = (day + timedelta(days=1) for day in (DAYS[1], DAYS[-1]))
    world.airflow(
        "/api/v2/backfills",
        {"dag_id": DAG, "from_date": f"{first}T00:00:00-05:00", "to_date": f"{last}T00:00:00-05:00",
         "max_active_runs": 1, "dag_run_conf": {}},
    )  # fmt: skip
    for dag in (DAG, TRAINING):
        world.airflow(f"/api/v2/dags/{dag}", {"is_paused": False}, "PATCH")
    wait_for(lambda: processes_of("models", world.settings), "'models' to run", seconds=240)
    for process in processes_of("models", world.settings):
        os.kill(process, signal.SIGKILL)
    return world


@pytest.fixture(scope="module")
def proposal(killed):
    """The run that the first back-filled release has started; it has ended, and later releases start none."""

    def started():
        return [run for run in killed.runs(TRAINING) if run["run_type"] == "asset_triggered"]

    wait_for(lambda: [run["state"] for run in started()] == ["success"], "a proposal of a training", seconds=600)
    killed.airflow(f"/api/v2/dags/{TRAINING}", {"is_paused": True}, "PATCH")
    return started()[0]


@pytest.fixture(scope="module")
def back_filled(killed, proposal):
    """The world when the back-fill has ended."""

    def ended():
        states = [run["state"] for run in killed.back_fill()]
        assert "failed" not in states, (killed.settings.home.logs, states)
        return states.count("success") == len(DAYS) - 1

    wait_for(ended, "the back-fill to end", seconds=600 * len(DAYS))
    return killed


def test_up_says_where_everything_is_and_keeps_the_password_from_logs(world):
    for service in ports.VARIABLES:
        assert ports.url(service) in world.said
    password = airflow_home.password(world.settings)
    kept = world.settings.home.airflow / "secrets" / airflow_home.WEB_PASSWORDS
    assert len(password) >= 12 and str(kept) in world.said
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert password not in world.said  # this is no terminal
    logs = [path for path in world.settings.home.root.rglob("*.log") if path.is_file()]
    assert len(logs) >= 6
    assert [path for path in logs if password in path.read_text(errors="replace")] == []


def test_up_again_says_it_is_up_and_starts_nothing(world):
    before = {record.name: record.read_text() for record in world.settings.home.services.glob("*.json")}
    assert said_by("up").startswith("up         already up; 'make down' ends it\n")
    assert {record.name: record.read_text() for record in world.settings.home.services.glob("*.json")} == before


def test_up_again_starts_what_was_killed_and_only_that(world):
    before = {record.stem: processes.recorded(record) for record in records(world)}
    os.kill(before["site"].pid, signal.SIGKILL)
    os.waitpid(before["site"].pid, 0)
    assert re.match(r"up         healthy after \d+ s.*, site started anew\n", said_by("up"))
    after = {record.stem: processes.recorded(record) for record in records(world)}
    assert {name for name in before if before[name] != after[name]} == {"site"}
    assert all(map(processes.is_alive, after.values()))


def test_services_listen_on_this_machine_only(world):
    listening = listeners(processes.family([processes.recorded(path) for path in records(world)]))
    assert {address for address, _ in listening} == {"127.0.0.1"}
    assert {port for _, port in listening} == set(ports.ports().values())


def test_the_run_made_before_is_seen_in_airflow_with_links_to_its_pages_and_its_mlflow_run(world):
    run = next(run for run in world.runs() if run["conf"].get("as_of") == str(FIRST))
    assert run["state"] == "success"
    path = f"/api/v2/dags/{DAG}/dagRuns/{run['dag_run_id']}/taskInstances"
    assert {task["state"] for task in world.tasks(run).values()} == {"success"}
    links = world.airflow(f"{path}/release/links")["extra_links"]
    made = release.of_run(world.settings, Run(FIRST, FIRST))
    assert links["Report"] == f"{ports.url(ports.SITE)}/releases/{made.id}/report/index.html"
    assert urllib.request.urlopen(links["Report"], timeout=10).status == 200
    run_id = links["MLflow run"].removeprefix(f"{ports.url(ports.MLFLOW)}/#/runs/")
    assert world.mlflow(f"runs/get?run_id={run_id}")["run"]["info"]["run_name"] == made.id
    assert world.airflow(f"{path}/models/links")["extra_links"] == {
        "MLflow models": f"{ports.url(ports.MLFLOW)}/#/models"
    }


def test_fits_and_champions_are_seen_in_mlflow(world):
    names = {each["name"] for each in world.mlflow("experiments/search", {"max_results": 100})["experiments"]}
    assert {"releases", "segments"} <= names
    champion = world.mlflow("registered-models/alias?name=segments&alias=champion")["model_version"]
    assert champion["version"] == "1"


def test_a_killed_task_waits_to_be_tried_again_and_the_release_before_stays(killed):
    run = killed.back_fill()[0]
    wait_for(lambda: killed.tasks(run)["models"]["state"] == "up_for_retry", "the retry", seconds=60)
    assert release.current(killed.settings).as_of == FIRST


def test_the_retry_heals_it_and_every_task_works_in_the_homes_pool(back_filled):
    found = [back_filled.tasks(run) for run in back_filled.back_fill()]
    assert {task["state"] for tasks in found for task in tasks.values()} == {"success"}
    assert {task["pool"] for tasks in found for task in tasks.values()} == {airflow_home.POOL}
    tries = [{name: task["try_number"] for name, task in tasks.items() if task["try_number"] > 1} for tasks in found]
    assert tries == [{"models": 2}] + [{}] * (len(DAYS) - 2)


def test_a_release_starts_the_proposal_of_a_training_for_its_own_day_which_finds_none_due(back_filled, proposal):
    """Its models are new and nothing has moved."""
    path = f"/api/v2/dags/{TRAINING}/dagRuns/{proposal['dag_run_id']}/taskInstances/propose"
    task = back_filled.airflow(path)
    assert task["state"] == "skipped"
    assert f"'AS_OF': '{DAYS[1]}'" in str(task["rendered_fields"])


def test_every_release_is_announced_with_its_day(back_filled):
    events = back_filled.airflow("/api/v2/assets/events")["asset_events"]
    assert {(event["name"], event["source_task_id"]) for event in events} == {("release", "release")}
    assert sorted(event["extra"]["as_of"] for event in events) == [str(day) for day in DAYS]


def test_the_back_fill_gives_the_same_tables_as_daily_runs_and_ends_at_the_newest_day(
    back_filled, config, tmp_path_factory
):
    by_back_fill = table_hashes()
    assert release.current(back_filled.settings).as_of == DAYS[-1]
    assert [each.as_of for each in release.releases(back_filled.settings)] == DAYS
    with home_at(tmp_path_factory.mktemp("daily") / "home", config):
        simulate()
        for day in DAYS:
            assert run_words(str(day)) == 0
        assert table_hashes() == by_back_fill
    assert len(by_back_fill) >= 7 * len(DAYS)


def test_the_run_that_the_schedule_starts_is_skipped_since_the_homes_data_have_ended(back_filled):
    """Letting the DAG go starts the run of the last midnight, beside the back-fill."""
    (run,) = [run for run in back_filled.runs() if run["run_type"] == "scheduled"]
    assert {task["state"] for task in back_filled.tasks(run).values()} == {"skipped"}


def test_every_task_and_every_dbt_model_tells_what_it_read_and_wrote(back_filled):
    events = back_filled.events()
    told = {(event["job"]["name"], event["eventType"]) for event in events}
    words = ("landing", "staging", "features", "models", "profiles", "report", "release")
    jobs = [DAG, *(f"{DAG}.{word}" for word in words), "huaxiang.profiles.huaxiang.customer_profiles.build.run"]
    assert [job for job in jobs if not {(job, "START"), (job, "COMPLETE")} <= told] == []
    task_runs = {event["run"]["runId"] for event in events if event["job"]["name"] == f"{DAG}.profiles"}
    of_model = [event for event in events if event["job"]["name"] == jobs[-1]]
    assert {event["run"]["facets"]["parent"]["run"]["runId"] for event in of_model} <= task_runs
    assert {event["job"]["namespace"] for event in events} == {back_filled.settings.name}


def test_down_ends_all_of_it_and_a_second_call_is_harmless(back_filled):
    # From here on the services of this file are down.
    family = processes.family([processes.recorded(path) for path in records(back_filled)])
    assert len(family) >= 6
    assert said_by("down").startswith("down       ended airflow-api-server")
    assert [process for process in family if processes.is_alive(process)] == []
    assert records(back_filled) == []
    for number in ports.ports().values():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", number))
    assert said_by("down") == "down       nothing was up\n"


def test_a_service_that_cannot_start_ends_the_others_and_is_named_with_its_log(world, monkeypatch):
    services.down(world.settings)
    monkeypatch.setattr(
        "huaxiang.services.together._services",
        lambda settings: [
            services.together.Service("airflow-scheduler", ("sleep", "600"), dict(os.environ)),
            services.together.Service("site", ("false",), dict(os.environ)),
        ],
    )
    with pytest.raises(HuaxiangError, match=r"site ended while starting; see .*/logs/site\.log"):
        services.up(world.settings)
    assert records(world) == []


def records(world):
    return sorted(world.settings.home.services.glob("*.json"))
