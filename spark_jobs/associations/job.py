"""Train and score association rules: where the family's inputs, arithmetic, tracking and outputs come together."""

from __future__ import annotations

import json
import time
from datetime import date
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.errors import HuaxiangError
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from spark_jobs import engine
from spark_jobs.associations import chance, counting, inputs, mining, outputs, rules, tracked
from spark_jobs.associations.model import AssociationModel, from_json
from spark_jobs.associations.params import AssociationParams
from spark_jobs.associations.tracked import MODEL_FILE, RECIPE, TARGET

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NEEDS_ALL_TARGETS = True


def targets(settings: Settings) -> tuple[str, ...]:
    """What is bought with what."""
    return (TARGET,)


def snapshot_days(as_of: date) -> list[date]:
    """Rules are made of orders; no features are needed."""
    return []


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """Rules are counted in DuckDB; they are mined there too while the purchases are few, and by Spark above."""
    return action == "train" and _engine(settings, run, AssociationParams()) == engine.SPARK


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
    where = _engine(settings, run, params)
    mined = mining.mine(spark, path, days.first, days.mined_to, where, params)
    metrics = mining.judged(path, days, mined, params)
    seconds = round(time.perf_counter() - began, 2)
    version, outcome = tracked.record(settings, run, path, mined, metrics, seconds, where, params)
    held = f"{metrics['held_share']:.0%} of {len(mined.rules)} rules held on the last {params.held_days} days"
    log.progress(f"associations: {held}; {tracking.in_words(version, outcome)}")
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
        raise HuaxiangError(mining.no_types(days.first, days.last))
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


def _engine(settings: Settings, run: Run, params: AssociationParams) -> str:
    import pyarrow.parquet as pq

    rows = pq.read_metadata(inputs.purchases_path(settings, run)).num_rows
    return engine.chosen(rows, params.laptop_purchases)


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
