"""What would have to be otherwise for a tag to say something else: a counterfactual in one figure.

Each figure that the model reads is set, it alone, to what other customers have (every twentieth from the 5th to the
95th percentile), and the model and the tag's rule are asked again. The nearest change counts, in customers between the
two values (Wachter, Mittelstadt and Russell 2018, with ranks for a distance that needs no units).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from huaxiang.settings import Settings
from huaxiang.tags import Tag
from huaxiang.why import model as models
from huaxiang.why.asking import Day, asked_of, of_day

if TYPE_CHECKING:
    import pandas as pd

PERCENTILES = range(5, 100, 5)
SHOWN = 3
_PROBABILITY = "churn_probability_28d"


@dataclass(frozen=True)
class Change:
    """With `name` at `to` in place of `now`, and all else as it is, the tag would say `value`.

    `passed` is the share of customers who lie between the two.
    """

    name: str
    now: float | None
    to: float
    value: str | None
    passed: float


def changes(
    settings: Settings, day: Day, tag: Tag, about: models.ModelReason, portrait: Mapping[str, Any]
) -> tuple[Change, ...] | None:
    """The nearest changes, at most three figures; None for a model or a tag that cannot be asked so."""
    if about.target == "churn_28d" and _PROBABILITY in tag.value and not tag.reads:
        return _of_score(settings, day, tag, about, portrait)
    if about.target == "segments" and tag.value == "segment_name":
        return _of_segment(settings, day, about, portrait)
    return None


def nearest(
    row: Mapping[str, Any],
    names: Sequence[str],
    everybody: pd.DataFrame,
    said: str | None,
    says: Callable[[pd.DataFrame], Sequence[str | None]],
) -> tuple[Change, ...]:
    """For each figure the nearest value of others at which `says` gives another answer than `said`; the nearest first.

    `everybody` has a column per name, one row per customer; `says` answers rows like `row`.
    """
    import numpy as np
    import pandas as pd

    tried: list[tuple[str, float, float]] = []
    for name in names:
        known = everybody[name].to_numpy(dtype=float)
        known = np.sort(known[~np.isnan(known)])
        own = row[name]
        if not len(known) or own is None or own != own:
            continue
        for value in np.unique(np.percentile(known, list(PERCENTILES), method="nearest")):
            if value != own:
                between = np.searchsorted(known, [min(value, own), max(value, own)])
                tried.append((name, float(value), float(between[1] - between[0]) / len(known)))
    if not tried:
        return ()
    rows = pd.DataFrame([dict(row)] * len(tried))
    for place, (name, value, _) in enumerate(tried):
        rows[name] = rows[name].astype(float)
        rows.loc[place, name] = value
    found: dict[str, Change] = {}
    for (name, value, passed), answer in zip(tried, says(rows), strict=True):
        if answer != said and (name not in found or passed < found[name].passed):
            found[name] = Change(name, float(row[name]), value, answer, passed)
    return tuple(sorted(found.values(), key=lambda one: (one.passed, one.name))[:SHOWN])


def _of_score(
    settings: Settings, day: Day, tag: Tag, about: models.ModelReason, portrait: Mapping[str, Any]
) -> tuple[Change, ...]:
    from spark_jobs.scores import inputs, portable

    model, estimator = portable.load_folder(models.files(settings, about))
    everybody = inputs.read_features(day.folder / "features" / "customer_features.parquet", [day.run.as_of])
    customer = str(portrait["customer_id"])
    row = everybody[everybody["customer_id"] == customer].assign(category="").iloc[0].to_dict()

    def says(rows: pd.DataFrame) -> Sequence[str | None]:
        categories = portable.categories_of(model, rows)
        typical = portable.typical_values(model, categories)
        scores = portable.raw_scores(model, portable.values_of(model, rows), typical, estimator)
        return asked_of(tag, day, customer, _PROBABILITY, portable.probabilities(model, scores, categories).tolist())

    names = [one["name"] for one in model["features"]]
    return nearest(row, names, everybody, says(everybody.iloc[:0].reindex([0]).assign(**row))[0], says)


def _of_segment(
    settings: Settings, day: Day, about: models.ModelReason, portrait: Mapping[str, Any]
) -> tuple[Change, ...]:
    model = models.segments_of(settings, about)
    names = [one["name"] for one in model["scalings"]]
    everybody = of_day(day, names)

    def says(rows: pd.DataFrame) -> Sequence[str | None]:
        return [models.parts_of_segment(model, one)[0]["name"] for one in rows[names].to_dict("records")]

    row = {name: None if portrait.get(name) is None else float(portrait[name]) for name in names}
    return nearest(row, names, everybody, str(portrait["segment_name"]), says)
