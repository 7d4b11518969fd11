"""What a model said of a customer, and why: its version, the figures it read, and what each of them adds.

- Scores: what each figure adds to the logit of the probability, against a customer all of whose figures are typical.
  Shapley values by sampled orders (Štrumbelj and Kononenko 2014, doi:10.1007/s10115-013-0679-x): figures are set from
  typical to the customer's one after the other, in orders drawn once, and the steps averaged. The steps of an order add
  up by construction, so the parts add up to the score whatever the recipe; of a linear model they are exact. `alone` is
  what the logit would lose if that one figure were typical: what taking the reason away does.
- Segments: by how much each figure is nearer to the customer's own centre than to the next one, in squared units of
  the model's space; the parts add up to the difference of the two squared distances.
- Recommendations: the reason that was released with the product; their parts are not told apart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from huaxiang import tracking
from huaxiang.settings import Settings
from huaxiang.tracking.fits import Version
from huaxiang.why.asking import Day
from huaxiang.why.trace import staged

ORDERS = 128  # drawn for the Shapley values, half of them the reverse of the other half
SEED = 20171130
_FOLDERS = {
    "churn_28d": "scores",
    "category_28d": "scores",
    "recommend_any": "recommendations",
    "recommend_new": "recommendations",
}


@dataclass(frozen=True)
class Part:
    """One figure: the customer's, the one it is held against, what it adds, and what goes when it alone is typical."""

    name: str
    value: float | None
    typical: float | None
    adds: float
    alone: float | None = None


@dataclass(frozen=True)
class ModelReason:
    """What the model of that version answered. `base` plus the parts is `total`; `released` is what the portrait says.

    `unit` says what the parts are in; empty: the model's parts are not told apart.
    """

    target: str
    version: str
    run_id: str
    fingerprint: str
    training_as_of: str
    recipe: str
    said: str
    unit: str = ""
    base: float = 0.0
    total: float = 0.0
    parts: tuple[Part, ...] = ()
    is_same: bool = True

    @property
    def additivity_error(self) -> float:
        return abs(self.base + sum(part.adds for part in self.parts) - self.total)


def reason(settings: Settings, day: Day, target: str, portrait: Mapping[str, Any]) -> ModelReason | None:
    """The answer of the model that made the day's column; None where the day has no card of it."""
    folder = _FOLDERS.get(target, target)
    path = day.folder / folder / ("model.json" if target == "segments" else f"model.{target}.json")
    if not path.exists():
        return None
    card = json.loads(path.read_text(encoding="utf-8"))
    about = ModelReason(
        target, str(card["version"]), card["run_id"], card["fingerprint"], card["training_as_of"],
        card.get("recipe", ""), "",
    )  # fmt: skip
    if target == "segments":
        return _segment(settings, day, about, portrait)
    if folder == "scores":
        return _score(settings, day, about, portrait)
    kind = target.removeprefix("recommend_")
    return replace(about, said=str(portrait.get(f"{kind}_product_reason") or ""))


def files(settings: Settings, about: ModelReason) -> Path:
    """The files of exactly that version, which is only read."""
    version = Version(about.target, about.version, about.run_id, about.fingerprint, {})
    pinned = replace(settings, pinned_models={about.target: about.version})
    return tracking.model_folder(pinned, version) / "artifacts"


def segments_of(settings: Settings, about: ModelReason) -> dict[str, Any]:
    """The segments of that version, as their file holds them."""
    found: dict[str, Any] = json.loads((files(settings, about) / "segments.json").read_text(encoding="utf-8"))
    return found


def _score(settings: Settings, day: Day, about: ModelReason, portrait: Mapping[str, Any]) -> ModelReason:
    from spark_jobs.scores import examples, inputs, portable
    from spark_jobs.scores.params import ScoreParams

    model, estimator = portable.load_folder(files(settings, about))
    features = inputs.read_features(day.folder / "features" / "customer_features.parquet", [day.run.as_of])
    customer = str(portrait["customer_id"])
    if about.target == "churn_28d":
        row = features[features["customer_id"] == customer].assign(category="")
        released, said = portrait["churn_probability_28d"], portrait["churn_reasons"]
    else:
        released, said = portrait["likely_category_probability"], portrait["likely_category_reasons"]
        with TemporaryDirectory() as scratch, staged(settings, day.run) as connection:
            path = Path(scratch) / "purchases.parquet"
            connection.execute(_PURCHASES.format(as_of=day.run.as_of, path=str(path).replace("'", "''")))
            days = inputs.read_category_days(path, model["categories"])
        rows = examples.category(features, days, 28, ScoreParams())
        known = rows.features.reindex(columns=[one["name"] for one in model["features"]])
        known = known.assign(customer_id=rows.customer_id, category=rows.category)
        row = known[(known["customer_id"] == customer) & (known["category"] == portrait["likely_category"])]
    base, total, parts = parts_of_score(model, row, estimator)
    answer = float(portable.answers(model, row, estimator)["probability"].iloc[0])
    return replace(
        about,
        said=str(said),
        unit="logit",
        base=base,
        total=total,
        parts=parts,
        is_same=abs(answer - released) < 1e-6,
    )


