"""What the segments page tells: sizes, tested facts, the comparison with the average, and how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from huaxiang.report import glossary
from huaxiang.report.tables import BuildTables

_SHAPES = {"spark-kmeans": "K-Means", "gaussian-mixture": "Gaussian mixture", "hdbscan": "HDBSCAN"}


@dataclass(frozen=True)
class Fact:
    """A tested difference from all other customers. `in_name` when the segment's name uses its word.

    Of interests the word is a category.
    """

    word: str
    statement: str
    p_value: float
    in_name: bool
    is_interest: bool = False


@dataclass(frozen=True)
class Segment:
    """One segment. `spend_share` is None where there is no spend; `example` is the customer nearest to the centre."""

    segment_id: int
    name: str
    customers: int
    share: float
    spend_share: float | None
    means: dict[str, float]
    facts: tuple[Fact, ...]
    example: str


@dataclass(frozen=True)
class Candidate:
    """How good a number of segments was."""

    k: int
    silhouette: float
    stability: float
    smallest_share: float | None
    least_found_again: float | None
    is_chosen: bool


@dataclass(frozen=True)
class Measure:
    """One figure of the segments beside the same figure of the baseline, each with its interval (low, high)."""

    name: str
    value: float
    interval: tuple[float, float] | None
    baseline: float | None
    baseline_interval: tuple[float, float] | None


@dataclass(frozen=True)
class Shape:
    """A way to group that was tried: its figures with their intervals, and why it is not in use."""

    name: str
    groups: int | None
    silhouette: float | None
    stability: float | None
    stability_interval: tuple[float, float] | None
    least_found_again: float | None
    is_in_use: bool
    reason: str


@dataclass(frozen=True)
class Outliers:
    """Customers unlike everybody: how many, their share of all, and the furthest of them (id, reason)."""

    customers: int
    share: float
    furthest: tuple[tuple[str, str], ...]


def segments(tables: BuildTables) -> tuple[Segment, ...]:
    """All segments, the largest first."""
    card = tables.json("segments/model.json") or {}
    words = {said["segment_id"]: set(said["words"]) for said in card.get("segments", ())}
    facts: dict[int, list[Fact]] = {}
    if tables.has("segment_facts"):
        for row in tables.rows("select * from segment_facts order by segment_id, rank"):
            is_interest = row["feature"] == "interests"
            in_name = not is_interest and row["word"] in words.get(row["segment_id"], ())
            fact = Fact(row["word"], row["statement"], row["p_value"], in_name, is_interest)
            facts.setdefault(row["segment_id"], []).append(fact)
    spends, examples = _spend_shares(tables), _examples(tables)
    kept = ("segment_id", "segment_name", "customer_count", "customer_share")
    return tuple(
        Segment(
            segment_id=row["segment_id"],
            name=row["segment_name"],
            customers=row["customer_count"],
            share=row["customer_share"],
            spend_share=spends.get(row["segment_id"]),
            means={name: float(value) for name, value in row.items() if name not in kept and _is_figure(value)},
            facts=tuple(facts.get(row["segment_id"], ())),
            example=examples.get(row["segment_id"], ""),
        )
        for row in tables.rows("select * from segments order by customer_count desc, segment_id")
    )


def outliers(tables: BuildTables, shown: int = 5) -> Outliers | None:
    """None where the model does not say who is like others."""
    if not tables.has("customer_segments", "is_outlier"):
        return None
    [sums] = tables.rows(
        "select count(*) filter (is_outlier) as customers, count(is_outlier) as known from customer_segments"
    )
    if not sums["known"]:
        return None
    rows = tables.rows(
        "select customer_id, outlier_reason from customer_segments where is_outlier "
        "order by outlier_score desc, customer_id limit $1",
        shown,
    )
    furthest = tuple((row["customer_id"], row["outlier_reason"]) for row in rows)
    return Outliers(sums["customers"], sums["customers"] / sums["known"], furthest)


def averages(found: tuple[Segment, ...]) -> dict[str, float]:
    """The mean of each figure over all customers: the segments' means weighted by size."""
    columns = (
        [column for column in found[0].means if all(column in segment.means for segment in found)] if found else []
    )
    columns, customers = glossary.in_order(columns), sum(segment.customers for segment in found)
    return {
        column: sum(segment.means[column] * segment.customers for segment in found) / customers for column in columns
    }


