"""`huaxiang models`: score every customer with the champions; where there is none, train first."""

from __future__ import annotations

import json

from huaxiang import families
from huaxiang.beside import second_process
from huaxiang.errors import HuaxiangError, MlflowAway
from huaxiang.failpoints import reach
from huaxiang.models import apart
from huaxiang.models.engines import engines
from huaxiang.models.jobs import job, snapshot_days, targets, tried
from huaxiang.models.store import bundle, catch_up
from huaxiang.settings import Run, Settings
from huaxiang.steps import step
from huaxiang.tracking import champions


def score(settings: Settings, run: Run) -> None:
    """Score every customer with the champion models; where there is none, train first, in the same Spark application.

    Families run one after another, in two processes where that is faster (`models.apart`). While MLflow is away the
    champions kept in the home score, and nothing is trained. A family that fails is left out of the run with its reason
    (`families.left_out`). Raises HuaxiangError when Spark cannot start, TryAgain when it or the second process died:
    that heals when the step is run again.
    """
    from huaxiang import tracking, warehouse

    with step("models", run, settings) as log, second_process() as beside:
        names = families.switched_on(settings)
        if not names:
            log.progress("no model is switched on in huaxiang.yml")
            return
        is_ready = apart.LONGEST in names and len(names) > 1 and champions.are_kept(settings)
        if is_ready:
            beside.begin(apart.get_ready, settings)
        tracking.ask_again(settings)
        spark = engines(settings, run, dict.fromkeys(names, ("score",)))
        catch_up(settings, log)
        new = [name for name in names if lacks_champion(settings, name)]
        actions = {name: ("train", "score") if name in new else ("score",) for name in names}
        others: tuple[str, ...] = ()
        if new:
            log.progress(f"no champion yet, so trained first: {', '.join(new)}")
            rows = warehouse.training_set(settings, run, snapshot_days(new, run), log)
            others = apart.trained_apart(settings, run, actions, rows)
        elif is_ready:
            others = apart.scored_apart(settings, run, actions)

        def begin(name: str) -> None:
            reach("models.before_family")
            families.take_back(settings, run, name)

        for name, reason in apart.worked(spark, settings, run, log, actions, others, beside, begin):
            if reason:
                families.leave_out(settings, run, name, reason)
                log.progress(f"{name}: left out of this run: {reason}")
                log.fact(f"{name} left out", 1)
        bundle(settings, run, log)
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
        spark = engines(settings, run, dict.fromkeys(names, ("score",)))
        for name in names:
            if reason := tried(spark, settings, run, log, name, ("score",)):
                raise HuaxiangError(f"{name}: cannot be scored as it was: {reason}")


def lacks_champion(settings: Settings, name: str) -> bool:
    """Whether a target has surely none: while MLflow is away nobody can say so, and nothing is trained instead.

    Where a family does not need all of its targets, one that has a champion suffices.
    """
    from huaxiang import tracking

    if tracking.away(settings):
        return False
    try:
        lacking = [tracking.champion(settings, target) is None for target in targets(settings, name)]
        return any(lacking) if job(name).NEEDS_ALL_TARGETS else all(lacking)
    except MlflowAway:
        return False


def _scored_with(settings: Settings, run: Run) -> list[str]:
    """The kept champions by which this run's tables were made, in words."""
    cards = sorted(settings.home.build(run.id).glob("*/model*.json"))
    models = [json.loads(path.read_text(encoding="utf-8")) for path in cards]
    return [
        f"{one['model']} version {one['version']}, kept in champions/{one['model']}/{one['version']} and trained on "
        f"days up to {one['training_as_of']}"
        for one in models
    ]
