"""Real Airflow, in its own environment, on a home of its own."""

import json
import os
import subprocess
import time
import urllib.error
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def in_airflow():
    """Run a piece of Python in the Airflow environment and return the JSON it prints last."""

    def run(code: str, tmp: Path) -> object:
        environment = {**os.environ, "AIRFLOW_HOME": str(tmp), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
                       "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"), "PYTHONPATH": str(ROOT / "dags"),
                       "HUAXIANG_TIME_ZONE": "America/New_York"}  # fmt: skip
        python = ROOT / ".venv" / "airflow" / "bin" / "python"
        done = subprocess.run([str(python), "-c", code], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    return run


def wait_for(condition, what: str, seconds: float) -> None:
    """Ask once a second; a server that is not there yet is no answer, not a failure."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (urllib.error.URLError, ConnectionError, KeyError):
            pass
        time.sleep(1)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")
