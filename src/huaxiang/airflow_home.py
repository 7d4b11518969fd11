"""The orchestrator of a home: its settings, secrets and database, and how to call its command.

Airflow lives in an environment of its own and is only ever called as a command.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
from pathlib import Path

from huaxiang import ports
from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.secret_files import write_secret
from huaxiang.settings import Settings

POOL = "huaxiang_home"
WEB_USER = "admin"
WEB_PASSWORDS = "web_passwords.json"
_SECRETS = ("fernet_key", "api_secret_key", "jwt_secret")


def command(settings: Settings) -> Path:
    """The `airflow` command. Raises MissingPartition when its environment was not made."""
    path = settings.project / ".venv" / "airflow" / "bin" / "airflow"
    if not path.exists():
        raise MissingPartition("the Airflow environment is missing: run 'make setup' first")
    return path


def environment(settings: Settings) -> dict[str, str]:
    """Environment variables for every Airflow process of this home: local, quiet, and no secret among them.

    Secrets are read by Airflow itself from files of mode 600, so no task inherits them.
    """
    home = settings.home.airflow
    api = ports.url(ports.AIRFLOW)
    secret_files = _secret_files(settings)
    return {
        # These may be set from outside, where people or workers reach the services by another address.
        "AIRFLOW__API__PORT": str(ports.ports()[ports.AIRFLOW]),
        "AIRFLOW__API__BASE_URL": api,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{api}/execution/",
        "HUAXIANG_URL_MLFLOW": ports.url(ports.MLFLOW),
        "HUAXIANG_URL_SITE": ports.url(ports.SITE),
        **os.environ,
        "HUAXIANG_HOME": str(settings.home.root),
        "HUAXIANG_CONFIG": str(settings.config),
        "HUAXIANG_TIME_ZONE": settings.time_zone,
        "HUAXIANG_LAST_DAY": str(settings.last_day or ""),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.project / "dags"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Days on Airflow's command line, such as those of a back-fill, are days of the home.
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": settings.time_zone,
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
            {"type": "file", "log_file_path": str(settings.home.lineage), "append": True}
        ),
        "AIRFLOW__OPENLINEAGE__NAMESPACE": settings.name,
        # A task's source is in the repository, and its command in Airflow's log.
        "AIRFLOW__OPENLINEAGE__EMISSION_POLICY": json.dumps([{"controls": {"include_source_code": False}}]),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": settings.servers.airflow_db or f"sqlite:///{home / 'airflow.db'}",
        # In a container the server must listen on the network that only its neighbours are on.
        "AIRFLOW__API__HOST": os.environ.get("AIRFLOW__API__HOST", "127.0.0.1"),
        "AIRFLOW__API__EXPOSE_CONFIG": "False",
        "AIRFLOW__CORE__FERNET_KEY_CMD": f"cat {secret_files / 'fernet_key'}",
        "AIRFLOW__API__SECRET_KEY_CMD": f"cat {secret_files / 'api_secret_key'}",
        "AIRFLOW__API_AUTH__JWT_SECRET_CMD": f"cat {secret_files / 'jwt_secret'}",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(secret_files / WEB_PASSWORDS),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
    }


def password(settings: Settings) -> str:
    """The web page's password of `WEB_USER`, or "" before the first start."""
    path = settings.home.airflow / "secrets" / WEB_PASSWORDS
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return str(json.loads(text)[WEB_USER]) if text.strip() else ""


def become(settings: Settings, words: list[str]) -> None:
    """Go on as `airflow <words>` of this home: its servers and commands, with its settings."""
    prepare(settings)
    path = command(settings)
    os.execve(path, [path.name, *words], environment(settings))  # noqa: S606 (no shell is wanted)


def prepare(settings: Settings) -> None:
    """Make secrets, metadata database and pool at first start; cost nothing afterwards.

    A database server is prepared once by whoever starts the services, so then nothing is done here.
    Raises HuaxiangError with the end of Airflow's own output when it fails.
    """
    home = settings.home.airflow
    settings.home.lineage.parent.mkdir(parents=True, exist_ok=True)
    if settings.servers.airflow_db:
        return
    _make_secrets(_secret_files(settings))
    ready = home / "ready"
    if ready.exists():
        return
    for words in (("db", "migrate"), ("pools", "set", POOL, "1", "one writer at a time per home")):
        done = subprocess.run(
            [str(command(settings)), *words], env=environment(settings), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise HuaxiangError(
                f"'airflow {' '.join(words[:2])}' failed: {(done.stderr or done.stdout)[-600:].strip()}"
            )
    ready.touch()


def _secret_files(settings: Settings) -> Path:
    return settings.servers.secrets or settings.home.airflow / "secrets"


def _make_secrets(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in _SECRETS:
        write_secret(folder / name, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    # Made here and not by Airflow, which would write it to its log and leave the file readable for everybody.
    write_secret(folder / WEB_PASSWORDS, json.dumps({WEB_USER: secrets.token_urlsafe(12)}) + "\n")
