"""What is to be done with a training: decided against the champion, and written down before anything is done."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from huaxiang.files import write_text
from huaxiang.settings import Settings
from huaxiang.tracking.fits import MEASURED, Fit, Training, Version
from huaxiang.tracking.mlflow_store import CANDIDATE, CHALLENGER, CHAMPION, aliased
from huaxiang.tracking.promotion import Decision
from huaxiang.tracking.spool import Entry

# Whether a champion cannot score with what a training had: (training, champion) -> it cannot.
CannotScore = Callable[[Training, Version], bool]


@dataclass(frozen=True)
class Plan:
    """What is to be done with a training, and the champion it was decided against."""

    key: str
    champion_run: str | None
    outcome: str
    decision: Decision | None
    is_challenger_new: bool
    against: str = ""  # the champion in words, for a candidate


def judge(fit: Fit, now: Version | None, judged_by: str, must_replace: bool = False) -> str:
    """'won', 'unchanged' or 'lost'. A refit of the recipe wins unless its whole interval lies below the champion's.

    A fit that has no such metric (it could not segment at all) loses against a champion that has it.
    """
    if now is None or must_replace:
        return "won"
    if now.fingerprint == fit.fingerprint:
        return "unchanged"
    low = now.metrics.get(f"{judged_by}_low")
    high = fit.metrics.get(f"{judged_by}_high")
    return "lost" if low is not None and (high is None or high < low) else "won"


def planned(settings: Settings, entry: Entry, training: Training, cannot_score: CannotScore | None) -> Plan:
    """The plan that was begun, if its champion is still there or was replaced by this very training; else a new one."""
    now = aliased(settings, training.target, CHAMPION)
    if entry.plan_file.exists():
        said = json.loads(entry.plan_file.read_text(encoding="utf-8"))
        decision = Decision(**said["decision"]) if said["decision"] else None
        plan = Plan(**{**said, "decision": decision})
        ours = {fit.fingerprint for fit in training.fits}
        if plan.key == entry.key and (now is None or now.run_id == plan.champion_run or now.fingerprint in ours):
            return plan
    plan = _anew(settings, entry, training, now, cannot_score)
    write_text(entry.plan_file, json.dumps(asdict(plan), indent=1) + "\n")
    return plan


def _anew(
    settings: Settings, entry: Entry, training: Training, now: Version | None, cannot_score: CannotScore | None
) -> Plan:
    """Decide against the champion as it is now, by what was measured then."""
    is_as_then = (now.run_id if now else None) == (training.against.run_id if training.against else None)
    decision, must_replace = training.decision, training.must_replace
    if not is_as_then:
        must_replace = bool(now and cannot_score and cannot_score(training, now))
        decision = training.judging.decide(now.recipe if now else None) if training.judging else decision
    is_challenger_new = False
    if decision:
        winner = next(fit for fit in training.fits if fit.recipe == decision.winner)
        is_refit = now is not None and now.recipe == winner.recipe
        outcome = judge(winner, now, training.judged_by, must_replace or not is_refit)
        second = aliased(settings, training.target, CHALLENGER)
        challenger = next((fit for fit in training.fits if fit.recipe == decision.challenger), None)
        is_challenger_new = bool(challenger and (second is None or second.fingerprint != challenger.fingerprint))
    else:
        outcome = judge(training.fits[0], now, training.judged_by, must_replace)
    if now and outcome == "won" and training.is_held and not must_replace:
        outcome = "held"
    against = f"version {now.version}" if now else ""
    return Plan(entry.key, now.run_id if now else None, outcome, decision, is_challenger_new, against)


def role_of(fit: Fit, plan: Plan) -> tuple[str | None, str]:
    """The alias a fit is to get, if any, and what became of it."""
    if fit.model_code is None:
        return None, MEASURED
    if plan.decision is None or fit.recipe == plan.decision.winner:
        return {"won": CHAMPION, "held": CANDIDATE}.get(plan.outcome), plan.outcome
    if fit.recipe == plan.decision.challenger:
        return (CHALLENGER if plan.is_challenger_new else None), "challenger"
    return None, "lost"


def told_anew(training: Training, decision: Decision) -> Training:
    """The models' files also tell which recipe won: say there what was decided in the end."""

    def told(content: str | bytes) -> str | bytes:
        said = json.loads(content)
        for one in said.get("report", {}).get("tried", []):
            if one["recipe"] not in training.left_out:
                one["outcome"] = decision.outcome(one["recipe"])
        return json.dumps(said, indent=1, sort_keys=True) + "\n"

    fits = [
        replace(
            fit,
            model_files={
                name: told(content) if name.endswith(".json") else content for name, content in fit.model_files.items()
            },
        )
        for fit in training.fits
    ]
    fits.sort(key=lambda fit: fit.recipe != decision.winner)
    return replace(training, fits=tuple(fits), decision=decision)
