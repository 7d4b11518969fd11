"""The orchestrator of a home: its settings, secrets and database, and how to call its command.

Airflow lives in an environment of its own and is only ever called as a command.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from huaxiang import ports
from huaxiang.errors import BadConfiguration, HuaxiangError, MissingPartition, TryAgain
from huaxiang.secret_files import write_secret
from huaxiang.settings import Settings

POOL = "huaxiang_home"
PARALLELISM = "2"
WEB_USER = "admin"
WEB_PASSWORDS = "web_passwords.json"
_SECRETS = ("fernet_key", "api_secret_key", "jwt_secret")
# How long Airflow waits for its embedded database while another process holds it; its default are 5 s. A task waits a
# little longer for the API server, and counts as dead when it has said nothing for twice as long.
LOCKED_SECONDS = 90
_PATIENCE = {
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": str(LOCKED_SECONDS + 10),
    "AIRFLOW__WORKERS__EXECUTION_API_RETRIES": "10",  # with the waits in between: an API server that is started anew
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MAX": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(2 * LOCKED_SECONDS),
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "60",  # what a dead scheduler left; its default are 5 minutes
}


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
        **_PATIENCE,
        **os.environ,
        "HUAXIANG_HOME": str(settings.home.root),
        "HUAXIANG_CONFIG": str(settings.config),
        "HUAXIANG_TIME_ZONE": settings.time_zone,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(settings.project / "dags"),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": PARALLELISM,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Days on Airflow's command line, such as those of a back-fill, are days of the home.
        "AIRFLOW__CORE__DEFAULT_TIMEZONE": settings.time_zone,
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(
            {"type": "file", "log_file_path": str(settings.home.lineage), "append": True}
        ),
        "AIRFLOW__OPENLINEAGE__NAMESPACE": settings.name,
        # A task's source is in the repository, and its command in Airflow's log.
        "AIRFLOW__OPENLINEAGE__EMISSION_POLICY": json.dumps([{"controls": {"include_source_code": False}}]),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": settings.servers.airflow_db
        or f"sqlite:///{_database(settings)}?timeout={LOCKED_SECONDS}",
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
    Raises HuaxiangError with the end of Airflow's own output when it fails, or when the database is missing, damaged or
    held by another process; BadConfiguration when more would work at once than SQLite can take.
    """
    home = settings.home.airflow
    settings.home.lineage.parent.mkdir(parents=True, exist_ok=True)
    if settings.servers.airflow_db:
        return
    _require_few_tasks()
    _make_secrets(_secret_files(settings))
    ready = home / "ready"
    if ready.exists():
        _require_database(settings, ready)
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


def _database(settings: Settings) -> Path:
    return settings.home.airflow / "airflow.db"


def _require_few_tasks() -> None:
    """SQLite takes one writer at a time, so with it Airflow works on two tasks at most."""
    wanted = os.environ.get("AIRFLOW__CORE__PARALLELISM", PARALLELISM)
    if not wanted.isdigit() or int(wanted) > int(PARALLELISM):
        raise BadConfiguration(
            f"AIRFLOW__CORE__PARALLELISM is {wanted}: this home's Airflow keeps its database in SQLite, which takes "
            f"one writer at a time, so {PARALLELISM} is the most; leave it out, or name a Postgres database in "
            "HUAXIANG_AIRFLOW_DB (docs/how-to/run-the-scaled-form.md)"
        )


def _require_database(settings: Settings, ready: Path) -> None:
    """The database that was made is there, whole, and can be written."""
    file = _database(settings)
    said = "it is missing"
    if file.exists():
        try:
            with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=LOCKED_SECONDS)) as database:
                database.execute("begin immediate")
                database.execute("rollback")
                database.execute("select version_num from alembic_version").fetchone()
                said = database.execute("pragma quick_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            said = str(error)
            if "locked" in said:
                raise TryAgain(
                    f"{file}: another process has held Airflow's database for {LOCKED_SECONDS} s: 'fuser -v {file}' "
                    "names it; end it, then try again"
                ) from error
    if said != "ok":
        raise HuaxiangError(
            f"{file}: Airflow's database cannot be used ({said}). No portrait is in it, only the history of runs: put "
            f"it back from a backup, or remove {ready} and what is left of {file.name}; then a new one is made"
        )


def _secret_files(settings: Settings) -> Path:
    return settings.servers.secrets or settings.home.airflow / "secrets"


def _make_secrets(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in _SECRETS:
        write_secret(folder / name, base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    # Made here and not by Airflow, which would write it to its log and leave the file readable for everybody.
    passwords = folder / WEB_PASSWORDS
    if passwords.exists() and not passwords.stat().st_size:  # as homes once had it
        passwords.unlink()
    write_secret(passwords, json.dumps({WEB_USER: secrets.token_urlsafe(12)}) + "\n")
