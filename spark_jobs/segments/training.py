"""Fit and judge: K-Means in Spark on everybody, other shapes on a sample, and which of them is to score."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from huaxiang.tracking import promotion
from huaxiang.tracking.promotion import Decision, Judging
from spark_jobs.segments import baseline, champions, choose_k, inputs, outliers, planting, shapes, staying, transforms
from spark_jobs.segments.model import SegmentModel, fit, unnamed
from spark_jobs.segments.named import Named, named
from spark_jobs.segments.params import SegmentParams
from spark_jobs.segments.staying import Groups, Settled
from spark_jobs.segments.transforms import Scaling

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from pyspark.sql import DataFrame, SparkSession

    Array = np.ndarray

ONE_SEGMENT = "one segment"


@dataclass(frozen=True)
class Fitted:
    """A recipe's model with its figures; `customers` are those judged, with its segments."""

    recipe: str
    algorithm: str
    model: SegmentModel
    metrics: Mapping[str, float]
    customers: pd.DataFrame


@dataclass(frozen=True)
class Trained:
    """All recipes of a training, K-Means first, and what was decided among those that can compete."""

    fits: tuple[Fitted, ...]
    choice: choose_k.Choice
    judging: Judging
    decision: Decision
    columns: frozenset[str]

    @property
    def winner(self) -> Fitted:
        return next(fitted for fitted in self.fits if fitted.recipe == self.decision.winner)


def train(spark: SparkSession, settings: Settings, run: Run, path: Path, params: SegmentParams) -> Trained:
    """Choose k on a sample, fit K-Means on all customers, and judge the other shapes on the sample beside it.

    A shape competes by its silhouette when it makes no fewer groups, all large enough and found again; the difference
    is paired, customer by customer.
    """
    began = time.perf_counter()
    features = inputs.read_features(spark, path, run.as_of, params)
    scalings = transforms.measure(features, params)
    scaled = transforms.scaled(features, scalings, params.decimals).cache()
    points = inputs.points(inputs.drawn(scaled, params.sample_customers))
    choice = choose_k.choose(points, params)
    known = champions.model(settings)
    origin = _origin(settings, path, params)
    settled = _settled(scaled, scalings, known, origin, choice.k, params)
    # A refit that was held back measures in scales of its own; whatever competes with it does so in them.
    scalings = settled.groups.scalings
    scaled = transforms.scaled(features, scalings, params.decimals).cache()
    points = inputs.points(inputs.drawn(scaled, params.sample_customers))
    centres = [segment.centre for segment in settled.groups.segments]
    groups = {shapes.K_MEANS: unnamed(centres, params.decimals)}
    seconds = {shapes.K_MEANS: round(time.perf_counter() - began, 2)}
    rivals = shapes.shapes(points, choice.k, params) if choice.k > 1 else ()
    groups |= {rival.recipe: rival.segments for rival in rivals if rival.segments}
    seconds |= {rival.recipe: rival.figures["fit_seconds"] for rival in rivals}

    told = {recipe: named(spark, settings, run, scaled, known, some, params) for recipe, some in groups.items()}
    rival = {one.recipe: one for one in rivals}
    each = silhouettes(points, told)
    judging = compared(each, rival, params)
    incumbent = tracking.incumbent(settings, champions.TARGET)
    decision = judging.decide(incumbent.recipe if incumbent else None)

    kept = told[shapes.K_MEANS].customers
    crowd = outliers.learn(kept, params.outliers)
    judged = baseline.judge(kept, points, params) if choice.k > 1 else None
    beside = judged.figures(params) if judged else {}
    found = planting.judge(kept, params.outliers)
    shared = {
        "customers": float(scaled.count()),
        **{f"baseline_{name}": value for name, value in beside.items()},
        **{f"outlier_{name}": value for name, value in (crowd.report if crowd else {}).items()},
        **found,
    }
    figures = {
        recipe: {**_figures(points, one, choice, rival.get(recipe), params), **shared} for recipe, one in told.items()
    }
    if judged:
        for recipe, values in each.items():
            figures[recipe] |= choose_k.over_customers(values - judged.each, params).figures("silhouette_gain")
    figures[shapes.K_MEANS] |= settled.figures
    report = {
        "baseline": {"name": "five groups by RFM score", **beside},
        "baselines": {"outlier_recall": planting.BASELINE},
        "k_table": [_row(candidate) for candidate in choice.candidates],
        "notes": [*choice.notes, *([settled.note] if settled.note else []), *planting.notes(found)],
        "origin": origin,
        "tried": _tried(figures, decision, rivals),
        "left_out_features": [f.name for f in params.features if f.name not in {s.name for s in scalings}],
    }
    highest = known.report.get("highest_id", 0) if known else 0

    def fitted(recipe: str, one: Named) -> Fitted:
        ids = [segment.segment_id for segment in one.segments]
        model = SegmentModel(
            training_as_of=str(run.as_of),
            fingerprint=_hash({"origin": origin, "recipe": recipe, "segments": [asdict(s) for s in one.segments]}),
            decimals=params.decimals,
            scalings=scalings,
            segments=one.segments,
            report={
                **report,
                "recipe": recipe,
                "k": len(ids),
                "metrics": figures[recipe],
                "highest_id": max([highest, *ids]),
            },
            crowd=crowd,
        )
        algorithm = recipe if len(ids) > 1 else ONE_SEGMENT
        return Fitted(recipe, algorithm, model, {**figures[recipe], "fit_seconds": seconds[recipe]}, one.customers)

    fits = tuple(fitted(recipe, one) for recipe, one in told.items())
    return Trained(fits, choice, judging, decision, frozenset(scaled.columns))


