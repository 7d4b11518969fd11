"""The cards that models left in the build: what each one says, every figure beside its baseline, all that was tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from huaxiang.errors import BrokenConservation
from huaxiang.judging.cards import paths
from huaxiang.report.metrics import Metric, in_order, metric
from huaxiang.report.model_tables import CardTable, card_tables
from huaxiang.report.tables import BuildTables, read_json
from huaxiang.settings import Settings
from huaxiang.tracking import champions

_SAYS = {
    "segments": ("Segments", "Puts every customer into the group of those who behave most alike."),
    "recommend_any": (
        "Recommendations: any product",
        "Names the products, of all there are, that each customer is likeliest to buy in the next 28 days.",
    ),
    "recommend_new": (
        "Recommendations: never bought before",
        "Names the products, of those a customer has never bought, that the customer is likeliest to buy next.",
    ),
    "recommend_category": (
        "Recommendations: categories never bought before",
        "Names the categories, of those a customer has never bought, that the customer is likeliest to start.",
    ),
    "next_purchases": (
        "Next purchases",
        "Says of each category that a customer buys in a rhythm when it is bought next, with an interval of 80 %.",
    ),
    "associations": ("Rules", "Finds the product types that share an order more often than chance would have it."),
    # A declared target's card says itself what it is; these two have their place here, the others follow at the end.
    "churn_28d": ("Staying away", ""),
    "category_28d": ("Next categories", ""),
    "attributes": (
        "Attributes",
        "Says of customers who declared nothing what those who did tell of them, and only where that is surely righter "
        "than the commonest value.",
    ),
    "lifestyle_factors": (
        "Behavioural lifestyle factors",
        "Finds which categories the same customers buy. No claim about personality, values or attitudes is made.",
    ),
    "customer_vectors": (
        "Customer vectors",
        "Puts what a customer buys into a few numbers, and publishes them only where they foretell more than recency, "
        "frequency and money do.",
    ),
    "next_category": (
        "What comes next",
        "Says which category the next step of each customer is likeliest to be of, by the steps before.",
    ),
}
_OUTCOMES = {
    "won": "in use",
    "unchanged": "in use, the same as before",
    "lost": "tried, lost",
    "challenger": "tried, second best",
    "measured": "measured only: a model of it would hold other customers' purchases",
}
_LONGEST_NAME = 40
_SUFFIXES = ("_low", "_high", "_gain")


@dataclass(frozen=True)
class Figure:
    """A figure with the bounds of its 95 % interval, None where none was measured."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True)
class Measure:
    """One figure of the model beside that of the baseline. `gain` is their paired difference, above 0 when better.
    `against` is the baseline's name where this figure has another than the card."""

    key: str
    metric: Metric
    model: Figure
    baseline: Figure | None
    gain: Figure | None
    against: str = ""


@dataclass(frozen=True)
class Recipe:
    """A recipe of the training: its figures in the order of those compared, what became of it, and the seconds
    that its fits took, None where they were not kept."""

    name: str
    figures: tuple[Figure | None, ...]
    outcome: str
    is_in_use: bool
    seconds: float | None = None


@dataclass(frozen=True)
class ModelCard:
    """A model of the build. Days are as the card has them; what a card does not say is empty.

    `baseline` is its name, `baseline_words` says what it does, `is_baseline` that it is itself in use. `compared` are
    the measures that the recipes tried have.
    """

    target: str
    family: str
    title: str
    sentence: str
    version: str
    trained_as_of: str
    fingerprint: str
    run_id: str
    recipe: str
    baseline: str
    baseline_words: str
    is_baseline: bool
    split: str
    customers: int | None
    measures: tuple[Measure, ...]
    compared: tuple[Measure, ...]
    tried: tuple[Recipe, ...]
    why: str
    notes: tuple[str, ...]
    tables: tuple[CardTable, ...]


def cards(tables: BuildTables) -> tuple[ModelCard, ...]:
    """The cards of all models of the build, in the order of the list above, unknown models last."""
    order = list(_SAYS)
    read = [(path.parent.name, read_json(path)) for path in paths(tables.build)]
    found = [read_card(said, family, costs(tables.settings, said)) for family, said in read]
    return tuple(
        sorted(found, key=lambda card: (order.index(card.target) if card.target in order else len(order), card.target))
    )


