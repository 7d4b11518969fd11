"""What this home is, read once from `huaxiang.yml` and the environment, and frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from huaxiang.errors import BadConfiguration, NothingDue
from huaxiang.gate_limits import GateLimits, read_limits
from huaxiang.tables import Home
from huaxiang.yaml_files import read_mapping

PROJECT = Path(__file__).resolve().parents[2]

_KEYS = {
    "name",
    "sources",
    "time_zone",
    "currency",
    "models",
    "keep_releases",
    "inbox",
    "gates",
    "last_day",
    "engine",
    "session_timeout_minutes",
    "approval",
    "retrain_days",
    "least_margin_share",
}

# Who lets a candidate that has passed its trial become champion: the rule alone, or a person.
APPROVALS = ("rule", "person")

# What the dbt models run on; dbt calls it a target.
ENGINES = ("duckdb", "spark")


@dataclass(frozen=True)
class Servers:
    """Servers that stand in for the home's own files in the scaled form; None is the embedded form.

    `airflow_db` is the address of Airflow's database, without a password; `mlflow` that of an MLflow server;
    `secrets` the folder of Airflow's secrets, made beforehand.
    """

    airflow_db: str | None = None
    mlflow: str | None = None
    secrets: Path | None = None


@dataclass(frozen=True)
class Settings:
    """One company's home. `project` holds the code, `home` all that is not code."""

    project: Path
    config: Path
    home: Home
    name: str
    sources: tuple[str, ...]
    time_zone: str
    currency: str
    models: tuple[str, ...]
    keep_releases: int
    inbox: Path
    gates: GateLimits = field(default_factory=GateLimits)
    last_day: date | None = None  # the data end here
    servers: Servers = field(default_factory=Servers)

    @property
    def mlflow_uri(self) -> str:
        """Where runs and models are kept: the home's own file, unless there is a server."""
        return self.servers.mlflow or self.home.mlflow_uri

    engine: str = "duckdb"
    session_timeout_minutes: int = 30  # a visit ends when nothing happens for longer, where its source knows no visits
    least_margin_share: float | None = None  # what leaves less of its price is recommended to nobody; None: no limit
    # Model versions that score in place of the champions, by target; a past release is made again with its own.
    pinned_models: Mapping[str, str] | None = None
    approval: str = APPROVALS[0]
    retrain_days: int = 28  # a model older than this is proposed for training
    holds_candidates: bool = False  # what wins a training becomes a candidate, where a champion can score meanwhile

    @property
    def sources_dir(self) -> Path:
        return self.config.parent / "sources"

    @property
    def contracts_dir(self) -> Path:
        return self.project / "contracts"

    @property
    def identity_policy(self) -> Path:
        """How people are recognised: beside the home's settings, else the one that comes with the code."""
        own = self.config.parent / "identity.yml"
        return own if own.exists() else self.project / "identity.yml"

    @property
    def tags_dir(self) -> Path:
        return self.project / "tags"


@dataclass(frozen=True)
class Run:
    """What a run is about: events of local days <= `as_of`, from drops loaded on days <= `known_at`."""

    as_of: date
    known_at: date

    @property
    def id(self) -> str:
        """Name of the run's private build: the day, and the later day it was known at, if it was."""
        return str(self.as_of) if self.known_at == self.as_of else f"{self.as_of}@{self.known_at}"


def require_due(settings: Settings, run: Run) -> None:
    """Raise NothingDue when the home's data have ended before the run's day."""
    if settings.last_day and run.as_of > settings.last_day:
        raise NothingDue(
            f"{run.as_of} lies after {settings.last_day}, the last day of this home's data: nothing is due; take an "
            f"earlier day, or change last_day in {settings.config}"
        )


