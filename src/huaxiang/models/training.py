"""`huaxiang train`: fit, judge and register the home's models."""

from __future__ import annotations

from dataclasses import replace

from huaxiang import families
from huaxiang.beside import second_process
from huaxiang.errors import HuaxiangError, MlflowAway
from huaxiang.models import apart, proposal
from huaxiang.models.engines import engines
from huaxiang.models.jobs import snapshot_days, targets
from huaxiang.models.store import bundle, catch_up, open_store
from huaxiang.settings import Run, Settings
from huaxiang.steps import step


def train_proposed(settings: Settings, run: Run) -> None:
    """Train the families of which a model was proposed; what wins becomes a candidate, the champions stay meanwhile.

    Raises MissingPartition where nothing was proposed for the day, else as `train` does.
    """
    proposed = set(proposal.read(settings, run).reasons)
    names = tuple(name for name in families.switched_on(settings) if proposed.intersection(targets(settings, name)))
    train(replace(settings, holds_candidates=True, models=names), run)


def train(settings: Settings, run: Run) -> None:
    """Fit, judge and register the home's models, on data up to `as_of`.

    Builds the training set first, in a copy of the warehouse: a daily run of another day that is between two steps does
    not notice. What an earlier training left for MLflow is handed over before; a family of which that was this very
    training is not trained again. Raises HuaxiangError when Spark cannot start, and, after all others were trained,
    when a family failed; MlflowAway when what was trained has to wait.
    """
    from huaxiang import tracking, warehouse

    with step("train", run, settings) as log, warehouse.training_build(settings, run) as settings:
        switched_on = families.switched_on(settings)
        if not switched_on:
            log.progress("no model is switched on in huaxiang.yml")
            return
        tracking.ask_again(settings)
        done = tracking.waiting(settings, run)
        if done:
            log.progress(f"trained by an earlier call already: {', '.join(sorted(done))}")
        names = [name for name in switched_on if not done.issuperset(targets(settings, name))]
        failed = {}
        open_store(settings)
        catch_up(settings, log)
        if names:
            rows = warehouse.training_set(settings, run, snapshot_days(names, run), log)
            actions = dict.fromkeys(names, ("train",))
            spark = engines(settings, run, actions)
            others = apart.trained_apart(settings, run, actions, rows)
            with second_process() as beside:
                done_now = apart.worked(spark, settings, run, log, actions, others, beside)
                failed = {name: reason for name, reason in done_now if reason}
        bundle(settings, run, log)
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
