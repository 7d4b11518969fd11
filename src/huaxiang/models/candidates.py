"""Candidates: what a training of proposed models has won with, until it is promoted or rejected.

A candidate is a registered version with the alias `candidate`; all that speaks for or against it are tags of that
version in MLflow, so the evidence stays where the model is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from huaxiang import families
from huaxiang.errors import HuaxiangError, NothingDue
from huaxiang.models.jobs import targets
from huaxiang.models.store import bundle
from huaxiang.settings import Run, Settings
from huaxiang.steps import step
from huaxiang.tracking import champions, mlflow_store, runs
from huaxiang.tracking.fits import Version
from huaxiang.tracking.mlflow_store import CANDIDATE, CHAMPION

PASSED = "passed"
_AGAINST, _SHADOW, _EVIDENCE, _DECISION, _BACKTEST = "against", "shadow", "shadow_evidence", "decision", "backtest"


@dataclass(frozen=True)
class Candidate:
    """A version that wants to be champion. `against`: the champion it won against; `shadow`: '' before it was tried
    beside that champion, then 'passed' or what was wrong."""

    version: Version
    against: str
    backtest: str
    shadow: str
    evidence: str

    @property
    def target(self) -> str:
        return self.version.target

    def in_words(self) -> str:
        tried = self.evidence or "not tried beside the champion yet"
        return f"{self.target}: version {self.version.version} for {self.against}; backtest: {self.backtest}; {tried}"


def waiting(settings: Settings) -> list[Candidate]:
    """All candidates, in the order of families. Raises MlflowAway."""
    mlflow_store.ask_again(settings)
    return list(_waiting(settings))


def _waiting(settings: Settings) -> Iterator[Candidate]:
    for family in families.switched_on(settings):
        for target in targets(settings, family):
            version = mlflow_store.aliased(settings, target, CANDIDATE)
            if version:
                with mlflow_store.asking(settings) as mlflow:
                    tags = mlflow.MlflowClient().get_model_version(target, version.version).tags
                said = (tags.get(name, "") for name in (_AGAINST, _BACKTEST, _SHADOW, _EVIDENCE))
                yield Candidate(version, *said)


def note_shadow(settings: Settings, candidate: Candidate, faults: list[str], evidence: str) -> None:
    """Keep how the candidate did beside the champion; one with faults is rejected."""
    _tag(settings, candidate, {_SHADOW: "; ".join(faults) or PASSED, _EVIDENCE: evidence})
    if faults:
        _close(settings, candidate, f"rejected: {'; '.join(faults)}")


def ask(settings: Settings, run: Run) -> str:
    """What a person has to decide, in one line. Raises NothingDue where the rule alone decides, or nothing waits."""
    if settings.approval == "rule":
        raise NothingDue("candidates: 'approval: rule' in the home's settings: what passed is promoted without asking")
    asked = [one for one in waiting(settings) if one.shadow == PASSED]
    if not asked:
        raise NothingDue("candidates: none has passed its trial beside the champion, so there is nothing to decide")
    return " · ".join(one.in_words() for one in asked)


def promote(settings: Settings, run: Run, target: str | None = None) -> list[Version]:
    """Make every candidate that has passed the champion. Raises NothingDue when none waits, HuaxiangError when the one
    that is named has not passed, or was judged against a champion that is another by now.

    One whose champion is another by now is rejected: what was measured speaks of the former one.
    """
    with step("promote", run, settings) as log:
        chosen = _chosen(settings, target)
        made = []
        for one in chosen:
            now = mlflow_store.aliased(settings, one.target, CHAMPION)
            if one.shadow != PASSED:
                if target:
                    raise HuaxiangError(
                        f"promote: {one.target} version {one.version.version} has not passed its trial beside the "
                        f"champion: run 'huaxiang shadow --as-of {run.as_of}' first"
                    )
                continue
            if now and one.against != f"version {now.version}":
                _close(settings, one, f"rejected: judged against {one.against}, but version {now.version} scores now")
                log.progress(f"{one.target}: rejected, since another champion scores by now; train again")
                continue
            _crown(settings, one)
            _close(settings, one, f"promoted with {run.as_of}")
            log.progress(f"{one.target}: version {one.version.version} is the champion")
            made.append(one.version)
        log.fact("promoted", len(made))
        if made:
            bundle(settings, run, log)
    return made


def reject(settings: Settings, run: Run, target: str | None = None, reason: str = "") -> None:
    """Let candidates go; their versions and all figures stay. Raises NothingDue when none waits."""
    with step("reject", run, settings) as log:
        chosen = _chosen(settings, target)
        for one in chosen:
            _close(settings, one, f"rejected: {reason or 'by a person'}")
            log.progress(f"{one.target}: version {one.version.version} is rejected; the champion stays")
        log.fact("rejected", len(chosen))


def _chosen(settings: Settings, target: str | None) -> list[Candidate]:
    found = [one for one in waiting(settings) if target in (None, one.target)]
    if not found:
        raise NothingDue(f"no candidate of {target} waits" if target else "no candidate waits")
    return found


def _crown(settings: Settings, one: Candidate) -> None:
    with mlflow_store.asking(settings) as mlflow:
        model = runs.downloaded(mlflow, one.version)
        mlflow.MlflowClient().set_registered_model_alias(one.target, CHAMPION, one.version.version)
    champions.keep(settings, one.version, model)


def _close(settings: Settings, one: Candidate, decision: str) -> None:
    _tag(settings, one, {_DECISION: decision})
    with mlflow_store.asking(settings) as mlflow:
        mlflow.MlflowClient().delete_registered_model_alias(one.target, CANDIDATE)


def _tag(settings: Settings, one: Candidate, tags: dict[str, str]) -> None:
    """On the version and on its run, so that both say it."""
    with mlflow_store.asking(settings) as mlflow:
        client = mlflow.MlflowClient()
        for name, value in tags.items():
            client.set_model_version_tag(one.target, one.version.version, name, value)
            client.set_tag(one.version.run_id, name, value)