def read_card(said: Mapping[str, Any], family: str, costs: Mapping[str, float] | None = None) -> ModelCard:
    """A card as the model's family wrote it; `costs` are the seconds of each recipe, which no card holds, since it is
    the same in every home."""
    target = str(said.get("model") or family)
    title, sentence = _SAYS.get(target, ("", ""))
    title = str(said.get("title") or title or _spaced(target).capitalize())
    sentence = sentence or str(said.get("description") or "")
    figures = said.get("metrics") or {}
    measures = read_measures(figures, str(said.get("judged_by") or ""), said.get("baselines") or {})
    compared = tuple(
        one for one in measures if any(one.key in (row.get("metrics") or {}) for row in said.get("tried") or ())
    )
    customers = figures.get("customers") or figures.get("judged_customers")
    baseline = said.get("baseline") or {}
    recipe = said.get("recipe") or next(
        (row.get("recipe") for row in said.get("tried") or () if row.get("outcome") in ("won", "unchanged")), ""
    )
    return ModelCard(
        target=target,
        family=family,
        title=title,
        sentence=sentence,
        version=str(said.get("version") or ""),
        trained_as_of=str(said.get("training_as_of") or ""),
        fingerprint=str(said.get("fingerprint") or ""),
        run_id=str(said.get("run_id") or ""),
        recipe=_spaced(recipe),
        baseline=_short(_spaced(baseline.get("name"))),
        baseline_words=_baseline_words(baseline),
        is_baseline=bool(recipe) and recipe == baseline.get("name"),
        split=str(said.get("split") or ""),
        customers=int(customers) if isinstance(customers, int | float) else None,
        measures=measures,
        compared=compared,
        tried=_tried(said, [measure.key for measure in compared], recipe, costs or {}),
        why=_why(said, recipe),
        notes=tuple(_sentence(str(note)) for note in said.get("notes") or () if note),
        tables=card_tables(said),
    )


def costs(settings: Settings, said: Mapping[str, Any]) -> Mapping[str, float]:
    """Seconds by recipe of the training that made the card's version, where this home keeps that version."""
    try:
        kept = champions.last(settings, str(said.get("model")))
    except BrokenConservation:
        return {}
    return kept.costs if kept and kept.version == str(said.get("version")) else {}


def read_measures(
    figures: Mapping[str, float], judged_by: str = "", against: Mapping[str, str] | None = None
) -> tuple[Measure, ...]:
    """Every figure that has an interval or a baseline; first the one that decides, then the most telling ones.
    `against` names the baseline of a figure that has one of its own."""
    names = [
        name
        for name in figures
        if not name.startswith("baseline_")
        and not name.endswith(_SUFFIXES)
        and (f"baseline_{name}" in figures or f"{name}_low" in figures)
    ]
    ordered = sorted(in_order(names), key=lambda name: name != judged_by)
    return tuple(_measure(figures, name, (against or {}).get(name, "")) for name in ordered)


def verdict(measure: Measure, card: ModelCard) -> tuple[str, str]:
    """Whether the model beats its baseline on this figure: a state (passed, warning or failed) and a sentence."""
    baseline = measure.against or card.baseline
    if card.is_baseline and not measure.against:
        return "warning", f"The baseline itself is in use ({baseline}): nothing that was tried surely beat it."
    if measure.baseline is None:
        return "warning", "Nothing to compare it with: no baseline has this figure."
    if measure.gain is None or measure.gain.interval is None:
        return _verdict_of_intervals(measure, baseline)
    gain, low, high = measure.gain.value, *measure.gain.interval
    say = measure.metric.say_difference
    points = measure.metric.unit_after_difference
    if low > 0:
        return "passed", f"Better than {baseline} by {say(gain)}{points} ({say(low)} to {say(high)})."
    if high < 0:
        return "failed", f"Worse than {baseline} by {say(-gain)}{points} ({say(-high)} to {say(-low)})."
    interval = f"{say(low)} to {say(high)}"
    return "warning", f"Not surely better than {baseline}: the difference is {say(gain)}{points}, and its interval " + (
        f"({interval}) holds 0."
    )


