import json
import os
import subprocess
import sys
import time

import pytest

from huaxiang.services import processes

# A server with a child in its own session and one that has left it, as Airflow's tasks do. Both ignore a polite end.
SERVER = """
import os, signal, subprocess, sys, time
stubborn = "from signal import *; import time; signal(SIGTERM, SIG_IGN); print('ready', flush=True); time.sleep(600)"
for leaves in (False, True):
    child = subprocess.Popen([sys.executable, "-c", stubborn], start_new_session=leaves, stdout=subprocess.PIPE)
    child.stdout.readline()
    print(child.pid, flush=True)
print("all", flush=True)
time.sleep(600)
"""


@pytest.fixture
def short_patience(monkeypatch):
    monkeypatch.setattr(processes, "TERM_SECONDS", 1.0)


def start(tmp_path):
    log, record = tmp_path / "server.log", tmp_path / "server.json"
    server = processes.start(record, [sys.executable, "-c", SERVER], os.environ, log, tmp_path)
    deadline = time.monotonic() + 30
    while "all" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    return server, [int(line) for line in log.read_text().split()[:2]], record


def lives(pid):
    return any(process.pid == pid for process in processes._all_processes())


def test_a_process_ends_with_all_it_started_also_in_other_sessions_and_against_its_will(tmp_path, short_patience):
    server, children, record = start(tmp_path)
    assert processes.recorded(record) == server
    assert {each.pid for each in processes.family([server])} == {server.pid, *children}
    assert processes.end([server]) == []
    assert not any(map(lives, [server.pid, *children]))


def test_what_a_dead_server_left_in_its_session_is_still_ended(tmp_path, short_patience):
    server, (inside, outside), _ = start(tmp_path)
    os.kill(server.pid, 9)
    os.waitpid(server.pid, 0)
    assert [each.pid for each in processes.family([server])] == [inside]
    assert processes.end([server]) == []
    assert not lives(inside)
    os.kill(outside, 9)  # it had left the session: nobody can know whose it was


def test_a_process_that_got_the_number_of_an_ended_one_is_left_alone(tmp_path):
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as bystander:
        record = tmp_path / "old.json"
        record.write_text(json.dumps({"pid": bystander.pid, "started": "1"}))
        old = processes.recorded(record)
        assert not processes.is_alive(old)
        assert processes.end([old]) == []
        assert bystander.poll() is None
        bystander.kill()


def test_a_log_is_readable_by_its_owner_alone(tmp_path):
    processes.start(tmp_path / "x.json", ["true"], os.environ, tmp_path / "x.log", tmp_path)
    assert (tmp_path / "x.log").stat().st_mode & 0o777 == 0o600