def ratios(segment: Segment, average: dict[str, float], currency: str) -> list[tuple[str, float, str]]:
    """(figure, segment mean / average, in words) for every figure with positive means."""
    return [
        (
            glossary.term(column).label,
            segment.means[column] / mean,
            f"{glossary.term(column).label}: {glossary.say(column, segment.means[column], currency, mean=True)}, "
            f"average {glossary.say(column, mean, currency, mean=True)}",
        )
        for column, mean in average.items()
        if mean > 0 and segment.means[column] >= 0
    ]


def candidates(card: dict[str, Any]) -> tuple[Candidate, ...]:
    """The numbers of segments that were tried."""
    return tuple(
        Candidate(
            k=row["k"],
            silhouette=row["silhouette"],
            stability=row["stability"],
            smallest_share=row.get("smallest_share"),
            least_found_again=row.get("least_found_again"),
            is_chosen=row["k"] == card.get("k"),
        )
        for row in card.get("k_table", ())
    )


def shapes(card: dict[str, Any]) -> tuple[Shape, ...]:
    """Every shape of the training, the one in use first; nothing where only one was tried."""
    rows = [(row, row.get("metrics") or {}) for row in card.get("tried", ())]
    found = (
        Shape(
            name=_SHAPES.get(row["recipe"], row["recipe"]),
            groups=int(figures["segments"]) if "segments" in figures else None,
            silhouette=figures.get("silhouette"),
            stability=figures.get("stability"),
            stability_interval=_interval(figures, "stability"),
            least_found_again=figures.get("least_found_again"),
            is_in_use=row["recipe"] == card.get("recipe"),
            reason=row.get("reason") or "",
        )
        for row, figures in rows
    )
    return tuple(sorted(found, key=lambda shape: not shape.is_in_use)) if len(rows) > 1 else ()


def measures(card: dict[str, Any]) -> tuple[Measure, ...]:
    """Silhouette and stability of the segments and of the baseline."""
    said, names = (
        card.get("metrics", {}),
        {"silhouette": "Separation (silhouette)", "stability": "Stability (adjusted Rand index)"},
    )
    return tuple(
        Measure(
            name=name,
            value=said[key],
            interval=_interval(said, key),
            baseline=said.get(f"baseline_{key}"),
            baseline_interval=_interval(said, f"baseline_{key}"),
        )
        for key, name in names.items()
        if key in said
    )


def _interval(said: dict[str, float], key: str) -> tuple[float, float] | None:
    low, high = said.get(f"{key}_low"), said.get(f"{key}_high")
    return None if low is None or high is None else (low, high)


def _is_figure(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _spend_shares(tables: BuildTables) -> dict[int, float]:
    if not tables.has("customer_profiles", "net_spend", "segment_id"):
        return {}
    rows = tables.rows("select segment_id, sum(net_spend)::double as spend from customer_profiles group by segment_id")
    total = sum(row["spend"] for row in rows)
    return {row["segment_id"]: row["spend"] / total for row in rows} if total > 0 else {}


def _examples(tables: BuildTables) -> dict[int, str]:
    """The customer nearest to each segment's centre; of equally near ones the first id."""
    if not tables.has("customer_segments", "distance"):
        return {}
    rows = tables.rows(
        """
        select segment_id, customer_id
        from customer_segments
        qualify row_number() over (partition by segment_id order by distance, customer_id) = 1
        """
    )
    return {row["segment_id"]: row["customer_id"] for row in rows}
