"""The models page: each model in a sentence, beside its baseline, with how it was judged and what else was tried."""

from __future__ import annotations

from markupsafe import Markup

from huaxiang import families
from huaxiang.drift.daily import Drift, read
from huaxiang.judging.cards import paths
from huaxiang.report import charts, words
from huaxiang.report.metrics import Metric
from huaxiang.report.model_cards import Figure, Measure, ModelCard, cards, verdict
from huaxiang.report.site import Site
from huaxiang.report.tables import BuildTables

# Where a reader sees what the model made.
_SHOWN_ON = {
    "segments": ("segments.html", "See the segments"),
    "recommendations": ("recommendations.html", "See the recommendations"),
    "associations": ("recommendations.html#rules", "See the rules"),
    "scores": ("customer.html", "See a customer"),
    "features": ("customer.html", "See a customer"),
    "attributes": ("attributes.html", "See attributes and factors"),
    "categories": ("recommendations.html#categories", "See the categories"),
    "sequences": ("paths.html#sequences", "See the sequences"),
}
_DRAWN = 3  # figures of a model that are drawn; all are told


def is_needed(tables: BuildTables) -> bool:
    """Whether the build has a model, or a reason why one is missing."""
    return bool(families.left_out(tables.build) or paths(tables.build))


def write(site: Site, tables: BuildTables) -> dict[str, int]:
    """Write `models.html`; returns the figures the step logs."""
    found = cards(tables)
    pages = {page for page, _ in site.common["pages"]}
    site.write(
        "models.html",
        cards=found,
        verdicts={card.target: [verdict(measure, card) for measure in card.measures] for card in found},
        drawings={card.target: drawings(card) for card in found},
        costs={card.target: cost(card) for card in found},
        places={family: place for family, place in _SHOWN_ON.items() if place[0].partition("#")[0] in pages},
        left_out=left_out(tables),
        drift=drift(tables),
    )
    return {"models": len(found)}


def drift(tables: BuildTables) -> list[Drift]:
    """What can be compared with an earlier day, the most moved first: nothing on the first day of new models."""
    earlier = (one for one in read(tables.build) if one.since < tables.run.as_of)
    return sorted(earlier, key=lambda one: (-one.psi, one.kind, one.name))


def left_out(tables: BuildTables) -> list[tuple[str, str]]:
    """The families without a result in this run, each with its reason."""
    return [
        (words.plain(family), f"{reason.removeprefix(f'{family}: ').rstrip('.')}.")
        for family, reason in families.left_out(tables.build).items()
    ]


def drawings(card: ModelCard) -> list[Markup | None]:
    """For each figure its picture, model above baseline; None without an interval, and for those after the first."""
    drawable = [measure.key for measure in card.measures if measure.model.interval][:_DRAWN]
    return [_drawing(card, measure) if measure.key in drawable else None for measure in card.measures]


def cost(card: ModelCard) -> Markup | None:
    """The picture of quality against seconds: all that was tried, the quickest first, by the figure that decides. None
    where fewer than two recipes can be drawn."""
    if not card.compared:
        return None
    metric = card.compared[0].metric
    known = sorted(
        (one for one in card.tried if one.seconds is not None and one.figures), key=lambda one: one.seconds or 0
    )
    rows = [
        _whisker(f"{one.seconds:,.1f} s  {one.name}", one.figures[0], metric, one.is_in_use)
        for one in known
        if one.figures[0]
    ]
    if len(rows) < 2:
        return None
    label = f"{card.title}: {metric.label} of every recipe with its 95 % interval, the quickest first"
    return charts.intervals(rows, label, metric.unit_after)


def _drawing(card: ModelCard, measure: Measure) -> Markup:
    rows = [_whisker("this model", measure.model, measure.metric, is_model=True)]
    if measure.baseline:
        rows.append(_whisker("baseline", measure.baseline, measure.metric, is_model=False))
    label = f"{card.title}: {measure.metric.label}, model and baseline with their 95 % intervals"
    return charts.intervals(rows, label, measure.metric.unit_after)


def _whisker(name: str, figure: Figure, metric: Metric, is_model: bool) -> charts.Whisker:
    scale = 100 if metric.unit == "share" else 1
    value, low, high = (None if bound is None else scale * bound for bound in (figure.value, figure.low, figure.high))
    return charts.Whisker(name, value or 0.0, low, high, metric.say(figure.value), is_model)
