"""The orchestrator of a home: its settings, secrets and database, and how to call its command.

Airflow lives in an environment of its own and is only ever called as a command.
"""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
from pathlib import Path

from huaxiang.errors import HuaxiangError, MissingPartition
from huaxiang.secret_files import write_secret
from huaxiang.settings import Settings

POOL = "huaxiang_home"
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
    secret_files = _secret_files(settings)
    return {
        **os.environ,
        "HUAXIANG_HOME": str(settings.home.root),
        "HUAXIANG_CONFIG": str(settings.config),
        "HUAXIANG_TIME_ZONE": settings.time_zone,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.project / "dags"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": "2",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Days on Airflow's command line, such as those of a back-fill, are days of the home.
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": settings.time_zone,
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
    ready = home / "ready"
    if settings.servers.airflow_db or ready.exists():
        return
    _make_secrets(_secret_files(settings))
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
    # Airflow writes the web page's password there; made first, so that nobody else can read it.
    (folder / WEB_PASSWORDS).touch(mode=0o600)