def _verdict_of_intervals(measure: Measure, baseline: str) -> tuple[str, str]:
    """Without a paired difference: are the two intervals apart?"""
    ours, theirs = measure.model, measure.baseline
    if theirs is None or ours.interval is None or theirs.interval is None:
        return "warning", f"How sure the difference from {baseline} is, was not measured."
    low, high = _better(ours.interval, theirs.interval, measure.metric)
    if low > 0:
        return "passed", f"Better than {baseline}: the intervals do not touch."
    if high < 0:
        return "failed", f"Worse than {baseline}: the intervals do not touch."
    return "warning", f"Not surely better than {baseline}: the intervals overlap."


def _better(ours: tuple[float, float], theirs: tuple[float, float], known: Metric) -> tuple[float, float]:
    """The least and the most by which `ours` can be better."""
    if known.is_higher_better:
        return ours[0] - theirs[1], ours[1] - theirs[0]
    return theirs[0] - ours[1], theirs[1] - ours[0]


def _measure(figures: Mapping[str, float], name: str, against: str = "") -> Measure:
    known, model = metric(name), _figure(figures, name)
    baseline, gain = _figure(figures, f"baseline_{name}"), _figure(figures, f"{name}_gain")
    assert model is not None
    if gain and baseline and not known.is_higher_better:
        # Where less is better a card may hold the bare difference or what it gains: the two figures tell which.
        better = baseline.value - model.value
        if gain.value * better < 0:
            gain = Figure(-gain.value, _negative(gain.high), _negative(gain.low))
    return Measure(name, known, model, baseline, gain, against)


def _negative(value: float | None) -> float | None:
    return None if value is None else -value


def _figure(figures: Mapping[str, float], name: str) -> Figure | None:
    if figures.get(name) is None:
        return None
    return Figure(figures[name], figures.get(f"{name}_low"), figures.get(f"{name}_high"))


def _short(name: str) -> str:
    """A name that fits into a sentence."""
    return name if 0 < len(name) <= _LONGEST_NAME else "the baseline"


def _baseline_words(said: Mapping[str, Any]) -> str:
    """What the baseline does; its name alone where the card says no more."""
    text, name = str(said.get("words") or said.get("said") or ""), str(said.get("name") or "")
    return text.removeprefix(f"{name}: ") or _spaced(name)


def _why(said: Mapping[str, Any], recipe: str) -> str:
    """Why this recipe is in use, as the training put it; the recipes' names as words."""
    reason = str(said.get("promotion") or "")
    return _sentence(_spaced(reason)) if reason and recipe else ""


def _tried(said: Mapping[str, Any], names: list[str], in_use: object, costs: Mapping[str, float]) -> tuple[Recipe, ...]:
    """Every recipe of the training, the one in use first."""
    rows = [
        Recipe(
            name=_spaced(row.get("recipe")),
            figures=tuple(_figure(row.get("metrics") or {}, name) for name in names),
            outcome=_outcome(row, said.get("baseline") or {}),
            is_in_use=row.get("recipe") == in_use,
            seconds=costs.get(str(row.get("recipe"))),
        )
        for row in said.get("tried") or ()
    ]
    return tuple(sorted(rows, key=lambda row: not row.is_in_use))


def _outcome(row: Mapping[str, Any], baseline: Mapping[str, Any]) -> str:
    outcome = str(row.get("outcome") or "")
    said = _OUTCOMES.get(outcome, outcome)
    if row.get("recipe") == baseline.get("name"):
        said = f"{said} (the baseline)"
    return f"{said}: {row['reason']}" if row.get("reason") else said


def _spaced(name: object) -> str:
    """A recipe's or target's name as words; its dots are decimals."""
    return str(name or "").replace("_", " ")


def _sentence(note: str) -> str:
    return f"{note[0].upper()}{note[1:].rstrip('.')}."
