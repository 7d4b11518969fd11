"""Train and score association rules: where the family's inputs, arithmetic, tracking and outputs come together."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.code_version import code_hash
from huaxiang.errors import HuaxiangError
from huaxiang.files import write_text
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from spark_jobs.associations import chance, counting, inputs, judge, outputs, plots, rules
from spark_jobs.associations.model import AssociationModel, from_json, often_together, orders_to_mine
from spark_jobs.associations.params import AssociationParams

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from pyspark.sql import SparkSession

TARGET = "associations"
TARGETS = (TARGET,)
RECIPE = "fp-growth"
MODEL_FILE = "rules.json"
_CODE = Path(__file__).parent
_DESCRIPTION = (
    "Which product types are bought together more often than by chance: rules mined by Spark FP-Growth, counted "
    "exactly, tested by Fisher's exact test. A single rule has no baseline but independence, a lift of 1."
)
_BASELINE = "as many random pairs of the same product types; for a single rule independence, a lift of 1"
_LIMIT = (
    "The test takes orders as independent; several orders of one customer are not quite. "
    "A rule says what is bought together, not what causes it."
)
# What portable.py imports; versions are those of the lock.
_NEEDS = ("mlflow", "pandas")


@dataclass(frozen=True)
class Mined:
    """The rules worth telling, with their counts on the days mined, and how many rules were tested for it."""

    rules: tuple[rules.Counted, ...]
    p_values: tuple[float, ...]
    tests: int
    types: tuple[str, ...]  # that are frequent by themselves
    orders: int
    sampled_share: float


def snapshot_days(as_of: date) -> list[date]:
    """Rules are made of orders; no features are needed."""
    return []


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """Candidates are mined by Spark; rules are counted in DuckDB."""
    return action == "train"


def train(
    spark: SparkSession, settings: Settings, run: Run, log: StepLog, params: AssociationParams | None = None
) -> tracking.Version | None:
    """Mine the days up to `as_of` - 28, check the rules on the 28 days after, keep both as an MLflow run.

    The rules become champion unless fewer of them hold than of the champion's, surely. Returns the new version, or None
    when the champion stays. Raises HuaxiangError when there are too few orders or no rule is found.
    """
    params = params or AssociationParams()
    began = time.perf_counter()
    path = inputs.purchases_path(settings, run)
    days = inputs.window(run.as_of, params)
    mined = _mine(spark, path, days, params)
    metrics = _judged(path, days, mined, params)
    model = _model(settings, run, path, mined, metrics, days, params)
    metrics = {**metrics, "fit_seconds": round(time.perf_counter() - began, 2)}
    record = tracking.Fit(
        target=TARGET,
        algorithm="spark-fp-growth",
        recipe=RECIPE,
        description=_DESCRIPTION,
        baseline=_BASELINE,
        split=model.report["split"],
        fingerprint=model.fingerprint,
        as_of=str(run.as_of),
        parameters=_parameters(run, path, mined, params),
        metrics=metrics,
        notes=tuple(model.report["notes"]),
        model_code=_CODE / "portable.py",
        model_files={MODEL_FILE: model.to_json()},
        signature=_signature(),
        pip_requirements=tracking.pinned(*_NEEDS),
        tables={"rules": [_row(*one) for one in zip(mined.rules, mined.p_values, strict=True)]},
        pictures={"support_confidence": plots.scatter(mined.rules), "top_lift": plots.top(mined.rules)},
    )
    version, outcome = tracking.record(settings, record, judged_by="held_share")
    held = f"{metrics['held_share']:.0%} of {len(mined.rules)} rules held on the last {params.held_days} days"
    log.progress(f"associations: {held}; {outcome}")
    return version


def score(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: AssociationParams | None = None
) -> None:
    """Count the champion's rules anew on the orders up to `as_of`; one that is no more than chance today is left out.
    Spark is not needed for it.

    Writes the table `rules` and the card. Raises HuaxiangError when there is no champion or no order.
    """
    params = params or AssociationParams()
    path = inputs.purchases_path(settings, run)
    champion = tracking.champion(settings, TARGET)
    if champion is None:
        raise HuaxiangError(f"associations: no model has been trained yet: run 'huaxiang train --as-of {run.as_of}'")
    model = from_json(tracking.model_file(settings, champion, MODEL_FILE))
    days = inputs.window(run.as_of, params)
    counts = counting.count(path, days.first, days.last, rules.itemsets_of(model.rules))
    if counts.orders == 0:
        raise HuaxiangError(_no_types(days.first, days.last))
    today = rules.counted(model.rules, counts.of)
    p_values = chance.p_values(today, model.tests)
    kept = [(one, p) for one, p in zip(today, p_values, strict=True) if one.lift > 1 and p < params.largest_p_value]
    folder = settings.home.build(run.id) / TARGET
    span = (counts.first_on, counts.last_on)
    outputs.write_rules(
        [one for one, _ in kept], [p for _, p in kept], span, model.fingerprint, folder / "rules.parquet"
    )
    gone = len(today) - len(kept)
    notes = [*model.report["notes"], *([_gone(gone, len(today), run.as_of)] if gone else [])]
    card = _card(model, champion, run, notes, len(kept))
    write_text(folder / f"model.{TARGET}.json", json.dumps(card, indent=2) + "\n")
    log.fact("rules", len(kept))


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Rules need no features, so they can always be counted."""
    return False


