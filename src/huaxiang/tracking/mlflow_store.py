"""The MLflow of a home: connecting to it, and asking it without waiting for ever.

A question that fails since MLflow is down, hangs, answers 500, has no disk left or a locked or damaged database raises
MlflowAway, and the same step does not ask again: a step waits once, about 20 seconds at most. Its own faults (a name
that does not exist, a parameter that is too long) MLflow has answered, so they pass as they are.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

from huaxiang.errors import MlflowAway
from huaxiang.settings import Settings
from huaxiang.tracking import champions
from huaxiang.tracking.fits import Version

# What scores; the best of what lost; what has won and still has to be promoted.
CHAMPION, CHALLENGER, CANDIDATE = "champion", "challenger", "candidate"
LOCKED_SECONDS = 10.0  # that another process may hold the embedded database before it counts as away
# Read by MLflow and its libraries when they are imported, so set before.
QUIET_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}
# MLflow's own are 120 s and seven tries: a night's step would wait for a quarter of an hour at each of its questions.
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
}
# What MLflow says of a question it has understood; everything else means that it could not answer.
_ANSWERS = {
    "BAD_REQUEST_PARAMETER",
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "PERMISSION_DENIED",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
}

_away: dict[str, str] = {}  # address -> why, for the rest of the step
_found: set[str] = set()  # addresses whose database has been looked at in this step


def connect(settings: Settings) -> ModuleType:
    """MLflow, talking to this home's own store and to nobody else."""
    for name, value in {**QUIET_ENVIRONMENT, **_PATIENCE}.items():
        os.environ.setdefault(name, value)
    import mlflow

    for name in ("mlflow", "alembic", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
    settings.home.root.mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(settings.mlflow_uri)
    mlflow.set_registry_uri(settings.mlflow_uri)
    return mlflow


def connect_beside(settings: Settings) -> None:
    """Begin to connect while the caller does other work: importing MLflow takes seconds, and who asks it then waits for
    what is left of them. A fault of the import shows when it is asked."""

    def quietly() -> None:
        with suppress(Exception):
            connect(settings)

    Thread(target=quietly, name="mlflow", daemon=True).start()


@contextmanager
def asking(settings: Settings) -> Iterator[ModuleType]:
    """MLflow, to be asked in the body. Raises MlflowAway when it does not answer, or has not in this step."""
    why = away(settings)
    if why:
        raise _error(why)
    try:
        _look_at_database(settings)
        yield connect(settings)
    except MlflowAway:
        raise
    except Exception as error:
        if not _means_away(error):
            raise
        _away[settings.mlflow_uri] = _reason(error)
        raise _error(_away[settings.mlflow_uri]) from error


def away(settings: Settings) -> str | None:
    """Why MLflow is away, if this step has found that out."""
    return _away.get(settings.mlflow_uri)


def ask_again(settings: Settings) -> None:
    """A new step: MLflow may be back."""
    _away.pop(settings.mlflow_uri, None)
    _found.discard(settings.mlflow_uri)


def aliased(settings: Settings, target: str, alias: str) -> Version | None:
    """The version that bears the alias, as MLflow says. Raises MlflowAway."""
    return _version(settings, target, lambda client: client.get_model_version_by_alias(target, alias))


def numbered(settings: Settings, target: str, number: str) -> Version | None:
    """The version of that number, as MLflow says. Raises MlflowAway."""
    return _version(settings, target, lambda client: client.get_model_version(target, number))


def _version(settings: Settings, target: str, ask: Callable[[Any], Any]) -> Version | None:
    from mlflow.exceptions import MlflowException

    with asking(settings) as mlflow:
        client = mlflow.MlflowClient()
        try:
            found = ask(client)
        except MlflowException as error:
            if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                return None
            raise
        metrics = client.get_run(found.run_id).data.metrics
    tags = found.tags
    costs = json.loads(tags.get("costs", "{}"))
    return Version(
        target, str(found.version), found.run_id, tags.get("fingerprint", ""), metrics, tags.get("recipe", ""), costs
    )


def _error(why: str) -> MlflowAway:
    return MlflowAway(f"MLflow does not answer ({why}): see docs/runbooks/a-service-is-away.md")


def _means_away(error: Exception) -> bool:
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(error, MlflowException):
        return error.error_code not in _ANSWERS
    return isinstance(error, OSError | SQLAlchemyError | sqlite3.Error)


def _reason(error: Exception) -> str:
    """The kind of failure in a few words; the message itself may hold addresses and SQL, over many lines."""
    text = str(error)
    known = {
        "Connection refused": "connection refused",
        "timed out": "no answer in time",
        "too many 500": "it answers with error 500",
        "error code 5": "it answers with error 5xx",
        "too many 5": "it answers with error 5xx",
        "database is locked": "its database is locked by another process",
        "malformed": "its database is damaged",
        "not a database": "its database is damaged",
        "readonly": "its database can only be read",
        "unable to open": "its database cannot be opened",
        "No space left": "no space left on its disk",
        "disk is full": "no space left on its disk",
        "No such file": "a model's files are missing",
    }
    return next((said for mark, said in known.items() if mark in text), type(error).__name__)


def _look_at_database(settings: Settings) -> None:
    """See that the embedded database can be read and written, once a step: MLflow itself would wait for minutes.

    A database that is gone though it had champions is not made anew, since then all would be trained and promoted.
    """
    if settings.servers.mlflow or settings.mlflow_uri in _found:
        return
    file = Path(settings.mlflow_uri.removeprefix("sqlite:///"))
    if not file.exists() or not file.stat().st_size:
        if champions.are_kept(settings):
            _away[settings.mlflow_uri] = f"{file.name} is missing or empty, though this home has had champions"
            raise _error(_away[settings.mlflow_uri])
    else:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=LOCKED_SECONDS)) as database:
            database.execute("begin immediate")
            database.execute("rollback")
            said = database.execute("pragma quick_check(1)").fetchone()[0]
            if said != "ok":
                raise sqlite3.DatabaseError("malformed")
    _found.add(settings.mlflow_uri)
