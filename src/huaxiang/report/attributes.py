"""What the attributes page says: declared beside inferred, what was tried and lost, and the factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huaxiang.report.tables import BuildTables


@dataclass(frozen=True)
class Attribute:
    """An attribute of a home: of how many customers it is declared, inferred, unknown; and how the trial ended.

    Figures of the trial are fractions; None where it was never tried. `gain` is that in accuracy over the commonest
    value, with its bounds.
    """

    name: str
    declared: int
    inferred: int
    unknown: int
    accuracy: float | None
    baseline: float | None
    gain: tuple[float, float, float] | None
    calibration_error: float | None
    is_inferred: bool
    reason: str


@dataclass(frozen=True)
class Factor:
    """A factor of the model: its categories, how surely it comes back, and whose purchases it leads."""

    number: int
    name: str
    categories: tuple[str, ...]
    stability: float
    found_share: float
    baseline_stability: float
    is_published: bool
    customers: int


def attributes(tables: BuildTables) -> tuple[Attribute, ...]:
    """Every attribute that somebody declared, by name."""
    counts = tables.rows(
        """
        select
            attribute,
            count(*) filter (where status = 'declared') as declared,
            count(*) filter (where status = 'inferred') as inferred,
            count(*) filter (where status = 'unknown') as unknown
        from customer_attributes
        group by attribute
        order by attribute
        """
    )
    card = tables.json("attributes/model.attributes.json") or {}
    tried = {row["attribute"]: row for row in card.get("by_attribute", ())}
    is_in_use = card.get("recipe") != (card.get("baseline") or {}).get("name")
    refused = card.get("refused", {})
    return tuple(
        _attribute(row, tried.get(row["attribute"]), is_in_use, refused.get(row["attribute"])) for row in counts
    )


def factors(tables: BuildTables) -> tuple[Factor, ...]:
    """Every factor of the model, also those that were not stable enough to publish."""
    card = tables.json("attributes/model.lifestyle_factors.json") or {}
    leads = {
        row["factor"]: row["customers"]
        for row in tables.rows(
            """
            select factor, count(*) as customers
            from (
                select factor from customer_factors
                qualify row_number() over (partition by customer_id order by share desc, factor) = 1
            )
            group by factor
            """
        )
    }
    return tuple(
        Factor(
            number=row["factor"],
            name=row["name"],
            categories=tuple(category.lower() for category in row["categories"]),
            stability=row["stability"],
            found_share=row["found_share"],
            baseline_stability=row["baseline_stability"],
            is_published=row["is_published"],
            customers=leads.get(row["factor"], 0),
        )
        for row in card.get("by_factor", ())
    )


def _attribute(
    counts: Mapping[str, Any], tried: Mapping[str, Any] | None, is_in_use: bool, refused: str | None
) -> Attribute:
    said = {name: counts[name] for name in ("declared", "inferred", "unknown")}
    if tried is None:
        never = f"never inferred, since {refused}" if refused else "not tried: too few declared it"
        return Attribute(counts["attribute"], **said, accuracy=None, baseline=None, gain=None, calibration_error=None,
                         is_inferred=False, reason=never)  # fmt: skip
    return Attribute(
        counts["attribute"],
        **said,
        accuracy=tried["accuracy"],
        baseline=tried["baseline_accuracy"],
        gain=(tried["accuracy_gain"], tried["accuracy_gain_low"], tried["accuracy_gain_high"]),
        calibration_error=tried["calibration_error"],
        is_inferred=tried["is_inferred"] and is_in_use,
        reason=tried["reason"],
    )
