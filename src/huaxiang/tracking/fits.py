"""A fit as it is to be kept, a registered version, and a training: the fits of a target and what decides among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.tracking.promotion import Decision, Judging

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.models import ModelSignature


MEASURED = "measured"  # what becomes of a fit without a model: a run with figures, which nothing can promote


@dataclass(frozen=True)
class Fit:
    """One fit as it is to be kept. It holds figures, pictures and the model: never a row about a customer. What could
    answer only by such rows has no model (`model_code` and `signature` are None) and is measured only."""

    target: str
    algorithm: str
    description: str
    fingerprint: str
    as_of: str
    parameters: Mapping[str, object]
    metrics: Mapping[str, float]
    notes: tuple[str, ...]
    model_code: Path | None
    model_files: Mapping[str, str | bytes]  # file name -> content
    signature: ModelSignature | None
    pip_requirements: tuple[str, ...]
    model_folders: Mapping[str, Path] = field(default_factory=dict)  # name -> another model, kept whole inside this one
    recipe: str = ""  # algorithm, features and parameters in one name; the algorithm where a target has only one
    baseline: str = ""  # the one-line baseline in words
    split: str = ""  # which days were learned from and which judged
    tables: Mapping[str, Any] = field(default_factory=dict)  # name -> rows of figures
    series: Mapping[str, Mapping[int, float]] = field(default_factory=dict)  # metric -> step -> value
    pictures: Mapping[str, Figure | Path] = field(default_factory=dict)  # drawn, or drawn already as PNG


@dataclass(frozen=True)
class Version:
    """A registered model version. `costs`: the seconds that each recipe of its training took to fit."""

    target: str
    version: str
    run_id: str
    fingerprint: str
    metrics: Mapping[str, float]
    recipe: str = ""
    costs: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """One target's training: what becomes runs, and all it takes to promote, also later and without the data.

    `against` is the champion it was decided against, None where there was none or nobody could say. Where the champion
    is another one by the time of promotion, `judging` decides anew, and `columns` (what was there to score with) tell
    whether that champion can still score. Without `judging` there is one recipe only. What wins `is_held` as candidate
    where there is a champion that can score.
    """

    fits: tuple[Fit, ...]
    judged_by: str
    decision: Decision | None = None
    judging: Judging | None = None
    must_replace: bool = False
    against: Version | None = None
    columns: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)  # recipes that failed or were too slow, and why
    is_held: bool = False

    @property
    def target(self) -> str:
        return self.fits[0].target

    @property
    def costs(self) -> dict[str, float]:
        """Seconds by recipe, of those that say them."""
        known = {fit.recipe or fit.algorithm: fit.metrics.get("fit_seconds") for fit in self.fits}
        return {recipe: round(seconds, 1) for recipe, seconds in known.items() if seconds is not None}


def card_of_day(model: Mapping[str, Any], version: Version, as_of: date) -> dict[str, Any]:
    """`model*.json` of a day: which version scored it, then what its training reports of it."""
    return {
        "model": version.target,
        "version": version.version,
        "run_id": version.run_id,
        "fingerprint": model["fingerprint"],
        "training_as_of": model["training_as_of"],
        "scored_as_of": str(as_of),
        **model["report"],
    }
