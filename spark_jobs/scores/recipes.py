"""The recipes: a one-line baseline, eight classifiers, a mean of three and BG/NBD, fitted to the same rows by one call.

A fitted model is a dictionary that JSON can hold (portable.py reads it), with the estimator as a skops file beside it
where it is no weighted sum. None of them holds a customer's row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from huaxiang.judging.calibration import Calibration, Sigmoid
from huaxiang.targets import Baseline
from spark_jobs.scores import classifiers, lifetimes, phrases, portable
from spark_jobs.scores.examples import Examples
from spark_jobs.scores.params import ScoreParams

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray


@dataclass(frozen=True)
class Recipe:
    """A way to learn. `rows`: at most so many are drawn. `sees_levels`: standardised figures rather than raw ones.

    `columns`: the only ones it sees; none stands for all but the `left_out_features`. `parts`: recipes of the same
    columns whose scores, all logits, it averages; it has no fit of its own.
    """

    algorithm: str
    fit: Callable[[Array, Array, ScoreParams], Any] | None
    rows: Callable[[ScoreParams], int]
    sees_levels: bool = True
    columns: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


RECIPES: Mapping[str, Recipe] = {
    "logistic": Recipe("logistic regression", classifiers.logistic, lambda params: params.fit_rows),
    "tree": Recipe("decision tree", classifiers.tree, lambda params: params.tree_rows, sees_levels=False),
    "forest": Recipe("random forest", classifiers.forest, lambda params: params.forest_rows, sees_levels=False),
    "boosting": Recipe("gradient boosting", classifiers.boosting, lambda params: params.boosting_rows, False),
    "svm": Recipe("support vector machine", classifiers.svm, lambda params: params.svm_rows),
    "bayes": Recipe("naive Bayes", classifiers.bayes, lambda params: params.fit_rows),
    "neighbours": Recipe("k nearest neighbours", classifiers.neighbours, lambda params: params.neighbour_rows),
    "net": Recipe("neural network", classifiers.net, lambda params: params.net_rows),
    # Those that err differently: steps, smooth steps and curves.
    "average": Recipe(
        "mean of boosting, forest and network",
        None,
        lambda params: params.boosting_rows,
        parts=("boosting", "forest", "net"),
    ),
    "bgnbd": Recipe("BG/NBD", lifetimes.fit, lambda params: params.lifetime_rows, False, lifetimes.COLUMNS),
}


@dataclass(frozen=True)
class Seen:
    """Rows as a model measured on others sees them: raw figures, the typical ones beside them, standardised ones."""

    values: Array
    typical: Array
    levels: Array


@dataclass(frozen=True)
class Fitted:
    """A model before calibration, its estimator where it has one (of parts a list), and the columns it reads of `Seen`,
    None for all."""

    model: Mapping[str, Any]
    estimator: Any = None
    places: Sequence[int] | None = None

    def scores(self, rows: Seen) -> Array:
        """The raw score of every row; higher is more likely."""
        model = dict(self.model)
        if self.places is not None or model["kind"] == "average":
            at = slice(None) if self.places is None else self.places
            return portable.raw_scores(model, rows.values[:, at], rows.typical[:, at], self.estimator)
        return portable.scores_of(model, rows.values if model["kind"] == "trees" else rows.levels, self.estimator)

    def files(self, calibrations: Mapping[str, Calibration], more: Mapping[str, Any]) -> dict[str, str | bytes]:
        """What MLflow stores: `model.json` with the calibration, and the estimator where there is one."""
        import json

        said = {**self.model, **_said([calibrations[name] for name in self.model["categories"]]), **more}
        files: dict[str, str | bytes] = {"model.json": json.dumps(said, indent=1, sort_keys=True) + "\n"}
        if self.estimator is not None:
            import skops.io

            files[portable.ESTIMATOR] = skops.io.dumps(self.estimator)
        return files


def algorithm(recipe: str) -> str:
    return RECIPES[recipe].algorithm if recipe in RECIPES else "one column"


def applicable(names: Iterable[str], columns: Iterable[str]) -> tuple[str, ...]:
    """Those of the recipes that find what they see among the columns of a target."""
    return tuple(name for name in names if set(RECIPES[name].columns) <= set(columns))


def places(model: Mapping[str, Any], params: ScoreParams, columns: Sequence[str] = ()) -> list[int]:
    """Where a recipe finds its columns among a model's features: those named, or all that are not left out."""
    names = [feature["name"] for feature in model["features"]]
    return [names.index(name) for name in columns or names if columns or name not in params.left_out_features]


def measured(examples: Examples, currency: str, params: ScoreParams) -> dict[str, Any]:
    """What all recipes start from: the features, what is typical of each (the median, per category), their scaling."""
    import pandas as pd

    codes, categories = pd.factorize(examples.category, sort=True)
    medians = examples.features.groupby(codes).median()
    overall = examples.features.median()
    model: dict[str, Any] = {
        "kind": "linear",
        "categories": categories.tolist(),
        "clip": float("inf"),
        "decimals": params.decimals,
        "intercept": 0.0,
        "reason_count": params.reason_count,
        "least_reason": params.least_reason,
        "features": [
            {
                "name": name,
                "is_log": phrases.unit(name) in params.log_units,
                "typical": [round(float(value), params.decimals) for value in medians[name].fillna(overall[name])],
                "mean": 0.0,
                "deviation": 1.0,
                "weight": 0.0,
                "is_told": name not in params.untold_features,
                **phrases.phrase(name, currency),
            }
            for name in examples.features.columns
            if not pd.isna(overall[name])
        ],
    }
    levels = seen(model, examples).levels
    for place, feature in enumerate(model["features"]):
        feature["mean"] = round(float(levels[:, place].mean()), params.decimals)
        feature["deviation"] = round(float(levels[:, place].std()), params.decimals) or 1.0
    return {**model, "clip": params.clip}


