"""A condition in words, as a tree: what a person reads on the page and on the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from huaxiang.audiences.language import (
    All,
    Any,
    Bounds,
    Condition,
    Feature,
    Followed,
    Happened,
    HasTag,
    Member,
    Not,
    Pattern,
    Value,
)
from huaxiang.customer_events import EVENTS
from huaxiang.report import glossary, words


@dataclass(frozen=True)
class Said:
    """A line, and the lines that belong under it."""

    text: str
    parts: tuple[Said, ...] = ()


def said(condition: Condition, titles: Mapping[str, str], currency: str) -> Said:
    """The condition in words. `titles` are those of tags (`tag:x`) and audiences (`audience:x`)."""
    match condition:
        case All(parts):
            return Said("all of", tuple(said(part, titles, currency) for part in parts))
        case Any(parts):
            return Said("at least one of", tuple(said(part, titles, currency) for part in parts))
        case Not(part):
            return Said("not", (said(part, titles, currency),))
        case Member(name):
            return Said(f"is in the audience “{titles.get(f'audience:{name}', name)}”")
        case HasTag(tag, values, confidence):
            text = f"tag “{titles.get(f'tag:{tag}', tag)}”"
            text += f" is {_either(values)}" if values else " applies"
            return Said(text + (f", at least {words.percent(confidence, 0)} sure" if confidence is not None else ""))
        case Feature(column, _, bounds, is_known):
            label = glossary.term(column).label
            if is_known is not None:
                return Said(f"{label}: {'known' if is_known else 'not known'}")
            return Said(f"{label}: {_bounds(bounds, column, currency)}")
        case Happened():
            return Said(_happened(condition, currency))
        case Followed(first, then, days, is_absent):
            span = f"within {words.plural(days, 'day')}" if days else "by the day looked at"
            text = f"{_pattern(first, currency)}, and then "
            return Said(f"{text}{'no ' if is_absent else ''}{_pattern(then, currency)} {span}")


def lines(tree: Said, depth: int = 0) -> Iterator[str]:
    """The tree for a terminal, two spaces a level."""
    yield f"{'  ' * depth}{tree.text}{':' if tree.parts else ''}"
    for part in tree.parts:
        yield from lines(part, depth + 1)


def _happened(condition: Happened, currency: str) -> str:
    pattern = _pattern(condition.pattern, currency)
    if condition.sum:
        return f"{pattern}: {words.plain(condition.sum)} together {_bounds(condition.bounds, condition.sum, currency)}"
    if condition.bounds == Bounds(at_most=Decimal(0)):
        return f"no {pattern}"
    unit = {"rows": "", "orders": " orders with", "days": " days with"}[condition.count]
    if condition.bounds == Bounds(at_least=Decimal(1)):
        return f"any {pattern}"
    return f"{_bounds(condition.bounds, '', currency)}{unit} {pattern}"


def _pattern(pattern: Pattern, currency: str) -> str:
    text = EVENTS[pattern.event].said
    if pattern.where:
        text += f" ({'; '.join(_where(name, bounds, currency) for name, bounds in pattern.where)})"
    if pattern.last_days is not None:
        text += f" in the last {words.plural(pattern.last_days, 'day')}"
    if pattern.since:
        text += f" from {words.day(pattern.since)}"
    if pattern.until:
        text += f" up to {words.day(pattern.until)}"
    return text


def _where(name: str, bounds: Bounds, currency: str) -> str:
    if name.startswith("is_") and bounds.values in ((True,), (False,)):
        return ("" if bounds.values[0] else "not ") + words.plain(name.removeprefix("is_"))
    return f"{words.plain(name)} {_bounds(bounds, name, currency)}"


def _bounds(bounds: Bounds, column: str, currency: str) -> str:
    def shown(value: Value) -> str:
        if isinstance(value, Decimal):
            if column.endswith("_amount"):
                return words.money(value, currency)
            if column and glossary.term(column).unit in ("money", "share", "ratio", "days", "weekday", "hour"):
                whole = glossary.term(column).unit in ("days", "weekday", "hour")
                return glossary.say(column, int(value) if whole else value, currency)
            return f"{value:,f}"
        if isinstance(value, bool):
            return "yes" if value else "no"
        return words.day(value) if isinstance(value, date) else words.visible(value)

    parts = [_either(tuple(map(shown, bounds.values)))] if bounds.values else []
    for text, bound in (
        ("at least", bounds.at_least), ("more than", bounds.above),
        ("at most", bounds.at_most), ("less than", bounds.below),
    ):  # fmt: skip
        if bound is not None:
            parts.append(f"{text} {shown(bound)}")
    return " and ".join(parts)


def _either(values: tuple[str, ...]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"