# Mining and judging.


def _mine(spark: SparkSession, path: Path, days: inputs.Window, params: AssociationParams) -> Mined:
    bought = inputs.read_bought(spark, path, days.first, days.mined_to)
    orders = bought.select("order_id").distinct().count()
    if orders == 0:
        raise HuaxiangError(_no_types(days.first, days.mined_to))
    if orders < params.fewest_orders:
        raise HuaxiangError(
            f"associations: {orders} orders with a product type from {days.first} to {days.mined_to} are too few for "
            f"rules; {params.fewest_orders} are needed, so wait for more or leave 'associations' out of models"
        )
    share = min(1.0, params.mined_orders / orders)
    margin = params.sample_margin if share < 1 else 1.0
    fewest = rules.fewest_both(orders, params)
    itemsets = often_together(orders_to_mine(bought, share), max(2, round(fewest * share * margin)))
    candidates = rules.candidates(itemsets, params.largest_antecedent)
    singles = [items for items in itemsets if len(items) == 1]
    counts = counting.count(path, days.first, days.mined_to, [*rules.itemsets_of(candidates), *singles])
    counted = [one for one in rules.counted(candidates, counts.of) if one.both_count >= fewest]
    found = rules.strong(counted, params)
    sure = [
        (one, p)
        for one, p in zip(found, chance.p_values(found, len(counted)), strict=True)
        if p < params.largest_p_value
    ][: params.most_rules]
    if not sure:
        raise HuaxiangError(
            f"associations: no two product types are bought together often enough in {orders:,} orders from "
            f"{days.first} to {days.mined_to}: lower min_support in spark_jobs/associations/params.py, or leave "
            "'associations' out of models"
        )
    return Mined(
        rules=tuple(one for one, _ in sure),
        p_values=tuple(p for _, p in sure),
        tests=len(counted),
        types=tuple(items[0] for items in sorted(singles) if counts.of.get(items, 0) >= fewest),
        orders=orders,
        sampled_share=round(share, 6),
    )


def _judged(path: Path, days: inputs.Window, mined: Mined, params: AssociationParams) -> dict[str, float]:
    import numpy as np

    found = [one.rule for one in mined.rules]
    baseline = judge.random_pairs(mined.types, len(found), params.seed)
    itemsets = rules.itemsets_of([*found, *baseline])
    bits = counting.bits_of(itemsets)
    rows = counting.masks(path, days.held_from, days.last, bits, params.judged_customers)
    if rows.empty:
        raise HuaxiangError(
            f"associations: no order from {days.held_from} to {days.last} has a product type, so no rule can be checked"
        )
    sets = np.array([bits.of(itemset) for itemset in itemsets], dtype=np.int64)
    per_customer = judge.counts_per_customer(rows["customer_id"].to_numpy(), rows[bits.words].to_numpy(np.int64), sets)
    metrics = judge.judge(per_customer, itemsets, found, baseline, params)
    return {**metrics, "rules": float(len(found)), "rules_tested": float(mined.tests), "orders": float(mined.orders)}


