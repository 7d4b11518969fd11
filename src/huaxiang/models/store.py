"""What the models step asks of MLflow: whether it answers, what waits for it, and the bundle of the champions."""

from __future__ import annotations

from contextlib import suppress

from huaxiang import families
from huaxiang.errors import MlflowAway
from huaxiang.models.jobs import job, targets
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.tracking.fits import Training, Version


def open_store(settings: Settings) -> None:
    """Find out whether MLflow answers: `tracking.away` knows it from then on."""
    from huaxiang import tracking

    with suppress(MlflowAway):
        tracking.open_store(settings)


def catch_up(settings: Settings, log: StepLog) -> None:
    """Hand over to MLflow what waits since it was away."""
    from huaxiang import tracking
    from huaxiang.tracking.handover import replay

    def cannot_score(training: Training, champion: Version) -> bool:
        names = (name for name in families.FAMILIES if training.target in targets(settings, name))
        name = next(names, None)
        return bool(name and job(name).cannot_score(settings, champion, set(training.columns)))

    if not tracking.away(settings):
        with suppress(MlflowAway):
            replay(settings, log.progress, cannot_score)


def bundle(settings: Settings, run: Run, log: StepLog) -> None:
    """Put the champions that answer for one customer into one model; a run does not need it, so it may fail."""
    from huaxiang import tracking
    from spark_jobs.portrait import bundle as portrait

    if tracking.away(settings):  # the next run with MLflow does it
        return
    try:
        version = portrait.bundle(settings, run)
    except Exception as error:
        log.progress(f"portrait: the bundle of the champions was not made ({type(error).__name__})")
    else:
        if version:
            log.progress(f"portrait: version {version.version} bundles the champions")
