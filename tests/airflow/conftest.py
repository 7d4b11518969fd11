"""Real Airflow, in its own environment, on a home of its own."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from huaxiang import airflow_home

ROOT = Path(__file__).resolve().parents[2]
TINY_SHOP = ROOT / "tests" / "data" / "tiny_shop"


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


class Services:
    """API server, scheduler and DAG processor of a home, as processes of their own on a free port."""

    def __init__(self, settings) -> None:
        self.settings = settings
        self.base = f"http://127.0.0.1:{_free_port()}"
        environment = airflow_home.environment(settings) | {
            "AIRFLOW__API__PORT": self.base.rsplit(":", 1)[1],
            "AIRFLOW__API__BASE_URL": self.base,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.base}/execution/",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        }
        self._processes = [
            self._start(words, environment)
            for words in (["api-server"], ["scheduler", "--skip-serve-logs"], ["dag-processor"])
        ]

    def _start(self, words, environment) -> subprocess.Popen:
        log = (self.settings.home.root / f"{words[0]}.log").open("w")
        # A session of its own: a signal to the group also ends the children, which the parent alone would leave behind.
        return subprocess.Popen(
            [str(airflow_home.command(self.settings)), *words],
            env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def wait_until_healthy(self) -> None:
        def healthy() -> bool:
            said = json.load(urllib.request.urlopen(f"{self.base}/api/v2/monitor/health", timeout=5))
            return all(said[part]["status"] == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))

        wait_for(healthy, "Airflow to be healthy", seconds=180)
        passwords = self.settings.home.airflow / "secrets" / airflow_home.WEB_PASSWORDS
        assert passwords.stat().st_mode & 0o777 == 0o600
        user, password = next(iter(json.loads(passwords.read_text()).items()))
        self._token = self.call("POST", "/auth/token", {"username": user, "password": password})["access_token"]

    def call(self, method: str, path: str, body: object = None) -> dict:
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "_token"):
            headers["Authorization"] = f"Bearer {self._token}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)
        return json.load(urllib.request.urlopen(request, timeout=30))

    def stop(self) -> None:
        for process in self._processes:
            os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


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


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
