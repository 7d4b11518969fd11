"""F31 and F32: Airflow's database locked, its services killed, in the middle of a day of the tiny shop.

The day goes on by itself, or when the services are brought up again, and its tables are those of an undisturbed home,
published once.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from faults.trial import Folder, Trial
from huaxiang.settings import PROJECT

DAYS = ("2024-04-19", "2024-04-20", "2024-04-21")
SERVICES = ("airflow-scheduler", "airflow-dag-processor", "airflow-api-server")
LOCKED_SECONDS = 60.0
_TINY_SHOP = PROJECT / "tests" / "data" / "tiny_shop"
_DAG = "/api/v2/dags/profile_daily"


def locked_database(options: Folder, seconds: float = LOCKED_SECONDS) -> Iterator[Trial]:
    """Hold Airflow's SQLite file exclusively while `huaxiang run` is at work."""
    reference, home = Shop.made(options.folder / "reference"), Shop.made(options.folder / "locked")
    _require(reference.huaxiang("run", "--as-of", DAYS[0]))
    log = (home.root / "run.log").open("w")
    running = subprocess.Popen(home.words("run", "--as-of", DAYS[0]), env=home.environment, stdout=log, stderr=log)
    _wait(lambda: home.works_on("staging"), "'staging' to work", 180)
    with contextlib.closing(sqlite3.connect(home.root / "airflow" / "airflow.db", isolation_level=None)) as held:
        held.execute("begin exclusive")
        time.sleep(seconds)
    code = running.wait(timeout=400)
    detail = f"for {seconds:.0f} s from staging on, exit code {code}"
    yield Trial("F31 Airflow's database locked", detail, code == 0 and home.released() == reference.released())


def killed_services(options: Folder) -> Iterator[Trial]:
    """Kill one of Airflow's services while a task works, bring the services up again: the run ends within 5 minutes."""
    reference, home = Shop.made(options.folder / "reference"), Shop.made(options.folder / "killed")
    for day in DAYS:
        _require(reference.huaxiang("run", "--as-of", day))
    wanted = reference.released()
    try:
        _require(home.huaxiang("up"))
        _wait(lambda: home.ask("GET", _DAG)["dag_id"], "the DAG to be known", 120)
        home.ask("PATCH", _DAG, {"is_paused": False})
        for service, day in zip(SERVICES, DAYS, strict=True):
            run = home.ask("POST", f"{_DAG}/dagRuns", {"logical_date": None, "conf": {"as_of": day}})["dag_run_id"]
            _wait(lambda: home.works_on("features"), "'features' to work", 240)
            home.kill(service)
            _require(home.huaxiang("up"))
            began, path = time.monotonic(), f"{_DAG}/dagRuns/{run}"
            with contextlib.suppress(AssertionError):
                _wait(partial(_is_over, home, path), "the run to end", 300)
            took, state = time.monotonic() - began, home.ask("GET", path)["state"]
            is_same = {day: home.released().get(day)} == {day: wanted[day]}
            detail = f"in features; {state} {took:.0f} s after 'up'"
            yield Trial(f"F32 SIGKILL of {service}", detail, state == "success" and is_same)
    finally:
        home.huaxiang("down")


@dataclass
class Shop:
    """The tiny shop in a home of its own, whose commands are processes of their own."""

    root: Path
    environment: dict[str, str]
    _ports: list[int]
    _token: dict[str, str] = field(default_factory=dict)

    @classmethod
    def made(cls, folder: Path) -> Shop:
        """Its data end with the last of DAYS, so that what the schedule starts today has nothing to do."""
        shutil.copytree(_TINY_SHOP, folder / "shop")
        config = folder / "shop" / "huaxiang.yml"
        more = f"last_day: {DAYS[-1]}\ngates: {{stale_critical_days: 60}}\n"  # drops come rarely here
        config.write_text(config.read_text(encoding="utf-8") + more, encoding="utf-8")
        numbers = _free_ports(3)
        variables = ("HUAXIANG_PORT_AIRFLOW", "HUAXIANG_PORT_MLFLOW", "HUAXIANG_PORT_SITE")
        ours = {"HUAXIANG_HOME": str(folder / "home"), "HUAXIANG_CONFIG": str(config)}
        ours |= dict(zip(variables, map(str, numbers), strict=True))
        (folder / "home").mkdir()
        return cls(folder / "home", {**os.environ, **ours}, numbers)

    def words(self, *words: str) -> list[str]:
        return [str(Path(sys.executable).with_name("huaxiang")), *words]

    def huaxiang(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(*words), env=self.environment, capture_output=True, text=True, check=False)

    def released(self) -> dict[str, list[dict[str, str]]]:
        """Day -> the content hashes of each of its releases: two of them would be a day published twice."""
        found: dict[str, list[dict[str, str]]] = {}
        for path in sorted(self.root.glob("releases/[0-9]*/MANIFEST.json")):
            said = json.loads(path.read_text(encoding="utf-8"))
            hashes = {name: table["content_hash"] for name, table in said["tables"].items()}
            found.setdefault(said["as_of"], []).append(hashes)
        return found

    def works_on(self, word: str) -> list[int]:
        """The processes of `huaxiang <word>` that work on this home (Linux)."""
        found, mark = [], f"HUAXIANG_HOME={self.root}\0".encode()
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                is_word = f"/huaxiang\0{word}\0".encode() in (process / "cmdline").read_bytes()
                if is_word and mark in (process / "environ").read_bytes():
                    found.append(int(process.name))
        return found

    def kill(self, service: str) -> None:
        said = json.loads((self.root / "services" / f"{service}.json").read_text(encoding="utf-8"))
        os.kill(said["pid"], signal.SIGKILL)

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Airflow's answer."""
        if not self._token:
            kept = json.loads((self.root / "airflow" / "secrets" / "web_passwords.json").read_text(encoding="utf-8"))
            user, password = next(iter(kept.items()))
            said = self._call("POST", "/auth/token", {"username": user, "password": password}, {})
            self._token = {"Authorization": f"Bearer {said['access_token']}"}
        return self._call(method, path, body, self._token)

    def _call(self, method: str, path: str, body: object, headers: dict[str, str]) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        address = f"http://127.0.0.1:{self._ports[0]}{path}"
        kind = {"Content-Type": "application/json"}
        request = urllib.request.Request(address, data=data, headers=kind | headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 (our own address)
            return json.load(answer)


def _is_over(home: Shop, path: str) -> bool:
    return home.ask("GET", path)["state"] in ("success", "failed")


def _wait(condition: Callable[[], Any], what: str, seconds: float) -> None:
    """Ask twice a second; a server that is not there yet is no answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError, KeyError):
            if condition():
                return
        time.sleep(0.5)
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}")


def _require(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, f"{done.args}: {(done.stderr or done.stdout)[-1500:]}"


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
