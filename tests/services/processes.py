"""The services of docker-compose.yml as processes of this machine, on free ports of 127.0.0.1."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "work" / "bin"
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


class Processes:
    """What a test starts, and ends again: each process in a group of its own, its log in `logs`."""

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self._running: list[tuple[str, subprocess.Popen, int]] = []
        self._commands: dict[str, tuple[list, dict]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, command: list, environment: dict, ended_by: int = signal.SIGTERM) -> None:
        self._commands[name] = command, environment
        with (self.logs / f"{name}.log").open("a") as log:
            process = subprocess.Popen(
                list(map(str, command)),
                env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._running.append((name, process, ended_by))

    def end(self, name: str) -> None:
        """End one of them, which `wait_for(revives=True)` or `revive` starts again."""
        process, ended_by = next((process, ended_by) for each, process, ended_by in self._running if each == name)
        _signal_group(process, ended_by)
        process.wait(timeout=60)

    def revive(self, but: str = "") -> list[str]:
        """Start what has ended anew, as the containers' `restart: unless-stopped` does; the names."""
        ended = [(name, ended_by) for name, process, ended_by in self._running if process.poll() is not None]
        for name, ended_by in ended:
            if name != but:
                place = next(place for place, running in enumerate(self._running) if running[0] == name)
                self.start(name, *self._commands[name], ended_by)
                self._running[place] = self._running.pop()
        return [name for name, _ in ended if name != but]

    def wait_for(self, condition: Callable[[], bool], what: str, seconds: float, revives: bool = False) -> None:
        """Ask once a second; a server that is not there yet is no answer, one that has ended is a failure."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError, KeyError):
                if condition():
                    return
            if revives:
                self.revive()
            for name, process, _ in self._running:
                assert process.poll() is None, f"'{name}' has ended:\n{(self.logs / f'{name}.log').read_text()[-3000:]}"
            time.sleep(1)
        raise AssertionError(f"waited {seconds:.0f} s in vain for {what}; the logs are in {self.logs}")

    def stop(self) -> None:
        """End all; the first, which the others need, comes last. Whoever does not listen within 20 s is killed."""
        for running in (self._running[1:], self._running[:1]):
            for _, process, ended_by in running:
                _signal_group(process, ended_by)
            for _, process, _ in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=20)
                _signal_group(process, signal.SIGKILL)  # also what the parent left behind
                process.wait()
        self._running.clear()
        for pid in _working_below(self.logs.parent):  # a task, which Airflow starts in a session of its own
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _working_below(folder: Path) -> list[int]:
    """The processes whose home is in `folder` (Linux)."""
    found, mark = [], f"HUAXIANG_HOME={folder}/".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (process / "environ").read_bytes() and int(process.name) != os.getpid():
                found.append(int(process.name))
    return found


def _signal_group(process: subprocess.Popen, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


class Postgres:
    """A cluster of Debian's PostgreSQL that asks for SCRAM passwords; its roles are made by the script of the image."""

    def __init__(self, processes: Processes, folder: Path, secrets: Path) -> None:
        self.port, self.secrets = free_port(), secrets
        self._folder = folder
        self._programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        password = folder / "password"
        password.write_text((secrets / "postgres_password").read_text())
        if os.getuid() == 0:  # which Postgres refuses to be
            for path in (folder, password):
                shutil.chown(path, "postgres", "postgres")
        data = folder / "data"
        initdb = [self._programs / "initdb", "--pgdata", data, "--username", "postgres", "--encoding", "UTF8"]
        initdb += ["--locale", "C.UTF-8", "--auth", "scram-sha-256", "--pwfile", password, "--no-sync"]
        run(self._as_postgres(initdb))
        password.unlink()
        options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}", "-p", self.port]
        # SIGINT is Postgres' quick and clean end: it does not wait for clients to go.
        processes.start(
            "postgres", self._as_postgres([self._programs / "postgres", "-D", data, *options]), quiet(), signal.SIGINT
        )
        ready = [self._programs / "pg_isready", "--host", "127.0.0.1", "--port", self.port, "--quiet"]
        processes.wait_for(lambda: subprocess.run(list(map(str, ready)), check=False).returncode == 0, "Postgres", 60)
        roles = quiet(POSTGRES_USER="postgres", SECRETS=str(secrets), PGHOST=str(folder), PGPORT=str(self.port),
                      PGPASSWORD=(secrets / "postgres_password").read_text())  # fmt: skip
        run([ROOT / "docker" / "postgres" / "roles.sh"], roles)

    def address(self, service: str) -> str:
        """Without a password; the driver is named, since SQLAlchemy's default is one that no lock holds."""
        return f"postgresql+psycopg2://{service}@127.0.0.1:{self.port}/{service}"

    def ask(self, sql: str, role: str, database: str) -> subprocess.CompletedProcess:
        """What psql says to `role`, who knows its own password."""
        words = ["psql", "--no-psqlrc", "--tuples-only", "--no-align", "--no-password", "--command", sql]
        words += ["--host", "127.0.0.1", "--port", str(self.port), "--username", role, "--dbname", database]
        password = (self.secrets / f"{role}_pgpass").read_text().strip().split(":")[-1]
        environment = quiet(PGPASSWORD=password)
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=30)

    def _as_postgres(self, command: list) -> list:
        if os.getuid():
            return command
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command]


