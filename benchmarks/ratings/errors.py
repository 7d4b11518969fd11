"""RMSE and MAE of predicted marks on the five folds of the published table, ours beside theirs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.ratings import predictors
from benchmarks.ratings.marks import Marks
from benchmarks.ratings.predictors import HIGHEST, LOWEST, Predictor

Array = np.ndarray
# ours -> the row of the published table that has the same model, and the predictor
LISTED: dict[str, tuple[str, Predictor]] = {
    "factors (ALS)": ("SVD", predictors.factors()),
    "neighbours, from the baseline": ("k-NN Baseline", predictors.neighbours("baseline")),
    "neighbouring items, from the baseline": ("", predictors.neighbours("baseline", of_items=True)),
    "baseline": ("Baseline", predictors.baseline),
    "Slope One": ("Slope One", predictors.slope_one),
    "neighbours, from the mean": ("Centered k-NN", predictors.neighbours("means")),
    "neighbours": ("k-NN", predictors.neighbours("nothing")),
    "random": ("Random", predictors.random),
}


@dataclass(frozen=True)
class Errors:
    """A predictor's mean errors over the folds, and the seconds all of them took."""

    rmse: float
    mae: float
    seconds: float


def folds(count: int, parts: int = 5, seed: int = 0) -> Iterator[tuple[Array, Array]]:
    """Places that are learned from and those that are judged, as Surprise's `KFold(random_state=0)` deals them out."""
    shuffled = np.arange(count)
    np.random.RandomState(seed).shuffle(shuffled)
    for part in np.array_split(shuffled, parts):
        yield np.setdiff1d(shuffled, part), part


def errors(marks: Marks, predictor: Predictor, parts: int = 5) -> Errors:
    """Estimates are cut to the scale of the marks; each fold counts the same."""
    began = time.perf_counter()
    found = []
    for learned, judged in folds(len(marks.mark), parts):
        held = marks.of(judged)
        estimated = predictor(marks.of(learned), marks.shape)(held.user, held.item).clip(LOWEST, HIGHEST)
        found.append((np.sqrt(np.mean((estimated - held.mark) ** 2)), np.mean(np.abs(estimated - held.mark))))
    rmse, mae = np.mean(found, axis=0)
    return Errors(float(rmse), float(mae), time.perf_counter() - began)


def lines(marks: Marks, theirs: dict[str, tuple[float, float]]) -> Iterator[str]:
    """The table, ours beside theirs, as each row is measured; at last what only they have."""
    yield "| Ours | RMSE | MAE | seconds | Theirs (Surprise) | RMSE | MAE |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    met = set()
    for name, (same, predictor) in LISTED.items():
        found = errors(marks, predictor)
        met.add(same)
        yield _row(name, f"{found.rmse:.3f} | {found.mae:.3f} | {found.seconds:.0f}", same, theirs.get(same))
    for name, figures in theirs.items():
        if name not in met:
            yield _row("", " | | ", name, figures)


def _row(ours: str, found: str, name: str, theirs: Sequence[float] | None) -> str:
    said = " | ".join(f"{figure:.3f}" for figure in theirs) if theirs else " | "
    return f"| {ours} | {found} | {name} | {said} |"