def _no_types(first: date, last: date) -> str:
    return (
        f"associations: no order from {first} to {last} has a product type, which is what rules are about: map "
        "products.product_type in sources/, or leave 'associations' out of models"
    )


# Tracking, and what is said of the champion.


def _model(
    settings: Settings,
    run: Run,
    path: Path,
    mined: Mined,
    metrics: Mapping[str, float],
    days: inputs.Window,
    params: AssociationParams,
) -> AssociationModel:
    notes = [_LIMIT, _large_orders(metrics["baseline_later_lift"])]
    if mined.sampled_share < 1:
        notes.append(
            f"Candidates were mined from {mined.sampled_share:.0%} of {mined.orders:,} orders and counted on all; a "
            "rule at the very limit of support can be missing."
        )
    return AssociationModel(
        training_as_of=str(run.as_of),
        fingerprint=_fingerprint(settings, path, run.as_of, params),
        tests=mined.tests,
        rules=tuple(one.rule for one in mined.rules),
        figures=tuple(_figures(one) for one in mined.rules),
        report={
            "recipe": RECIPE,
            "metrics": dict(metrics),
            "baseline": {"name": _BASELINE},
            "split": (
                f"Mined from {days.first} to {days.mined_to}, checked from {days.held_from} to {days.last}; released "
                "figures are counted up to the day of the release."
            ),
            "notes": notes,
        },
    )


def _fingerprint(settings: Settings, path: Path, as_of: date, params: AssociationParams) -> str:
    """Hash of inputs, parameters and code: equal for the same training in another home."""
    parts = {
        "purchases": content_hash(path),
        "as_of": str(as_of),
        "params": asdict(params),
        "code": code_hash(settings.project, ("spark_jobs",)),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _parameters(run: Run, path: Path, mined: Mined, params: AssociationParams) -> dict[str, object]:
    dates = {"as_of": str(run.as_of), "known_at": str(run.known_at)}
    return {**dates, "sampled_share": mined.sampled_share, **asdict(params)}


def _figures(one: rules.Counted) -> dict[str, float]:
    return {"support": round(one.support, 6), "confidence": round(one.confidence, 6), "lift": round(one.lift, 6)}


def _row(one: rules.Counted, p_value: float) -> dict[str, Any]:
    return {"rule": str(one.rule), "both_count": one.both_count, **_figures(one), "p_value": p_value}


def _signature() -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema

    texts: Sequence[Any] = [ColSpec(DataType.string, name) for name in ("antecedent", "consequent")]
    figures: Sequence[Any] = [ColSpec(DataType.double, name) for name in ("confidence", "lift")]
    return ModelSignature(Schema([ColSpec(DataType.string, "product_types")]), Schema([*texts, *figures]))


def _large_orders(lift: float) -> str:
    return (
        f"Large orders hold some of everything, so the median lift of random pairs is {lift:.1f} too: read a rule "
        "beside that figure, not beside 1."
    )


def _gone(gone: int, of: int, as_of: date) -> str:
    return (
        f"{gone} of {of} rules are no longer surely above chance on {as_of} and are left out; consider 'huaxiang train'"
    )


def _card(
    model: AssociationModel, version: tracking.Version, run: Run, notes: list[str], released: int
) -> dict[str, Any]:
    """`model.associations.json`: what the report and the manifest say of the model."""
    return {
        "model": TARGET,
        "version": version.version,
        "run_id": version.run_id,
        "fingerprint": model.fingerprint,
        "training_as_of": model.training_as_of,
        "scored_as_of": str(run.as_of),
        **model.report,
        "notes": notes,
        "tried": [{"recipe": RECIPE, "metrics": model.report["metrics"], "outcome": "won"}],
        "rules_of_model": len(model.rules),
        "rules_released": released,
    }
