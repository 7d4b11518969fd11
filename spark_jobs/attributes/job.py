"""Train and score: where the family's inputs, recipes, judging, tracking and outputs come together.

The Spark session is given, and not used: what is fitted is one row per customer (docs/decisions/0025).
"""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from huaxiang import tracking
from huaxiang.contracts import read_contract
from huaxiang.errors import HuaxiangError
from huaxiang.files import write_text
from huaxiang.settings import Run, Settings
from huaxiang.steps import StepLog
from huaxiang.tracking.fits import card_of_day
from spark_jobs.attributes import allowed, factor_training, inputs, outputs, portable, portable_factors, training
from spark_jobs.attributes.params import AttributeParams

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import SparkSession

ATTRIBUTES, FACTORS = training.TARGET, factor_training.TARGET
NEEDS_ALL_TARGETS = True
MODEL_FILE = "model.json"
_CHUNK = 20_000  # customers scored at a time, so that memory does not grow with their number


def targets(settings: Settings) -> tuple[str, ...]:
    """What customers are, and the lifestyle factors."""
    return (ATTRIBUTES, FACTORS)


def snapshot_days(as_of: date) -> list[date]:
    """What customers are is looked at today: no features of earlier days are needed."""
    return []


def needs_spark(settings: Settings, run: Run, action: str) -> bool:
    """What is fitted is one row per customer: it never does."""
    return False


def train(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: AttributeParams | None = None
) -> dict[str, tracking.Version | None]:
    """Try to infer each attribute and find the lifestyle factors; keep every fit as a run, promote what is better.

    Returns the new version of each target, None where the champion stays. Raises BadConfiguration when an attribute is
    asked for that is never inferred, MissingPartition where an input is missing.
    """
    params = params or AttributeParams()
    allowed.require(params.attributes, _sensitive(settings))
    figures = inputs.read_figures(settings, run)
    bought = inputs.read_bought(settings, run, params)
    declared = inputs.read_declared(settings, run, _columns(settings), figures["customer_id"].to_numpy())
    return {
        ATTRIBUTES: training.train(settings, run, log, figures, bought, declared, params),
        FACTORS: factor_training.train(settings, run, log, bought, params),
    }


def score(
    spark: SparkSession | None, settings: Settings, run: Run, log: StepLog, params: AttributeParams | None = None
) -> None:
    """Say of every customer of `as_of` what is declared, what is inferred and which factors weigh, by the champions.

    Writes the three tables and a card per target. Raises HuaxiangError when there is no champion or it needs a feature
    that is not there.
    """
    params = params or AttributeParams()
    sensitive = _sensitive(settings)
    champions = {target: _champion(settings, run, target) for target in targets(settings)}
    models = {target: json.loads(tracking.model_file(settings, one, MODEL_FILE)) for target, one in champions.items()}
    figures = inputs.read_figures(settings, run)
    _require(models[ATTRIBUTES], champions[ATTRIBUTES], set(figures.columns), run)
    bought = inputs.read_bought(settings, run, params)
    declared = inputs.read_declared(settings, run, _columns(settings), figures["customer_id"].to_numpy())
    folder = settings.home.build(run.id) / "attributes"
    said = _attributes(models[ATTRIBUTES], figures, bought, declared)
    log.fact("attributes", outputs.write("customer_attributes", said, folder))
    log.fact("inferred", int((said["status"] == "inferred").sum()))
    log.fact("factors", outputs.write("factors", _told_factors(models[FACTORS]), folder))
    outputs.write("customer_factors", _factors(models[FACTORS], figures, bought), folder)
    for target, champion in champions.items():
        card = card_of_day(models[target], champion, run.as_of)
        if target == ATTRIBUTES:
            card["refused"] = {name: why for name in declared.columns if (why := allowed.refusal(name, sensitive))}
        write_text(folder / f"model.{target}.json", json.dumps(card, indent=2) + "\n")


def cannot_score(settings: Settings, champion: tracking.Version, columns: set[str]) -> bool:
    """Whether the champion needs a figure that is not among `columns`; a category nobody buys any more counts 0."""
    model = json.loads(tracking.model_file(settings, champion, MODEL_FILE))
    return not {one["name"] for one in model.get("figures", ())} <= columns


# What is said of customers.


