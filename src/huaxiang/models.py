"""The models step: fit and register models (`train`), score every customer with the champions (`score`).

All families run one after another, in one Spark application where any of them needs Spark; where none does, it is not
started. One that fails is left out and the others go on.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

from huaxiang import families
from huaxiang.disk import is_full
from huaxiang.errors import HuaxiangError, MlflowAway, TryAgain
from huaxiang.failpoints import reach
from huaxiang.fits import Training, Version
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog, step

if TYPE_CHECKING:
    from spark_jobs.session import LazySession


def train(settings: Settings, run: Run) -> None:
    """Fit, judge and register the home's models, on data up to `as_of`.

    Builds the training set first, in a copy of the warehouse: a daily run of another day that is between two steps does
    not notice. What an earlier training left for MLflow is handed over before; a family of which that was this very
    training is not trained again. Raises HuaxiangError when Spark cannot start, and, after all others were trained,
    when a family failed; MlflowAway when what was trained has to wait.
    """
    from huaxiang import tracking, warehouse

    with step("train", run, settings) as log, warehouse.training_build(settings, run) as settings:
        switched_on = _names(settings, log)
        if not switched_on:
            return
        tracking.ask_again(settings)
        done = tracking.waiting(settings, run)
        if done:
            log.progress(f"trained by an earlier call already: {', '.join(sorted(done))}")
        names = [name for name in switched_on if not done.issuperset(_targets(settings, name))]
        failed = {}
        _open_store(settings)
        _catch_up(settings, log)
        if names:
            warehouse.training_set(settings, run, _snapshot_days(names, run), log)
            spark = _engines(settings, run, dict.fromkeys(names, ("train",)))
            failed = {name: reason for name in names if (reason := _tried(spark, settings, run, log, name, ("train",)))}
        _bundle(settings, run, log)
    if failed:
        said = "; ".join(f"{name}: {reason}" for name, reason in failed.items())
        raise HuaxiangError(f"{len(failed)} of {len(names)} model families could not be trained: {said}")
    waiting = sorted(tracking.waiting(settings))
    if waiting:
        raise MlflowAway(
            f"MLflow does not answer ({tracking.away(settings)}), so nothing is promoted: what was trained "
            f"({', '.join(waiting)}) waits in {settings.home.mlflow_spool}, and the next 'train' or 'models' with "
            "MLflow back registers it"
        )


def score(settings: Settings, run: Run) -> None:
    """Score every customer with the champion models; where there is none, train first, in the same Spark application.

    While MLflow is away the champions kept in the home score, and nothing is trained. A family that fails is left out
    of the run with its reason (`families.left_out`). Raises HuaxiangError when Spark cannot start or has died: that
    heals when the step is run again.
    """
    from huaxiang import tracking, warehouse

    with step("models", run, settings) as log:
        names = _names(settings, log)
        if not names:
            return
        tracking.ask_again(settings)
        spark = _engines(settings, run, dict.fromkeys(names, ("score",)))
        _catch_up(settings, log)
        new = [name for name in names if _lacks_champion(settings, name)]
        if new:
            log.progress(f"no champion yet, so trained first: {', '.join(new)}")
            warehouse.training_set(settings, run, _snapshot_days(new, run), log)
        for name in names:
            reach("models.before_family")
            families.take_back(settings, run, name)
            actions = ("train", "score") if name in new else ("score",)
            reason = _tried(spark, settings, run, log, name, actions)
            if reason:
                families.leave_out(settings, run, name, reason)
                log.progress(f"{name}: left out of this run: {reason}")
                log.fact(f"{name} left out", 1)
        _bundle(settings, run, log)
        if tracking.away(settings):
            log.fact("MLflow", f"away ({tracking.away(settings)})")
            for said in _scored_with(settings, run):
                log.progress(f"MLflow does not answer: scored with {said}")


def score_pinned(settings: Settings, run: Run) -> None:
    """Score with the pinned versions, as a past run did: nothing is trained, registered, bundled or left out anew.

    Raises HuaxiangError naming the family that could not be scored.
    """
    with step("models", run, settings) as log:
        names = families.expected(settings, run)
        if not names:
            return
        spark = _engines(settings, run, dict.fromkeys(names, ("score",)))
        for name in names:
            if reason := _tried(spark, settings, run, log, name, ("score",)):
                raise HuaxiangError(f"{name}: cannot be scored as it was: {reason}")


def _names(settings: Settings, log: StepLog) -> tuple[str, ...]:
    names = families.switched_on(settings)
    if not names:
        log.progress("no model is switched on in huaxiang.yml")
    return names


def _tried(
    spark: LazySession, settings: Settings, run: Run, log: StepLog, name: str, actions: tuple[str, ...]
) -> str | None:
    """Do a family's actions; None when all went well, else the reason. Raises when it was Spark that died."""
    try:
        for action in actions:
            getattr(_job(name), action)(spark, settings, run, log)
    except Exception as error:
        if is_full(error):  # it is the home that cannot go on, not the family
            raise
        _require_alive(spark, error)
        return str(error) if isinstance(error, HuaxiangError) else _kept(settings, name, error)
    finally:
        # A family that failed has not let go of its cached frames: Spark would give them to whoever asks for the same
        # plan later, though the files behind it are others by then.
        with suppress(Exception):  # where Spark itself has died
            if spark.started:
                spark.started.catalog.clearCache()
    return None


