"""The models page: each model in a sentence, beside its baseline, with how it was judged and what else was tried."""

from __future__ import annotations

from markupsafe import Markup

from huaxiang import families
from huaxiang.report import charts, words
from huaxiang.report.model_cards import ModelCard, cards, verdict
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables

# Where a reader sees what the model made.
_SHOWN_ON = {
    "segments": ("segments.html", "See the segments"),
    "recommendations": ("recommendations.html", "See the recommendations"),
    "associations": ("recommendations.html#rules", "See the rules"),
    "scores": ("customer.html", "See a customer"),
}
_DRAWN = 3  # figures of a model that are drawn; all are told


def is_needed(tables: BuildTables) -> bool:
    """Whether the build has a model, or a reason why one is missing."""
    return bool(families.left_out(tables.build)) or any(tables.build.glob("*/model*.json"))


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `models.html`; returns the figures the step logs."""
    found = cards(tables)
    pages = {page for page, _ in site.common["pages"]}
    site.write(
        "models.html",
        cards=found,
        verdicts={
            card.target: [verdict(one, card.baseline or "the baseline") for one in card.measures] for card in found
        },
        drawings={card.target: drawings(card) for card in found},
        places={family: place for family, place in _SHOWN_ON.items() if place[0].partition("#")[0] in pages},
        left_out=left_out(tables),
    )
    return {"models": len(found)}


def left_out(tables: BuildTables) -> list[tuple[str, str]]:
    """The families without a result in this run, each with its reason."""
    return [
        (words.plain(family), f"{reason.rstrip('.')}.") for family, reason in families.left_out(tables.build).items()
    ]


def drawings(card: ModelCard) -> list[Markup]:
    """The first figures with an interval, model above baseline."""
    drawn = []
    for measure in [one for one in card.measures if one.model.interval][:_DRAWN]:
        rows = [("this model", measure.model, True)]
        if measure.baseline:
            rows.append(("baseline", measure.baseline, False))
        drawn.append(
            charts.intervals(
                [
                    charts.Whisker(name, one.value, one.low, one.high, measure.metric.say(one.value), is_model)
                    for name, one, is_model in rows
                ],
                f"{card.title}: {measure.metric.label}, model and baseline with their 95 % intervals",
                ".0%" if measure.metric.unit == "share" else ".2~f",
            )
        )
    return drawn
