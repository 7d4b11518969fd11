"""Run dbt in this process, quietly, and turn its failures into one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from huaxiang.errors import HomeBusy, HuaxiangError
from huaxiang.files import link_to
from huaxiang.settings import Run, Settings
from huaxiang.warehouse import lineage, parsed, state

# What dbt sends home and looks up by default is switched off: this is customer data, and a run fetches nothing.
_QUIET_ENVIRONMENT = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", "DBT_VERSION_CHECK": "false"}


@dataclass(frozen=True)
class Built:
    """How many models and tests an invocation ran, and each model's seconds; all of them succeeded."""

    models: int
    tests: int
    seconds: Mapping[str, float]


def build(settings: Settings, run: Run, layer: str, variables: Mapping[str, Any]) -> Built:
    """`dbt build` of one layer: its models and the tests whose inputs exist by then. Unit tests run in the test suite.

    Raises HuaxiangError naming the first failed node, its reason and its file; all dbt says is in `logs/dbt.log`.
    """
    state.begin(settings, layer)
    results = invoke(
        settings,
        run,
        ["build", "--select", layer, "--indirect-selection", "buildable", "--exclude-resource-types", "unit_test"],
        variables,
    )
    with _places(settings, run):
        lineage.record(settings)
    seconds = {result.node.name: result.execution_time for result in results if result.node.resource_type == "model"}
    return Built(models=len(seconds), tests=len(results) - len(seconds), seconds=seconds)


def invoke(settings: Settings, run: Run, arguments: list[str], variables: Mapping[str, Any]) -> list[Any]:
    """Run one dbt command on the home's warehouse and return its node results.

    Raises HuaxiangError as `build` does, and HomeBusy when another process has the warehouse file open.
    """
    home, project = settings.home, settings.project / "dbt_project"
    home.warehouse.mkdir(parents=True, exist_ok=True)
    options = {
        "--project-dir": project,
        "--profiles-dir": project,
        "--target": settings.engine,
        "--target-path": home.dbt_target,
        "--log-path": home.logs,
        "--log-level": "none",
        "--log-level-file": "info",
        "--vars": json.dumps(variables),
    }
    with _places(settings, run) as places, _engine(settings, run):
        from dbt.cli.main import dbtRunner

        with parsed.reused(settings, variables, places) as manifest:
            outcome = dbtRunner(manifest).invoke(
                [*arguments, *(str(part) for option in options.items() for part in option)]
            )
    results = list(getattr(outcome.result, "results", None) or [])
    failed = [result for result in results if str(result.status) in ("error", "fail", "runtime error")]
    log = home.logs / "dbt.log"
    if failed:
        first, others = failed[0], f", and {len(failed) - 1} more failed" if len(failed) > 1 else ""
        what = f"dbt {first.node.resource_type} {first.node.name}: {_plain(first.message)}"
        raise HuaxiangError(f"{what} (dbt_project/{first.node.original_file_path}){others}; see {log}")
    if outcome.exception and "Could not set lock" in str(outcome.exception):
        raise HomeBusy(
            f"{home.duckdb_file}: another process has it open; wait until it is done, or end it, and try again"
        )
    if outcome.exception or not outcome.success:
        raise HuaxiangError(f"dbt {arguments[0]}: {_plain(outcome.exception)}; see {log}")
    return results


@contextmanager
def _places(settings: Settings, run: Run) -> Iterator[dict[str, str]]:
    """Tell dbt's profile and sources of the home, by environment variables that are the same on every day, so that
    what dbt has read of the project stays true. The run's build is behind a link."""
    home = settings.home
    link_to(home.build_link, home.build(run.id))
    places = {
        "HUAXIANG_HOME": str(home.root),
        "HUAXIANG_WAREHOUSE": str(home.warehouse),
        "HUAXIANG_BUILD": str(home.build_link),
    }
    try:
        with _environment(_QUIET_ENVIRONMENT | places):
            yield places
    finally:
        home.build_link.unlink(missing_ok=True)


@contextmanager
def _engine(settings: Settings, run: Run) -> Iterator[None]:
    """What the engine needs around dbt: DuckDB that its file is closed, since the step goes on to read it; Spark a
    session whose catalogue is filled and kept."""
    if settings.engine == "duckdb":
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager

        try:
            yield
        finally:
            if DuckDBConnectionManager._ENV is not None:
                DuckDBConnectionManager._ENV.close()
        return
    from huaxiang.warehouse import spark

    session = spark.open_catalogue(settings, run)
    try:
        yield
    finally:
        spark.keep_catalogue(settings, session)


def _plain(message: object) -> str:
    return " ".join(str(message).split())


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the body; dbt reads its paths from there."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
