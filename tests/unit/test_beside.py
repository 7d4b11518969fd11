"""A second process: its results and errors come back, its death is told, and it does not outlive the first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from huaxiang.beside import result, second_process
from huaxiang.errors import GateFailed, TryAgain

# Begins work that would take a minute, tells the second process's number, and waits.
WAITS = """
import os, time
from huaxiang.beside import result, second_process
with second_process() as beside:
    print(result(beside.begin(os.getpid)), flush=True)
    beside.begin(time.sleep, 60)
    time.sleep(60)
"""


def refused() -> None:
    raise GateFailed("3 rows are wrong")


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_call_works_in_another_process_and_gives_its_result_or_its_error():
    with second_process() as beside:
        there = beside.begin(os.getpid)
        failed = beside.begin(refused)
        assert result(there) != os.getpid()
        with pytest.raises(GateFailed, match="3 rows are wrong"):
            result(failed)


def test_when_it_is_killed_the_step_asks_to_be_run_again():
    with second_process() as beside, pytest.raises(TryAgain, match="was killed: run the step again"):
        result(beside.begin(killed))


def test_an_error_of_the_body_does_not_wait_for_it():
    begun = time.monotonic()
    with pytest.raises(ValueError, match="of the body"), second_process() as beside:
        beside.begin(time.sleep, 60)
        raise ValueError("of the body")
    assert time.monotonic() - begun < 20


def test_it_ends_when_the_first_is_killed():
    first = subprocess.Popen(
        [sys.executable, "-c", WAITS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert first.stdout is not None
    second = int(first.stdout.readline())
    first.kill()
    first.wait()
    until = time.monotonic() + 20
    while time.monotonic() < until and is_alive(second):
        time.sleep(0.1)
    assert not is_alive(second)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