def parts_of_score(model: dict[str, Any], row: Any, estimator: Any = None) -> tuple[float, float, tuple[Part, ...]]:
    """Logit of the typical customer, logit of the row, and what each figure adds; the largest part first."""
    import numpy as np

    from spark_jobs.scores import portable

    categories = portable.categories_of(model, row)
    values, typical = portable.values_of(model, row), portable.typical_values(model, categories)
    count = values.shape[1]

    def logits(rows: Any) -> Any:
        usual = np.repeat(typical, len(rows), axis=0)
        scores = portable.raw_scores(model, np.asfortranarray(rows), usual, estimator)
        return portable.logits(model, scores, np.repeat(categories, len(rows)))

    rng = np.random.default_rng(SEED)
    drawn = [rng.permutation(count) for _ in range(ORDERS // 2)]
    orders = np.array([*drawn, *(order[::-1] for order in drawn)])
    ways = np.repeat(typical, ORDERS * (count + 1), axis=0).reshape(ORDERS, count + 1, count)
    for way, order in zip(ways, orders, strict=True):
        for step, place in enumerate(order, start=1):
            way[step:, place] = values[0, place]
    steps = np.diff(logits(ways.reshape(-1, count)).reshape(ORDERS, count + 1), axis=1)
    adds = np.zeros(count)
    np.add.at(adds, orders, steps / ORDERS)
    without = np.repeat(values, count, axis=0)
    np.fill_diagonal(without, typical[0])
    base, total = (float(one) for one in logits(np.concatenate([typical, values])))
    alone = total - logits(without)
    parts = [
        Part(
            feature["name"],
            _known(values[0, place]),
            _known(typical[0, place]),
            float(adds[place]),
            float(alone[place]),
        )
        for place, feature in enumerate(model["features"])
    ]
    return base, total, tuple(sorted(parts, key=lambda part: (-abs(part.adds), part.name)))


def _segment(settings: Settings, day: Day, about: ModelReason, portrait: Mapping[str, Any]) -> ModelReason:
    model = segments_of(settings, about)
    own, other, parts = parts_of_segment(model, portrait)
    gap = sum(part.adds for part in parts)
    said = f"{own['name']}; the next nearest is: {other['name']}" if other else own["name"]
    is_same = own["segment_id"] == portrait["segment_id"]
    return replace(about, said=said, unit="squared distance", total=gap, parts=parts, is_same=is_same)


def parts_of_segment(
    model: Mapping[str, Any], portrait: Mapping[str, Any]
) -> tuple[Mapping[str, Any], Mapping[str, Any] | None, tuple[Part, ...]]:
    """The nearest segment, the next nearest, and by how much each figure is nearer to the first (negative: farther)."""
    import math

    point = []
    for scaling in model["scalings"]:
        raw = portrait.get(scaling["name"])
        value = scaling["fill"] if raw is None else float(raw)
        if scaling["is_skewed"]:
            value = math.log1p(max(value, scaling["least"]) * scaling["scale"])
        standard = (value - scaling["mean"]) / scaling["deviation"]
        clipped = min(max(standard, -scaling["clip"]), scaling["clip"])
        point.append(round(clipped * scaling["weight"], model["decimals"]))

    def squares(segment: Mapping[str, Any]) -> list[float]:
        widths = segment.get("spread") or [1.0] * len(point)  # those of a mixture's segment
        along = zip(point, segment["centre"], widths, strict=True)
        return [((here - there) / width) ** 2 for here, there, width in along]

    def distance(segment: Mapping[str, Any]) -> tuple[float, int]:
        total = sum(squares(segment)) + segment.get("offset", 0.0)
        return round(math.sqrt(total), model["decimals"]), segment["segment_id"]

    own, *others = sorted(model["segments"], key=distance)
    if not others:
        return own, None, ()
    parts = [
        Part(
            scaling["name"],
            None if portrait.get(scaling["name"]) is None else float(portrait[scaling["name"]]),
            None,
            far - near,
        )
        for scaling, near, far in zip(model["scalings"], squares(own), squares(others[0]), strict=True)
    ]
    size = others[0].get("offset", 0.0) - own.get("offset", 0.0)
    if size:
        parts.append(Part("how large and wide the segments are", None, None, size))
    return own, others[0], tuple(sorted(parts, key=lambda part: (-abs(part.adds), part.name)))


# What models learn from (dbt's model `purchases`), of the staged rows.
_PURCHASES = """
copy (
    select distinct
        lines.order_id,
        lines.customer_id,
        lines.product_id,
        products.category,
        products.product_type,
        lines.ordered_on
    from staging.stg_order_lines as lines
    left join staging.stg_products as products on lines.product_id = products.product_id
    where lines.product_id is not null and not lines.is_return and lines.ordered_on <= date '{as_of}'
) to '{path}' (format parquet)
"""


def _known(value: float) -> float | None:
    return None if value != value else float(value)
