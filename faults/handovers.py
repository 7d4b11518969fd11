"""F33: killed at every commit while a training and a release go to MLflow: afterwards each is there exactly once."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from faults.trial import Folder, Trial
from huaxiang.settings import Settings, load_settings
from huaxiang.tables import Home
from huaxiang.tracking import champions, handover, mlflow_store, spool
from huaxiang.tracking.fits import Fit, Training
from huaxiang.tracking.promotion import Decision

TARGET, RECIPES = "churn_28d", ("boosting", "logistic", "recency")
_RELEASE = {
    "release_id": "2024-03-31-0123456789",
    "as_of": "2024-03-31",
    "known_at": "2024-03-31",
    "fence": 1,
    "models": {TARGET: {"version": "1", "run_id": "r", "fingerprint": "f"}},
    "code": {"revision": "r"},
    "tables": {"customer_profiles": {"rows": 3}},
    "inputs": {"files": 2},
}
_SERVED = """
import mlflow


class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


mlflow.models.set_model(Model())
"""


def handovers(options: Folder, every: int = 1) -> Iterator[Trial]:
    """Kill the process that hands over at every (or every n-th) commit of MLflow's database, then go on."""
    template = a_home(options.folder / "template")
    spool.put_release(template, _RELEASE)
    undisturbed = copied(template, options.folder / "undisturbed")
    catch_up(undisturbed)
    wanted = facts(undisturbed)
    for number in count(1, every):
        home = copied(template, options.folder / f"killed-{number}")  # MLflow remembers a path
        if not _killed(home, number):  # there is no such commit any more
            return
        catch_up(home)
        yield Trial("F33 kill while MLflow is told", f"at commit {number}", facts(home) == wanted)
        shutil.rmtree(home.home.root)


def _killed(settings: Settings, fatal: int) -> bool:
    """Whether a process that hands over and is killed at this commit came so far. Forked, so that it starts at once."""
    child = os.fork()
    if child == 0:
        with at_commit(lambda number: os.kill(os.getpid(), signal.SIGKILL) if number == fatal else None):
            catch_up(settings)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def a_home(root: Path) -> Settings:
    """A home with an empty MLflow, in whose spool a training of three recipes waits."""
    settings = replace(load_settings(), home=Home(root))
    mlflow_store.connect(settings).MlflowClient().search_registered_models(max_results=1)
    spool.put_training(settings, a_training(root), {"code": {"revision": "r", "hash": "h"}, "run": []})
    return settings


def a_training(folder: Path, day: str = "2024-03-31", **changes: Any) -> Training:
    """One recipe wins, one is the challenger, one loses."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    code = folder / "portable.py"
    code.write_text(_SERVED, encoding="utf-8")
    column = Schema([ColSpec(DataType.double, "x")])
    fits = tuple(
        Fit(
            target=TARGET,
            algorithm=recipe,
            recipe=recipe,
            description="who stays away",
            fingerprint=f"{recipe}-{day}",
            as_of=day,
            parameters={"known_at": day},
            metrics={"auc": 0.7, "auc_low": 0.6, "auc_high": 0.8},
            notes=(),
            model_code=code,
            model_files={"model.json": '{"report": {"tried": []}}'},
            signature=ModelSignature(column, column),
            pip_requirements=(),
            series={"auc_by_cutoff": {1: 0.7}},
            tables={"gains": [{"share": 0.1, "found": 0.3}]},
        )
        for recipe in RECIPES
    )
    made = Training(fits, "auc", decision=Decision("boosting", "logistic", "boosting beats recency"))
    return replace(made, **changes)


def copied(settings: Settings, root: Path) -> Settings:
    """The same home in another folder, with an MLflow that keeps its files there."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(settings.home.root, root)
    return replace(settings, home=Home(root))


def catch_up(settings: Settings) -> list[str]:
    """Hand over what waits, as the next step does; what it says."""
    said: list[str] = []
    mlflow_store.ask_again(settings)
    handover.replay(settings, said.append, lambda training, champion: False)
    return said


def facts(settings: Settings) -> dict[str, Any]:
    """What MLflow has: recipes of runs, versions and their aliases, releases; what the home keeps, and what waits."""
    client = mlflow_store.connect(settings).MlflowClient()
    runs = _runs(client, TARGET)
    versions = client.search_model_versions(f"name = '{TARGET}'")
    aliases = client.get_registered_model(TARGET).aliases
    kept = champions.last(settings, TARGET)
    return {
        "runs": sorted((run.data.tags.get("recipe"), run.data.tags.get("promotion"), run.info.status) for run in runs),
        "versions": sorted((one.version, one.tags["recipe"]) for one in versions),
        "aliases": {name: str(version) for name, version in aliases.items()},
        "releases": sorted((run.info.run_name, run.info.status) for run in _runs(client, handover.RELEASES)),
        "kept": (kept.version, kept.recipe) if kept else None,
        "waiting": [path.name for path in settings.home.mlflow_spool.iterdir()],
    }


def _runs(client: Any, experiment: str) -> list[Any]:
    found = [one.experiment_id for one in client.search_experiments(filter_string=f"name = '{experiment}'")]
    return list(client.search_runs(found)) if found else []


@contextmanager
def at_commit(happens: Callable[[int], object]) -> Iterator[list[int]]:
    """Before the n-th commit of any database of this process, `happens(n)`; gives the numbers so far."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    numbers: list[int] = []

    def committing(_: object) -> None:
        numbers.append(len(numbers) + 1)
        happens(numbers[-1])

    event.listen(Engine, "commit", committing)
    try:
        yield numbers
    finally:
        event.remove(Engine, "commit", committing)
