import json

import pytest

from tests.airflow.conftest import ROOT

pytestmark = pytest.mark.airflow

WORDS = ["landing", "staging", "features", "models", "profiles", "report", "release"]

READ = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({folder!r})
dag = bag.dags["profile_daily"]
print(json.dumps({{
    "errors": bag.import_errors,
    "dags": sorted(bag.dags),
    "tasks": [task.task_id for task in dag.topological_sort()],
    "pools": sorted({{task.pool for task in dag.tasks}}),
    "retries": {{task.task_id: task.retries for task in dag.tasks if task.retries}},
    "outlets": [asset.name for asset in dag.get_task("release").outlets],
    "links": {{task.task_id: [link.name for link in task.operator_extra_links]
               for task in dag.tasks if task.operator_extra_links}},
    "waits": dag.is_paused_upon_creation,
    "catchup": dag.catchup, "active": dag.max_active_runs, "manual": dag.doc_md,
    "weekly": {{task.task_id: sorted(task.downstream_task_ids) for task in bag.dags["train_weekly"].tasks}},
    "weekly_pools": {{task.task_id: task.pool for task in bag.dags["train_weekly"].tasks}},
    "weekly_assets": [asset.name for asset in bag.dags["train_weekly"].timetable.asset_condition.objects],
    "weekly_manual": bag.dags["train_weekly"].doc_md,
    "heavy": [name for name in ("pandas", "pyspark", "mlflow", "duckdb", "dbt") if name in sys.modules],
}}))
"""

RENDER = """
import json, pendulum
from datetime import datetime
from types import SimpleNamespace
from airflow.dag_processing.dagbag import DagBag
task = DagBag({folder!r}).dags["profile_daily"].get_task("landing")
days = []
for as_of, logical, after in {cases!r}:
    moment = {parse}
    run = SimpleNamespace(logical_date=logical and moment(logical), run_after=moment(after))
    days.append(task.render_template(task.env["AS_OF"], {{"params": {{"as_of": as_of}}, "dag_run": run}}))
print(json.dumps(days))
"""

RELEASED = """
import json
from types import SimpleNamespace
from _steps import released_day
events = lambda *days: {{"release": [SimpleNamespace(extra={{"as_of": day}}) for day in days]}}
print(json.dumps([released_day(said) for said in (events("2017-11-29", "2017-11-30"), {{"release": []}}, {{}}, None)]))
"""


FAIL = """
import json
from _steps import Step
kinds = []
for command in {commands!r}:
    try:
        Step(task_id="t", bash_command=command).execute({{}})
    except Exception as error:
        kinds.append(type(error).__name__)
print(json.dumps(kinds))
"""


@pytest.fixture(scope="module")
def read(in_airflow, tmp_path_factory):
    return in_airflow(READ.format(folder=str(ROOT / "dags")), tmp_path_factory.mktemp("airflow"))


def test_the_dag_is_the_flow_one_task_per_word(read):
    assert read["errors"] == {}
    assert read["tasks"] == WORDS


def test_one_run_and_one_task_write_to_a_home_at_a_time(read):
    assert read["pools"] == ["huaxiang_home"]
    assert (read["active"], read["catchup"]) == (1, False)


def test_every_task_is_tried_twice_more_where_that_can_heal(read):
    assert read["retries"] == dict.fromkeys(WORDS, 2)


def test_what_found_fault_is_not_tried_again_what_was_killed_is(in_airflow, tmp_path):
    commands = ["exit 1", "exit 75", "kill -9 $$", "bash -c 'kill -9 $$'; exit $?"]
    said = in_airflow(FAIL.format(commands=commands), tmp_path)
    assert said == ["AirflowFailException", "AirflowException", "AirflowException", "AirflowException"]


def test_the_release_is_announced_and_the_docstring_is_the_manual(read):
    assert read["outlets"] == ["release"]
    assert "docs/runbooks/daily-run-failed.md" in read["manual"]


def test_the_dag_waits_to_be_let_go(read):
    assert read["waits"] is True


def test_tasks_lead_to_what_they_made(read):
    assert read["links"] == {"models": ["MLflow models"], "release": ["Report", "MLflow run"]}


def test_a_model_goes_from_drift_to_champion_in_tasks_one_at_a_time_unless_a_person_is_asked(read):
    assert read["dags"] == ["profile_daily", "train_weekly"]
    assert read["weekly"] == {
        "propose": ["train"],
        "train": ["shadow"],
        "shadow": ["candidates", "promote"],
        "candidates": ["decide"],
        "decide": ["promote", "reject"],
        "promote": [],
        "reject": [],
    }
    assert {task for task, pool in read["weekly_pools"].items() if pool != "huaxiang_home"} == {"decide"}
    assert read["weekly_assets"] == ["release"]
    assert "publishes nothing" in read["weekly_manual"]


def test_a_dag_file_imports_no_engine(read):
    assert read["heavy"] == []


# `airflow dags test` gives a run's dates as Airflow's own type, the scheduler as Python's.
@pytest.mark.parametrize("parse", ["pendulum.parse", "datetime.fromisoformat"])
def test_the_day_is_the_parameter_else_the_local_day_before_the_logical_date(in_airflow, tmp_path, parse):
    cases = [
        ("2017-11-30", "2017-06-01T04:00:00Z", "2017-06-01T04:00:00Z"),  # the parameter wins
        (None, "2017-12-01T05:00:00Z", "2017-12-01T05:00:00Z"),  # New York midnight in winter
        (None, "2017-06-01T04:00:00Z", "2026-01-01T00:00:00Z"),  # a back-fill: the logical date, not today
        (None, "2017-03-13T04:00:00Z", "2017-03-13T04:00:00Z"),  # the day of 23 hours has ended
        (None, "2017-11-06T05:00:00Z", "2017-11-06T05:00:00Z"),  # the day of 25 hours has ended
        (None, "2017-12-01T04:59:00Z", "2017-12-01T04:59:00Z"),  # still 30 November in New York
        (None, None, "2017-12-01T15:00:00Z"),  # by hand, without a logical date
    ]
    code = RENDER.format(folder=str(ROOT / "dags"), cases=json.loads(json.dumps(cases)), parse=parse)
    days = in_airflow(code, tmp_path)
    assert days == [
        "2017-11-30", "2017-11-30", "2017-05-31", "2017-03-12", "2017-11-05", "2017-11-29", "2017-11-30",
    ]  # fmt: skip


def test_a_run_that_releases_started_is_about_the_newest_of_them(in_airflow, tmp_path):
    assert in_airflow(RELEASED.format(), tmp_path) == ["2017-11-30", None, None, None]