def load_settings() -> Settings:
    """Read `HUAXIANG_CONFIG` (default: the checkout's `huaxiang.yml`) and `HUAXIANG_HOME` (default: `var/`).

    `HUAXIANG_ENGINE`, where it is set, wins over `engine` of the file; the default is DuckDB.

    Raises BadConfiguration when the file is missing, has unknown keys or values of a wrong kind.
    """
    config = Path(os.environ.get("HUAXIANG_CONFIG") or PROJECT / "huaxiang.yml").resolve()
    home = Path(os.environ.get("HUAXIANG_HOME") or PROJECT / "var").resolve()
    said = read_mapping(config, what="the home's settings")
    unknown = sorted(set(said) - _KEYS)
    if unknown:
        raise BadConfiguration(f"{config}: unknown key '{unknown[0]}'; the keys are {', '.join(sorted(_KEYS))}")
    for key in ("name", "sources", "time_zone"):
        if not said.get(key):
            raise BadConfiguration(f"{config}: '{key}' is missing; add it (docs/how-to/bring-your-data.md)")
    if not isinstance(said["sources"], list):
        raise BadConfiguration(f"{config}: 'sources' must be a list of names, such as [complete_journey]")
    try:
        ZoneInfo(str(said["time_zone"]))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadConfiguration(
            f"{config}: time_zone '{said['time_zone']}' is not an IANA zone; use one such as America/New_York"
        ) from error
    keep = said.get("keep_releases", 7)
    if not isinstance(keep, int) or keep < 2:
        raise BadConfiguration(
            f"{config}: keep_releases must be a whole number of at least 2, so that a rollback is possible"
        )
    timeout = said.get("session_timeout_minutes", 30)
    if type(timeout) is not int or timeout < 1:
        raise BadConfiguration(f"{config}: session_timeout_minutes must be a whole number of at least 1, such as 30")
    retrain_days = said.get("retrain_days", 28)
    if type(retrain_days) is not int or retrain_days < 1:
        raise BadConfiguration(f"{config}: retrain_days must be a whole number of at least 1, such as 28")
    approval = said.get("approval", APPROVALS[0])
    if approval not in APPROVALS:
        raise BadConfiguration(f"{config}: approval '{approval}' is not known; use {' or '.join(APPROVALS)}")
    margin = said.get("least_margin_share")
    if margin is not None and (type(margin) not in (int, float) or not -1 <= margin < 1):
        raise BadConfiguration(f"{config}: least_margin_share must be a share from -1 to below 1; write 10 % as 0.1")
    last_day = said.get("last_day")
    if last_day is not None and type(last_day) is not date:
        raise BadConfiguration(f"{config}: last_day '{last_day}' is not a day; write it as 2017-12-31")
    return Settings(
        project=PROJECT,
        config=config,
        home=Home(home),
        name=str(said["name"]),
        sources=tuple(map(str, said["sources"])),
        time_zone=str(said["time_zone"]),
        currency=str(said.get("currency", "")),
        models=tuple(map(str, said.get("models", []))),
        keep_releases=keep,
        inbox=(config.parent / said["inbox"]).resolve() if said.get("inbox") else home / "inbox",
        gates=read_limits(said.get("gates"), where=str(config)),
        last_day=last_day,
        servers=_servers(),
        engine=_engine(said, config),
        session_timeout_minutes=timeout,
        approval=approval,
        retrain_days=retrain_days,
        least_margin_share=None if margin is None else float(margin),
    )


def _engine(said: dict[str, Any], config: Path) -> str:
    named = os.environ.get("HUAXIANG_ENGINE")
    engine = named or str(said.get("engine", ENGINES[0]))
    if engine not in ENGINES:
        where = "HUAXIANG_ENGINE" if named else f"{config}: engine"
        raise BadConfiguration(f"{where} '{engine}' is not known; use {' or '.join(ENGINES)}")
    return engine


def _servers() -> Servers:
    """The servers that the environment names. Raises BadConfiguration for an address that cannot be used."""
    airflow_db = os.environ.get("HUAXIANG_AIRFLOW_DB") or None
    mlflow = os.environ.get("HUAXIANG_MLFLOW_URI") or None
    secrets = os.environ.get("HUAXIANG_KEYS_DIR") or None
    for name, address in (("HUAXIANG_AIRFLOW_DB", airflow_db), ("HUAXIANG_MLFLOW_URI", mlflow)):
        if address and urlsplit(address).password:
            raise BadConfiguration(
                f"{name} holds a password, which every task and log could show: leave it out of the address and name "
                "a file of mode 600 in PGPASSFILE (docs/how-to/run-the-scaled-form.md)"
            )
    if mlflow and urlsplit(mlflow).scheme not in ("http", "https"):
        raise BadConfiguration(
            "HUAXIANG_MLFLOW_URI is not an http address, such as http://127.0.0.1:5000: name a running MLflow server"
        )
    return Servers(airflow_db=airflow_db, mlflow=mlflow, secrets=Path(secrets).resolve() if secrets else None)