# Judging.


def silhouettes(points: Array, told: Mapping[str, Named]) -> dict[str, Array]:
    """Every customer's silhouette by each recipe that tells the customers apart."""
    from sklearn.metrics import silhouette_samples

    labels = {recipe: one.customers["segment_id"].to_numpy() for recipe, one in told.items()}
    return {recipe: silhouette_samples(points, of) for recipe, of in labels.items() if len(set(of)) > 1}


def compared(each: Mapping[str, Array], rival: Mapping[str, shapes.Shape], params: SegmentParams) -> Judging:
    """K-Means and the shapes that can compete, by the silhouette of every customer; differences are paired."""
    metric = {
        recipe: float(values.mean())
        for recipe, values in each.items()
        if recipe not in rival or not rival[recipe].reason
    } or {shapes.K_MEANS: 0.0}
    return promotion.judging(
        metric, lambda one, other: choose_k.over_customers(each[one] - each[other], params), shapes.K_MEANS
    )


def _figures(
    points: Array, one: Named, choice: choose_k.Choice, rival: shapes.Shape | None, params: SegmentParams
) -> dict[str, float]:
    """Silhouette and stability of a recipe's segments; nothing for a single segment."""
    from sklearn.metrics import adjusted_rand_score

    found = {"segments": float(len(one.segments))}
    if one.kept_share is not None:
        found["kept_share"] = one.kept_share
    candidate = rival.candidate if rival else choice.candidate()
    if candidate is None:
        return found
    labels = one.customers["segment_id"].to_numpy()
    found |= choose_k.silhouette(points, labels, params).figures("silhouette")
    found |= candidate.stability.figures("stability")
    found["least_found_again"] = candidate.least_found_again
    found["smallest_share"] = round(float(one.customers["segment_id"].value_counts(normalize=True).min()), 6)
    # How alike the segments of everybody are to those judged on the sample.
    sampled = rival.labels if rival else choice.labels
    found["agreement_with_sample"] = round(float(adjusted_rand_score(sampled, labels)), 6)
    return found | {name: value for name, value in (rival.figures if rival else {}).items() if name != "fit_seconds"}


def _tried(
    figures: Mapping[str, Mapping[str, float]], decision: Decision, rivals: Sequence[shapes.Shape]
) -> list[dict[str, Any]]:
    """Every recipe as the card lists it, with what became of it and why; one that found no group has few figures."""
    told = ("silhouette", "stability", "least_found_again", "smallest_share", "segments", "bic", "noise_share")
    found = [(shapes.K_MEANS, figures[shapes.K_MEANS], "")]
    found += [(rival.recipe, figures.get(rival.recipe, rival.figures), rival.reason) for rival in rivals]
    return [
        {
            "recipe": recipe,
            "metrics": {name: value for name, value in of.items() if name.startswith(told)},
            "outcome": decision.outcome(recipe),
            "reason": reason,
        }
        for recipe, of, reason in found
    ]


def _row(candidate: choose_k.Candidate) -> dict[str, Any]:
    return {
        "k": candidate.k,
        **candidate.silhouette.figures("silhouette"),
        **candidate.stability.figures("stability"),
        "smallest_share": candidate.smallest_share,
        "least_found_again": candidate.least_found_again,
        "is_usable": candidate.is_usable,
    }


def _settled(
    scaled: DataFrame,
    scalings: tuple[Scaling, ...],
    known: SegmentModel | None,
    origin: str,
    k: int,
    params: SegmentParams,
) -> Settled:
    """K-Means, no farther from the champion than customers may move.

    A champion of this very training, which was begun again, has settled already: a second time would go farther.
    """
    if known and known.report.get("origin") == origin and known.report.get("recipe") == shapes.K_MEANS:
        return Settled(Groups(known.scalings, known.segments))
    refit = Groups(scalings, unnamed(fit(scaled, k, params), params.decimals))
    return staying.settle(scaled, known, refit, params)


def _origin(settings: Settings, features: Path, params: SegmentParams) -> str:
    """Hash of inputs, parameters and code: equal for the same training in another home."""
    return _hash(
        {
            "features": content_hash(features),
            "currency": settings.currency,
            "params": asdict(params),
            "code": code_hash(settings.project, ("spark_jobs",)),
        }
    )


def _hash(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
