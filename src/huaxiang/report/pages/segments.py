"""The segments page: the groups, what sets each apart, and how far to trust them."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from huaxiang.report import charts, glossary, levels, words
from huaxiang.report.segments import (
    Candidate,
    Segment,
    averages,
    candidates,
    measures,
    outliers,
    ratios,
    segments,
    shapes,
)
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables

_LIMIT = 4.0  # a bar ends at four times the average, or a quarter of it
_INTERESTS = 5
_SHOWN = (
    "order_count_91d", "net_spend_91d", "basket_net_mean", "recency_days", "coupon_share", "campaigns_answered",
    "discount_share", "private_label_share", "category_count",
)  # fmt: skip


def is_needed(tables: BuildTables) -> bool:
    """Whether the build has segments."""
    return tables.has("segments")


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `segments.html`; returns the figures the step logs."""
    found = segments(tables)
    average = averages(found)
    card = tables.json("segments/model.json") or {}
    tried = candidates(card)
    currency = tables.settings.currency
    drawn = {name: average[name] for name in _SHOWN if name in average} or average
    drawings = {
        segment.segment_id: charts.against_average(segment.name, ratios(segment, drawn, currency), _LIMIT)
        for segment in found
        if len(found) > 1 and ratios(segment, drawn, currency)
    }
    site.write(
        "segments.html",
        segments=found,
        average=average,
        drawings=drawings,
        card=card,
        largest_p_value=max((fact.p_value for segment in found for fact in segment.facts), default=None),
        customers=sum(segment.customers for segment in found),
        largest=max((segment.share for segment in found), default=1.0),
        largest_spend=max((segment.spend_share or 0.0 for segment in found), default=1.0) or 1.0,
        has_spend=any(segment.spend_share is not None for segment in found),
        tried=tried,
        tried_drawing=_tried(tried) if len(tried) > 1 else None,
        measures=measures(card),
        shapes=shapes(card),
        unused=[glossary.term(name).label for name in card.get("left_out_features", ())],
        limits=_limits(card),
        unlike=outliers(tables),
        has_moves=tables.has("segment_moves"),
        **_levels(tables, found),
    )
    return {"segments": len(found)}


def _levels(tables: BuildTables, found: tuple[Segment, ...]) -> dict[str, Any]:
    """The population's figures, segment by segment: totals that add up to everybody's, tags and interests as shares."""
    if not tables.has("portrait_levels") or len(found) < 2:
        return {"totals": {}, "everybody": None, "shares": []}
    made = levels.levels(tables)
    shares = []
    for one in levels.spreads(tables):
        if one.tag in levels.GLANCE:
            rows = [
                (value, count, {to: of.get(value, 0) for to, of in one.by_segment.items()})
                for value, count in one.values
            ]
            shares.append((one.title, rows))
    liked = [(one.category, one.customers, one.by_segment) for one in levels.interests(tables, _INTERESTS)]
    if liked:
        shares.append(("Among the top interests", liked))
    return {"totals": {int(one.group_id): one for one in made.segments}, "everybody": made.population, "shares": shares}


def _tried(tried: tuple[Candidate, ...]) -> Markup:
    rows: list[dict[str, float | None]] = [
        {"k": row.k, "silhouette": row.silhouette, "stability": row.stability, "again": row.least_found_again}
        for row in tried
    ]
    names = {"stability": "stability", "again": "worst found again", "silhouette": "separation"}
    chosen = next((row.k for row in tried if row.is_chosen), tried[0].k)
    return charts.lines(rows, "k", names, chosen, "Separation and stability for each number of segments")


def _limits(card: dict[str, Any]) -> list[str]:
    """What a reader must not conclude."""
    limits = [f"{note[0].upper()}{note[1:].rstrip('.')}." for note in card.get("notes", ()) if note]
    metrics = card.get("metrics", {})
    if metrics.get("silhouette") is not None and metrics["silhouette"] < 0.5:
        limits.append(
            f"The groups touch: separation is {words.number(metrics['silhouette'], 2)} of 1, so a customer near a "
            "border could as well belong to the neighbouring group. Read a segment as a tendency, not a type of person."
        )
    limits.append(
        "Segments describe what customers did; they do not say why, and not what a campaign would change. "
        "That takes a comparison with customers who did not get it."
    )
    if card.get("k", 0) > 1:
        limits.append(
            "The tests say that a difference is not chance. Whether it is large enough to matter, the means say."
        )
    return limits