def seen(model: Mapping[str, Any], examples: Examples) -> Seen:
    """The rows as the model sees them."""
    said = dict(model)
    frame = examples.features.assign(category=examples.category)
    values = portable.values_of(said, frame)
    typical = portable.typical_values(said, portable.categories_of(said, frame))
    return Seen(values, typical, portable.standardised(said, values, typical))


def one_column(model: Mapping[str, Any], baseline: Baseline) -> Fitted:
    """The baseline: its column as it stands. Raises KeyError where the features have no such column."""
    names = [feature["name"] for feature in model["features"]]
    if baseline.column not in names:
        raise KeyError(baseline.column)
    place = names.index(baseline.column)
    feature = {**model["features"][place], "mean": 0.0, "deviation": 1.0, "weight": 1.0}
    return Fitted({**model, "clip": 1e9, "features": [feature]}, places=[place])


def fit(
    recipe: str,
    model: Mapping[str, Any],
    rows: Seen,
    label: Array,
    params: ScoreParams,
    known: Mapping[str, Fitted] = MappingProxyType({}),
) -> Fitted:
    """Fit a recipe to the rows that `model` was measured on, or to as many of them as it takes, by one thread.

    `known` are recipes fitted to the same rows before: a mean of them need not fit them again.

    More threads gain little on small fits and, beside other work on the machine, lose tenfold by waiting for each
    other; and sums in one order give the same figures on every machine.
    """
    from threadpoolctl import threadpool_limits

    chosen = RECIPES[recipe]
    if chosen.fit is None:
        parts = [known.get(part) or fit(part, model, rows, label, params) for part in chosen.parts]
        kinds = [part.model["kind"] for part in parts]
        averaged = {**parts[0].model, "kind": "average", "parts": kinds}
        return Fitted(averaged, [part.estimator for part in parts], parts[0].places)
    classifiers.load()  # the limit below reaches only libraries that are loaded
    drawn = sample(len(label), chosen.rows(params), params.seed)
    figures = (rows.levels if chosen.sees_levels else rows.values)[drawn]
    at: Sequence[int] | None = None
    if chosen.columns or len(places(model, params)) < len(model["features"]):
        at = places(model, params, chosen.columns)
        model, figures = {**model, "features": [model["features"][place] for place in at]}, figures[:, at]
    with threadpool_limits(1):
        estimator = chosen.fit(figures, label[drawn], params)
    if isinstance(estimator, lifetimes.Lifetimes):
        return Fitted({**model, "kind": "bgnbd", "bgnbd": asdict(estimator)}, places=at)
    if not hasattr(estimator, "coef_") or hasattr(estimator, "coefs_"):
        return Fitted({**model, "kind": "levels" if chosen.sees_levels else "trees"}, estimator, at)
    features = [
        {**feature, "weight": round(float(weight), params.decimals)}
        for feature, weight in zip(model["features"], estimator.coef_[0], strict=True)
    ]
    intercept = round(float(estimator.intercept_[0]), params.decimals)
    return Fitted({**model, "features": features, "intercept": intercept}, places=at)


def told(fitted: Fitted, rows: Seen, params: ScoreParams) -> Fitted:
    """The same model with the figures named that its reasons may tell: of no weighted sum, those that move it most.

    That is how far the scores of some rows move on average when the figure is set to typical.
    """
    import numpy as np

    if fitted.model["kind"] == "linear":
        return fitted
    drawn = sample(len(rows.values), params.told_rows, params.seed)
    values, typical, model = rows.values[drawn], rows.typical[drawn], dict(fitted.model)
    if fitted.places is not None:
        values, typical = values[:, fitted.places], typical[:, fitted.places]
    whole = portable.raw_scores(model, values, typical, fitted.estimator)
    moved = []
    for place, feature in enumerate(model["features"]):
        changed = values.copy()
        changed[:, place] = typical[:, place]
        score = portable.raw_scores(model, changed, typical, fitted.estimator)
        moved.append(float(np.abs(whole - score).mean()) if feature["is_told"] else -1.0)
    best = set(np.argsort(-np.array(moved), kind="stable")[: params.reason_features].tolist())
    features = [
        {**feature, "is_told": feature["is_told"] and place in best} for place, feature in enumerate(model["features"])
    ]
    return replace(fitted, model={**model, "features": features})


def sample(rows: int, most: int, seed: int) -> Array:
    """Positions of at most so many rows, drawn by the seed, in their order."""
    import numpy as np

    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _said(calibrations: list[Calibration]) -> dict[str, Any]:
    """A calibration per category as portable.py reads it."""
    sigmoids = [one for one in calibrations if isinstance(one, Sigmoid)]
    if len(sigmoids) == len(calibrations):
        return {"calibration": [[one.slope, one.intercept] for one in sigmoids]}
    lines = [one for one in calibrations if not isinstance(one, Sigmoid)]
    return {"isotonic": [{"scores": list(one.scores), "logits": list(one.logits)} for one in lines]}