def _kept(settings: Settings, name: str, error: Exception) -> str:
    """Keep where a fault of the program happened, without its message: that may hold a customer's value."""
    log = settings.home.logs / "models.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as lines:
        lines.write(f"{name}: {type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}\n")
    return (
        f"{type(error).__name__} in spark_jobs/{name}, a fault of the program: logs/models.log of the home says where"
    )


def _require_alive(spark: LazySession, error: Exception) -> None:
    try:
        if spark.started:
            spark.started.range(1).count()
    except Exception:
        raise TryAgain(f"Spark stopped while it worked ({type(error).__name__}): run the step again") from error


def _lacks_champion(settings: Settings, name: str) -> bool:
    """Whether a target has surely none: while MLflow is away nobody can say so, and nothing is trained instead.

    Of declared targets a home may lack the source of some for good: one that has a champion suffices.
    """
    from huaxiang import tracking

    if tracking.away(settings):
        return False
    try:
        lacking = [tracking.champion(settings, target) is None for target in _targets(settings, name)]
        return all(lacking) if hasattr(_job(name), "targets") else any(lacking)
    except MlflowAway:
        return False


def _open_store(settings: Settings) -> None:
    """Find out whether MLflow answers: `tracking.away` knows it from then on."""
    from huaxiang import tracking

    with suppress(MlflowAway):
        tracking.open_store(settings)


def _catch_up(settings: Settings, log: StepLog) -> None:
    """Hand over to MLflow what waits since it was away."""
    from huaxiang import tracking
    from huaxiang.handover import replay

    def cannot_score(training: Training, champion: Version) -> bool:
        names = (name for name in families.FAMILIES if training.target in _targets(settings, name))
        name = next(names, None)
        return bool(name and _job(name).cannot_score(settings, champion, set(training.columns)))

    if not tracking.away(settings):
        with suppress(MlflowAway):
            replay(settings, log.progress, cannot_score)


def _scored_with(settings: Settings, run: Run) -> list[str]:
    """The kept champions by which this run's tables were made, in words."""
    cards = sorted(settings.home.build(run.id).glob("*/model*.json"))
    models = [json.loads(path.read_text(encoding="utf-8")) for path in cards]
    return [
        f"{one['model']} version {one['version']}, kept in champions/{one['model']}/{one['version']} and trained on "
        f"days up to {one['training_as_of']}"
        for one in models
    ]


def _bundle(settings: Settings, run: Run, log: StepLog) -> None:
    """Put the champions that answer for one customer into one model; a run does not need it, so it may fail."""
    from huaxiang import tracking
    from spark_jobs.portrait.bundle import bundle

    if tracking.away(settings):  # the next run with MLflow does it
        return
    try:
        version = bundle(settings, run)
    except Exception as error:
        log.progress(f"portrait: the bundle of the champions was not made ({type(error).__name__})")
    else:
        if version:
            log.progress(f"portrait: version {version.version} bundles the champions")


def _snapshot_days(names: tuple[str, ...] | list[str], run: Run) -> list[Any]:
    """The days before `as_of` whose features the families learn from."""
    return sorted({day for name in names for day in _job(name).snapshot_days(run.as_of)})


def _job(name: str) -> Any:
    """A family's job: `TARGETS`, or `targets(settings)` where they are declared, `snapshot_days(as_of)`, `train` and
    `score` (spark, settings, run, log), `cannot_score(settings, champion, columns)`, and `needs_spark(settings, run,
    action)`: the session starts when it is used, and beside MLflow where it is known that it will be."""
    return import_module(f"spark_jobs.{name}.job")


def _targets(settings: Settings, name: str) -> tuple[str, ...]:
    job = _job(name)
    found: tuple[str, ...] = job.targets(settings) if hasattr(job, "targets") else job.TARGETS
    return found


def _engines(settings: Settings, run: Run, actions: Mapping[str, tuple[str, ...]]) -> LazySession:
    """Start MLflow, and beside it Spark where a family's action needs it: each takes seconds, mostly waiting for the
    other's kind of work."""
    from spark_jobs.session import LazySession

    spark = LazySession(settings.home.warehouse, settings.home.logs / "spark.log")
    is_needed = any(_needs_spark(settings, run, name, action) for name, said in actions.items() for action in said)
    with ThreadPoolExecutor(max_workers=1) as beside:
        started = beside.submit(spark.start) if is_needed else None
        _open_store(settings)
        if started:
            started.result()
    return spark


def _needs_spark(settings: Settings, run: Run, name: str, action: str) -> bool:
    job = _job(name)
    try:
        return bool(job.needs_spark(settings, run, action))
    except HuaxiangError:
        return False  # what it lacks, the action itself will say
