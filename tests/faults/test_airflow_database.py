"""Airflow's embedded database missing, damaged or held by another process: a clear sentence, or patience."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess

import pytest

from huaxiang import airflow_home
from huaxiang.errors import BadConfiguration, HuaxiangError, TryAgain

pytestmark = [pytest.mark.faults, pytest.mark.slow]

# Airflow's own engine writes while another process holds the file: for longer than SQLite's 5 s.
WAITS = """
import json, sqlite3, sys, threading, time
held = sqlite3.connect(sys.argv[1], isolation_level=None, check_same_thread=False)
held.execute("begin exclusive")
from airflow import settings
threading.Timer(7, held.execute, ["rollback"]).start()
began = time.monotonic()
with settings.engine.begin() as connection:
    connection.exec_driver_sql("create table written (x)")
print(json.dumps(time.monotonic() - began))
"""


@pytest.fixture
def database(settings, monkeypatch):
    """The file of a home whose Airflow was prepared, as far as `prepare` looks at it."""
    monkeypatch.setattr(airflow_home, "LOCKED_SECONDS", 0.3)
    settings.home.airflow.mkdir(parents=True)
    (settings.home.airflow / "ready").touch()
    file = settings.home.airflow / "airflow.db"
    made = sqlite3.connect(file, isolation_level=None)
    made.execute("pragma journal_mode = wal")
    made.execute("create table alembic_version as select 'a1b2' as version_num")
    made.execute("create table runs (x)")
    made.executemany("insert into runs values (?)", [("x" * 500,) for _ in range(200)])
    made.close()
    return file


def test_a_whole_database_is_left_alone(settings, database):
    before = database.read_bytes()
    airflow_home.prepare(settings)
    assert database.read_bytes() == before


def test_a_missing_database_is_not_made_anew_in_silence(settings, database):
    database.unlink()
    with pytest.raises(HuaxiangError, match=r"airflow\.db: .* cannot be used \(it is missing\).*remove .*/ready"):
        airflow_home.prepare(settings)
    assert not database.exists()


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: b"no" * 999]
)
def test_a_damaged_database_is_named_with_what_to_do(settings, database, damage):
    database.write_bytes(damage(database.read_bytes()))
    with pytest.raises(
        HuaxiangError, match=r"airflow\.db: Airflow's database cannot be used .*only the history of runs"
    ):
        airflow_home.prepare(settings)


def test_a_database_that_stays_locked_may_heal_by_itself(settings, database):
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("begin exclusive")
    with pytest.raises(TryAgain, match=r"another process has held Airflow's database"):
        airflow_home.prepare(settings)
    holder.close()
    airflow_home.prepare(settings)


def test_more_tasks_at_once_than_sqlite_takes_are_refused(settings, database, monkeypatch):
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "8")
    with pytest.raises(BadConfiguration, match=r"PARALLELISM is 8: .* one writer at a time, so 2 is the most"):
        airflow_home.prepare(settings)


@pytest.mark.airflow
def test_airflow_waits_for_a_database_that_another_process_holds(settings, tmp_path):
    settings.home.airflow.mkdir(parents=True)
    file = settings.home.airflow / "airflow.db"
    sqlite3.connect(file).execute("pragma journal_mode = wal")
    python = airflow_home.command(settings).with_name("python")
    done = subprocess.run(
        [str(python), "-c", WAITS, str(file)],
        env={**os.environ, **airflow_home.environment(settings)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.strip().splitlines()[-1]) > 5