class Mlflow:
    """MLflow's server on Postgres, as the service `mlflow` of docker-compose.yml starts it."""

    def __init__(self, processes: Processes, postgres: Postgres, artifacts: Path) -> None:
        port, self.processes = free_port(), processes
        self.uri = f"http://127.0.0.1:{port}"
        places = {"0.0.0.0": "127.0.0.1", ":5000": f":{port}", "--port=5000": f"--port={port}",
                  "--workers=2": "--workers=1", "@postgres/": f"@127.0.0.1:{postgres.port}/",
                  "=/mlartifacts": f"={artifacts}"}  # fmt: skip
        environment = quiet(PGPASSFILE=str(postgres.secrets / "mlflow_pgpass"), DO_NOT_TRACK="true",
                            MLFLOW_DISABLE_TELEMETRY="true", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")  # fmt: skip
        processes.start("mlflow", command_of("mlflow", places), environment)

    def wait_until_healthy(self) -> None:
        self.processes.wait_for(lambda: fetch(f"{self.uri}/health") == b"OK", "MLflow", 180)


class Spark:
    """A standalone master and one worker, which ask each other and every application for the cluster's secret."""

    def __init__(self, processes: Processes, folder: Path, secrets: Path) -> None:
        import pyspark

        self.processes = processes
        port, self._page, worker_page = free_port(), free_port(), free_port()
        self.master, self.secrets = f"spark://127.0.0.1:{port}", secrets
        home = Path(pyspark.__file__).parent
        environment = quiet(SPARK_HOME=str(home), SPARK_CONF_DIR=str(secrets), SPARK_LOCAL_IP="127.0.0.1",
                            SPARK_DAEMON_MEMORY="512m", PYSPARK_PYTHON=sys.executable)  # fmt: skip
        places = {"7077": str(port), "8080": str(self._page), "spark-master": "127.0.0.1", "8081": str(worker_page),
                  "2g": "1500m", "/tmp/spark": str(folder)}  # fmt: skip
        processes.start("spark-master", command_of("spark-master", places), environment)
        processes.wait_for(lambda: self.state()["status"] == "ALIVE", "the Spark master", 60)
        processes.start("spark-worker", command_of("spark-worker", places), environment)

    def wait_until_healthy(self) -> None:
        self.processes.wait_for(lambda: self.state()["aliveworkers"] == 1, "the Spark worker", 60)

    def state(self) -> dict:
        """What the master says of itself, its workers and its applications."""
        return json.loads(fetch(f"http://127.0.0.1:{self._page}/json/"))


class Airflow:
    """Airflow's four services on Postgres, each started by `huaxiang airflow`, as in docker-compose.yml."""

    SERVICES = ("airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer")

    def __init__(self, processes: Processes, environment: dict, secrets: Path) -> None:
        self.processes = processes
        self._base = f"http://127.0.0.1:{free_port()}"
        self._passwords = secrets / "web_passwords.json"
        self._token = ""
        environment = environment | {
            "AIRFLOW__API__PORT": self._base.rsplit(":", 1)[1],
            "AIRFLOW__API__BASE_URL": self._base,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._base}/execution/",
            "AIRFLOW__API__WORKERS": "1",
        }
        run(command_of("airflow-init"), environment | self._keys("airflow-init", secrets))
        for service in self.SERVICES:
            processes.start(service, command_of(service), environment | self._keys(service, secrets))

    @staticmethod
    def _keys(service: str, secrets: Path) -> dict[str, str]:
        """A folder with the secrets that docker-compose.yml gives to the service, and with no other."""
        folder = secrets.parent / "keys" / service
        folder.mkdir(parents=True)
        mounted = [Path(mount["source"]) for mount in COMPOSE[service]["volumes"]]
        for name in [*COMPOSE[service]["secrets"], *(path.name for path in mounted if path.parent.name == ".secrets")]:
            (folder / name).hardlink_to(secrets / name)
        has_cluster = (folder / "spark-defaults.conf").exists()
        return {"HUAXIANG_KEYS_DIR": str(folder), "PGPASSFILE": str(folder / "airflow_pgpass")} | (
            {"SPARK_CONF_DIR": str(folder)} if has_cluster else {}
        )

    def wait_until_healthy(self) -> None:
        parts = ("metadatabase", "scheduler", "dag_processor", "triggerer")

        def healthy() -> bool:
            said = json.loads(fetch(f"{self._base}/api/v2/monitor/health"))
            return all(said[part]["status"] == "healthy" for part in parts)

        self.processes.wait_for(healthy, "Airflow", 240)
        user, password = next(iter(json.loads(self._passwords.read_text()).items()))
        self._token = self.call("POST", "/auth/token", {"username": user, "password": password})["access_token"]

    def call(self, method: str, path: str, body: object = None) -> dict:
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self._token}"} if self._token else {}
        )
        data = json.dumps(body).encode() if body is not None else None
        return json.loads(fetch(urllib.request.Request(self._base + path, data=data, headers=headers, method=method)))


def command_of(service: str, places: dict[str, str] | None = None) -> list[str]:
    """The service's command in docker-compose.yml, with names and ports of the containers' network replaced."""
    words = COMPOSE[service]["command"]
    for old, new in (places or {}).items():
        words = [word.replace(old, new) for word in words]
    return words


def quiet(**more: str) -> dict[str, str]:
    """The environment without what this machine's user may have set for Postgres, Spark, Airflow or us.

    The commands of the environment `work` are found, as in its image.
    """
    ours = ("HUAXIANG_", "PG", "SPARK_", "PYSPARK_", "AIRFLOW", "MLFLOW_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"PATH": f"{BIN}:{os.environ['PATH']}"} | more


def run(command: list, environment: dict | None = None) -> str:
    done = subprocess.run(list(map(str, command)), env=environment or quiet(), capture_output=True, text=True,
                          check=False, timeout=300)  # fmt: skip
    assert done.returncode == 0, f"{command[0]}: {(done.stderr or done.stdout)[-1500:]}"
    return done.stdout


def fetch(request: str | urllib.request.Request) -> bytes:
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