def _attributes(
    model: dict[str, Any], figures: pd.DataFrame, bought: inputs.Bought, declared: pd.DataFrame
) -> pd.DataFrame:
    """One row per customer and attribute that anybody declared; a value is declared, or inferred, or unknown."""
    import numpy as np
    import pandas as pd

    inferred = {one["name"]: one for one in model["attributes"] if one["is_inferred"]}
    parts = []
    for start in range(0, len(figures), _CHUNK):
        chunk, said = figures.iloc[start : start + _CHUNK], declared.iloc[start : start + _CHUNK]
        customers = chunk["customer_id"].to_numpy()
        points = (
            portable.points(model, chunk, bought.table(customers, tuple(model["categories"]))) if inferred else None
        )
        for attribute in said.columns:
            known = said[attribute].to_numpy(dtype=object)
            is_declared = np.array([value is not None for value in known])
            values = np.full(len(chunk), None, dtype=object)
            confidence = np.full(len(chunk), np.nan)
            if attribute in inferred and points is not None:
                values, confidence = portable.answers(inferred[attribute], points, model["least_confidence"])
                # What somebody declared is not guessed at as well.
                values[is_declared], confidence[is_declared] = None, np.nan
            is_inferred = np.array([value is not None for value in values])
            parts.append(
                pd.DataFrame(
                    {
                        "customer_id": customers,
                        "attribute": attribute,
                        "declared_value": known,
                        "inferred_value": values,
                        "confidence": confidence,
                        "status": np.where(is_declared, "declared", np.where(is_inferred, "inferred", "unknown")),
                        "model_fingerprint": model["fingerprint"],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"customer_id": [], "status": []})


def _factors(model: dict[str, Any], figures: pd.DataFrame, bought: inputs.Bought) -> pd.DataFrame:
    """One row per customer and published factor that weighs; `share` is of all the model's factors."""
    import numpy as np
    import pandas as pd

    published = [place for place, one in enumerate(model["factors"]) if one["is_published"]]
    parts = []
    for start in range(0, len(figures) if published else 0, _CHUNK):
        customers = figures["customer_id"].iloc[start : start + _CHUNK].to_numpy()
        weights = portable_factors.answers(model, bought.table(customers, tuple(model["categories"])))
        totals = weights.sum(axis=1)
        shares = np.round(weights / np.where(totals > 0, totals, 1.0)[:, None], 6)
        for place in published:
            rows = weights[:, place] > 0
            parts.append(
                pd.DataFrame(
                    {
                        "customer_id": customers[rows],
                        "factor": model["factors"][place]["factor"],
                        "factor_name": model["factors"][place]["name"],
                        "weight": weights[rows, place],
                        "share": shares[rows, place],
                        "model_fingerprint": model["fingerprint"],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"customer_id": []})


def _told_factors(model: dict[str, Any]) -> pd.DataFrame:
    """One row per published factor and rank of its categories."""
    import pandas as pd

    rows = [
        {
            "factor": one["factor"],
            "rank": rank,
            "factor_name": one["name"],
            "category": top["category"],
            "weight": top["weight"],
            "stability": one["stability"],
            "model_fingerprint": model["fingerprint"],
        }
        for one in model["factors"]
        if one["is_published"]
        for rank, top in enumerate(one["top"], start=1)
    ]
    return pd.DataFrame(rows, columns=None if rows else ["factor", "rank"])


# The champion, and the contract of what is declared.


def _champion(settings: Settings, run: Run, target: str) -> tracking.Version:
    found = tracking.champion(settings, target)
    if found is None:
        raise HuaxiangError(
            f"attributes: no model of {target} has been trained yet: run 'huaxiang train --as-of {run.as_of}'"
        )
    return found


def _require(model: dict[str, Any], champion: tracking.Version, columns: set[str], run: Run) -> None:
    missing = sorted({one["name"] for one in model["figures"]} - columns)
    if missing:
        raise HuaxiangError(
            f"attributes: the champion of {champion.target} (version {champion.version}) needs '{missing[0]}', which "
            f"the features of {run.as_of} do not have: run 'huaxiang train --as-of {run.as_of}'"
        )


def _columns(settings: Settings) -> tuple[str, ...]:
    contract = read_contract(settings.contracts_dir / "customers.yml")
    return tuple(name for name in contract.column_names if name not in contract.key)


def _sensitive(settings: Settings) -> set[str]:
    contract = read_contract(settings.contracts_dir / "customers.yml")
    return {column.name for column in contract.columns if column.classification == "sensitive"}
