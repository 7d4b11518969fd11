"""`huaxiang up` and `huaxiang down`: start a home's services and wait until they answer; end them and nothing else."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from huaxiang import airflow_home, doctor, lease, ports, tracking
from huaxiang.errors import BadConfiguration, HuaxiangError, PortInUse
from huaxiang.memory import pss_gib
from huaxiang.services import processes
from huaxiang.services.site import current
from huaxiang.settings import Servers, Settings

HEALTHY_SECONDS = 240.0
# MLflow also runs background jobs in processes of their own; nothing here uses them, and they take half a gigabyte.
_MLFLOW_ENVIRONMENT = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


@dataclass(frozen=True)
class Service:
    """A process of the home: the command that is it, its environment, and where its log goes."""

    name: str
    words: tuple[str, ...]
    environment: dict[str, str]


def up(settings: Settings) -> str:
    """Start every service that the home needs, wait until all are healthy, and say where they are.

    Where some have ended since the last call, only those are started anew, after what they left behind was ended: a
    task of a scheduler that was killed, which Airflow then tries again. Raises BadConfiguration for a home of the
    scaled form, PortInUse before anything is started, HuaxiangError when a service ends or does not become healthy;
    then what was started has been ended again.
    """
    if settings.servers != Servers():
        raise BadConfiguration(
            "this home's database, MLflow or secrets are elsewhere (HUAXIANG_AIRFLOW_DB, HUAXIANG_MLFLOW_URI, "
            "HUAXIANG_KEYS_DIR): bring up those servers instead; 'huaxiang up' is for a home that is a folder"
        )
    with lease.hold_file(settings.home.services / "lock", "huaxiang up"):
        records = _records(settings)
        services = _services(settings)
        missing = [service for service in services if not _is_running(settings, service)]
        if not missing:
            return f"up         already up; 'make down' ends it\n\n{_table(settings)}"
        if any(_was_started_otherwise(record, services) for record in records):
            missing = services  # on other ports, say: begin afresh, so that all have the same settings
        again = [service.name for service in missing if _record(settings, service.name) in records]
        _end(settings, [service.name for service in missing] if missing != services else None)
        _require_free_ports(missing)
        airflow_home.prepare(settings)
        tracking.open_store(settings)
        begun = time.perf_counter()
        try:
            for service in missing:
                _start(settings, service)
            _wait(settings, services, _running(settings, services), begun)
        except BaseException:
            _end(settings, [service.name for service in missing])
            raise
        gib = pss_gib(process.pid for process in processes.family(_running(settings, services)))
        memory = f", {gib:.1f} GiB" if gib else ""
        anew = f", {', '.join(again)} started anew" if again and missing != services else ""
        return f"up         healthy after {time.perf_counter() - begun:.0f} s{memory}{anew}\n\n{_table(settings)}"


def down(settings: Settings) -> str:
    """End what `up` started, with all it has started itself. Harmless when nothing runs.

    Raises HuaxiangError naming the processes that live even after they were killed.
    """
    with lease.hold_file(settings.home.services / "lock", "huaxiang down"):
        ended = _end(settings)
    return f"down       ended {', '.join(ended)}" if ended else "down       nothing was up"


def is_up(settings: Settings) -> bool:
    """Whether any service that `up` started still lives."""
    return any(map(processes.is_alive, _records(settings).values()))


def _services(settings: Settings) -> list[Service]:
    """What runs, in the order of starting: the slowest to become healthy first."""
    airflow = str(airflow_home.command(settings))
    environment = airflow_home.environment(settings)
    number = ports.ports()
    work = Path(sys.executable).parent
    mlflow = (
        *(str(work / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(number[ports.MLFLOW]), "--workers", "1"),
        *("--backend-store-uri", settings.home.mlflow_uri),
        *("--artifacts-destination", settings.home.mlflow_artifacts.as_uri()),
    )
    site = (sys.executable, "-m", "huaxiang.services.site", str(settings.home.root), str(number[ports.SITE]))
    # Without their log servers, which would listen on every network interface: logs are read from disk.
    return [
        Service("airflow-api-server", (airflow, "api-server", "--workers", "1"), environment),
        Service("airflow-scheduler", (airflow, "scheduler", "--skip-serve-logs"), environment),
        Service("airflow-dag-processor", (airflow, "dag-processor"), environment),
        Service("airflow-triggerer", (airflow, "triggerer", "--skip-serve-logs"), environment),
        Service("mlflow", mlflow, {**os.environ, **tracking.QUIET_ENVIRONMENT, **_MLFLOW_ENVIRONMENT}),
        Service("site", site, dict(os.environ)),
    ]


def _start(settings: Settings, service: Service) -> processes.Process:
    return processes.start(
        _record(settings, service.name),
        service.words,
        service.environment,
        _log(settings, service.name),
        settings.project,
    )


def _is_running(settings: Settings, service: Service) -> bool:
    process = processes.recorded(_record(settings, service.name))
    return process is not None and processes.is_alive(process)


def _was_started_otherwise(record: Path, services: list[Service]) -> bool:
    words = {service.name: list(service.words) for service in services}
    return processes.started_with(record) != words.get(record.stem)


def _running(settings: Settings, services: list[Service]) -> list[processes.Process]:
    found = (processes.recorded(_record(settings, service.name)) for service in services)
    return [process for process in found if process]


def _require_free_ports(services: list[Service]) -> None:
    """The ports on which these services will listen."""
    listens = {"airflow-api-server": ports.AIRFLOW, "mlflow": ports.MLFLOW, "site": ports.SITE}
    wanted = {listens[service.name] for service in services if service.name in listens}
    for name, number in ports.ports().items():
        if name not in wanted:
            continue
        finding = doctor.port(name, number)
        if not finding.is_ok:
            raise PortInUse(f"port {finding.found}; {finding.next_step}; nothing was started")


def _wait(settings: Settings, services: list[Service], started: list[processes.Process], begun: float) -> None:
    """Until every service has said that it is healthy."""
    waiting: dict[str, Callable[[], bool]] = {
        ports.AIRFLOW: _airflow_is_healthy,
        ports.MLFLOW: lambda: _answer(f"{ports.url(ports.MLFLOW)}/health") == b"OK",
        ports.SITE: lambda: _answer(f"{ports.url(ports.SITE)}/health") == b"ok\n",
    }
    on_terminal = sys.stdout.isatty()
    while waiting:
        for service, process in zip(services, started, strict=True):
            if not processes.is_alive(process):
                raise HuaxiangError(f"{service.name} ended while starting; see {_log(settings, service.name)}")
        waiting = {name: is_healthy for name, is_healthy in waiting.items() if not is_healthy()}
        seconds = time.perf_counter() - begun
        if waiting and seconds > HEALTHY_SECONDS:
            raise HuaxiangError(
                f"{', '.join(waiting)} did not become healthy within {HEALTHY_SECONDS:.0f} s; see {settings.home.logs}"
            )
        if on_terminal:
            print(
                f"\r\x1b[K... {seconds:.0f} s, waiting for {', '.join(waiting)}" if waiting else "\r\x1b[K",
                end="",
                flush=True,
            )
        if waiting:
            time.sleep(0.5)


def _airflow_is_healthy() -> bool:
    said = _answer(f"{ports.url(ports.AIRFLOW)}/api/v2/monitor/health")
    parts = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    return bool(said) and all(json.loads(said).get(part, {}).get("status") == "healthy" for part in parts)


def _answer(url: str) -> bytes:
    """What a service says, or nothing while it does not answer."""
    try:
        # Past any proxy of the environment: these are our own addresses.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=5) as response:
            return bytes(response.read())
    except OSError:
        return b""


def _table(settings: Settings) -> str:
    """Where to look and how to log in. The password itself is for a person's terminal, never for a log."""
    kept = settings.home.airflow / "secrets" / airflow_home.WEB_PASSWORDS
    password = airflow_home.password(settings) if sys.stdout.isatty() else "(see the file)"
    rows = [
        ("Airflow", ports.url(ports.AIRFLOW), "runs, tasks and their logs"),
        ("MLflow", ports.url(ports.MLFLOW), "fits, versions and releases"),
        (
            "report",
            ports.url(ports.SITE),
            "the current release" if current(settings.home.root) else "nothing released yet",
        ),
        ("log in", f"{airflow_home.WEB_USER} / {password}", f"to Airflow; kept in {kept}"),
        ("stop", "make down", ""),
    ]
    width = max(len(address) for _, address, _ in rows)
    return "\n".join(f"{name:<10} {address:<{width}}  {note}".rstrip() for name, address, note in rows)


def _end(settings: Settings, names: Collection[str] | None = None) -> list[str]:
    """End the recorded processes (of these services) and forget them; the names of those that were still alive."""
    records = {record: one for record, one in _records(settings).items() if names is None or record.stem in names}
    alive = [record.stem for record, process in records.items() if processes.is_alive(process)]
    left = processes.end(list(records.values()))
    if left:
        numbers = ", ".join(str(process.pid) for process in left)
        raise HuaxiangError(f"process {numbers} did not end, though killed: see 'ps -fp {numbers}', then try again")
    for record in records:
        record.unlink()
    return alive


def _records(settings: Settings) -> dict[Path, processes.Process]:
    found = {record: processes.recorded(record) for record in sorted(settings.home.services.glob("*.json"))}
    return {record: process for record, process in found.items() if process}


def _record(settings: Settings, name: str) -> Path:
    return settings.home.services / f"{name}.json"


def _log(settings: Settings, name: str) -> Path:
    return settings.home.logs / f"{name}.log"
