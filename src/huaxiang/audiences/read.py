"""Read the audiences of a home, each `audiences/<name>.yml`, and check them against what can be asked for.

All that is wrong is found before anything runs, and said with file, line and the mend.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any as Anything

from huaxiang.audiences.language import (
    All,
    Any,
    Audience,
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
    leaves,
)
from huaxiang.customer_events import EVENTS
from huaxiang.declarations import Declaration, Place, read_declaration
from huaxiang.errors import BadConfiguration
from huaxiang.settings import Settings
from huaxiang.tags import ProfileColumn, Tag

_KEYS = ("title", "description", "owner", "purpose", "who")
_BOUNDS = ("at_least", "at_most", "above", "below")
_WINDOW = ("last_days", "from", "to")
_KINDS = ("all", "any", "not", "tag", "feature", "event", "first", "audience")
_PATTERN = ("event", "where", *_WINDOW)
_COUNTS = ("rows", "orders", "days")
_NOT_ASKED = ("customer_id", "as_of")


@dataclass(frozen=True)
class Askable:
    """What conditions may ask for. `values` are the texts that a tag may say, where its file tells them all."""

    tags: Mapping[str, Tag]
    columns: Mapping[str, ProfileColumn]
    values: Mapping[str, tuple[str, ...]]


def read_audiences(folder: Path, askable: Askable) -> tuple[Audience, ...]:
    """Every audience of the folder, by name, its needs with those of the audiences it includes.

    Raises BadConfiguration naming file, line, reason and mend when one cannot be used.
    """
    declarations = {path.stem: read_declaration(path, "an audience") for path in sorted(folder.glob("*.yml"))}
    found = {
        name: _Reader(declaration, askable, declarations).audience(name) for name, declaration in declarations.items()
    }
    for name in found:
        _check_circles(name, found, declarations, (name,))
    return tuple(replace(one, needs=tuple(sorted(_needs(one.who, found, askable)))) for one in found.values())


class _Reader:
    """Reads one file; a place is the path of keys to what is looked at."""

    def __init__(self, declaration: Declaration, askable: Askable, audiences: Mapping[str, Declaration]) -> None:
        self.declaration, self.askable, self.audiences = declaration, askable, audiences
        self.wrong = declaration.wrong

    def audience(self, name: str) -> Audience:
        said = self.declaration.said
        if not name.replace("_", "").isalnum() or not name.isascii() or name != name.lower():
            raise self.wrong("is no name of an audience", "name the file with lower-case letters, digits and _")
        for key in said:
            if key not in _KEYS:
                raise self.wrong("is no key of an audience", _did_you_mean(str(key), _KEYS), str(key))
        for key in _KEYS[:-1]:
            if not isinstance(said.get(key), str) or not said[key].strip():
                raise self.wrong("is missing or not a text", "add it; the other audiences show how", key)
        if "who" not in said:
            raise self.wrong("is missing", "add the condition that says who belongs to it", "who")
        title, description, owner, purpose = (" ".join(said[key].split()) for key in _KEYS[:-1])
        who = self.condition(said["who"], "who")
        return Audience(name, title, description, owner, purpose, who, path=self.declaration.path)

    def condition(self, said: Anything, *place: str | int) -> Condition:
        if not isinstance(said, dict):
            raise self.wrong("is not a condition", f"write one of {', '.join(_KINDS)}", *place)
        kinds = [kind for kind in _KINDS if kind in said]
        if len(kinds) != 1:
            reason = f"is {' and '.join(kinds)} at once" if kinds else "says no condition that is known"
            mend = "make it several conditions under 'all'" if kinds else f"begin with one of {', '.join(_KINDS)}"
            raise self.wrong(reason, mend, *place)
        return getattr(self, f"_{kinds[0]}")(said, place)

    def _all(self, said: Anything, place: Place) -> Condition:
        return All(self._parts(said, "all", place))

    def _any(self, said: Anything, place: Place) -> Condition:
        return Any(self._parts(said, "any", place))

    def _not(self, said: Anything, place: Place) -> Condition:
        self._only(said, ("not",), place)
        return Not(self.condition(said["not"], *place, "not"))

    def _parts(self, said: Anything, key: str, place: Place) -> tuple[Condition, ...]:
        self._only(said, (key,), place)
        parts = said[key]
        if not isinstance(parts, list) or not parts:
            raise self.wrong(
                "is an empty list" if parts == [] else "is not a list",
                f"write the conditions below it, each with '- '; without any, leave '{key}' out",
                *place,
                key,
            )
        return tuple(self.condition(part, *place, key, number) for number, part in enumerate(parts))

    def _audience(self, said: Anything, place: Place) -> Condition:
        self._only(said, ("audience",), place)
        return Member(self._known("audience", said["audience"], self.audiences, place, "audience"))

    def _tag(self, said: Anything, place: Place) -> Condition:
        self._only(said, ("tag", "is", "confidence_at_least"), place)
        tag = self._known("tag", said["tag"], self.askable.tags, place, "tag")
        values = self._values(said["is"], "text", *place, "is") if "is" in said else ()
        known = self.askable.values.get(tag)
        for value in values:
            if known and value not in known:
                raise self.wrong(
                    f"'{value}' is a value that the tag '{tag}' never has", f"use {_listed(known)}", *place, "is"
                )
        return HasTag(tag, tuple(map(str, values)), self._confidence(said, place))

    def _confidence(self, said: Anything, place: Place) -> Decimal | None:
        if "confidence_at_least" not in said:
            return None
        found = self._value(said["confidence_at_least"], "number", *place, "confidence_at_least")
        if not isinstance(found, Decimal) or not 0 <= found <= 1:
            raise self.wrong("is not from 0 to 1", "write such as 0.8", *place, "confidence_at_least")
        return found

    def _feature(self, said: Anything, place: Place) -> Condition:
        self._only(said, ("feature", "is", "is_known", *_BOUNDS), place)
        name = self._known("column of the portrait", said["feature"], self.askable.columns, place, "feature")
        type_ = self.askable.columns[name].type
        if "is_known" in said:
            self._only(said, ("feature", "is_known"), place)
            if not isinstance(said["is_known"], bool):
                raise self.wrong("is neither true nor false", "write true or false", *place, "is_known")
            return Feature(name, type_, is_known=said["is_known"])
        kind = _kind(type_)
        if kind is None:
            raise self.wrong(f"is of type {type_}, which cannot be compared", "ask for 'is_known'", *place, "feature")
        bounds = self._bounds(said, kind, place)
        if bounds.is_empty:
            raise self.wrong("asks nothing of it", f"add is, is_known, {', '.join(_BOUNDS)}", *place, "feature")
        if type_ == "double" and bounds.values:
            raise self.wrong("asks a measured figure to be exact", "use at_least and at_most", *place, "is")
        return Feature(name, type_, bounds)

    def _event(self, said: Anything, place: Place) -> Condition:
        self._only(said, (*_PATTERN, "count", "sum", "none", *_BOUNDS), place)
        pattern = self._pattern({key: said[key] for key in _PATTERN if key in said}, place)
        event = EVENTS[pattern.event]
        bounds = self._bounds(said, "number", place)
        if "none" in said:
            if said["none"] is not True or not bounds.is_empty or "sum" in said:
                raise self.wrong("says 'did not' and stands alone", "write 'none: true' without bounds", *place, "none")
            bounds = Bounds(at_most=Decimal(0))
        if "sum" in said:
            summed = self._known(
                "number of these events",
                said["sum"],
                [name for name, column in event.columns.items() if column.type == "number"],
                place,
                "sum",
            )
            if "count" in said:
                raise self.wrong(
                    "is asked for beside 'sum'", "leave one out, or make it two conditions", *place, "count"
                )
            if bounds.is_empty:
                raise self.wrong("has no bound", f"add one of {', '.join(_BOUNDS)}", *place, "sum")
            return Happened(pattern, bounds, sum=summed)
        count = self._known("way to count", said.get("count", "rows"), _COUNTS, place, "count")
        if count == "orders" and not event.has_orders:
            raise self.wrong(f"'orders': {event.name} have none", "use rows or days", *place, "count")
        return Happened(pattern, Bounds(at_least=Decimal(1)) if bounds.is_empty else bounds, count)

    def _first(self, said: Anything, place: Place) -> Condition:
        self._only(said, ("first", "then", "without", "within_days"), place)
        if ("then" in said) == ("without" in said):
            raise self.wrong("is a sequence of one event", "add either 'then' or 'without'", *place, "first")
        key = "then" if "then" in said else "without"
        steps = [self._step(said[step], (*place, step)) for step in ("first", key)]
        days = self._days(said["within_days"], *place, "within_days") if "within_days" in said else None
        return Followed(steps[0], steps[1], days, is_absent=key == "without")

    def _step(self, said: Anything, place: Place) -> Pattern:
        if not isinstance(said, dict) or "event" not in said:
            raise self.wrong("is not an event", "write it as {event: purchases, where: {...}}", *place)
        self._only(said, _PATTERN, place)
        return self._pattern(said, place)

    def _pattern(self, said: Mapping[str, Anything], place: Place) -> Pattern:
        event = EVENTS[self._known("event", said["event"], EVENTS, place, "event")]
        asked = said.get("where", {})
        if not isinstance(asked, dict) or ("where" in said and not asked):
            raise self.wrong(
                "is not a mapping of columns", "write it as {category: tea}, or leave it out", *place, "where"
            )
        where = []
        for name, value in asked.items():
            column = self._known(f"column of {event.name}", name, event.columns, (*place, "where"), str(name))
            at = (*place, "where", column)
            kind = event.columns[column].type
            if isinstance(value, dict):
                self._only(value, ("is", *_BOUNDS), at)
                bounds = self._bounds(value, kind, at)
                if bounds.is_empty:
                    raise self.wrong("asks nothing", f"add is, {', '.join(_BOUNDS)}", *at)
            else:
                bounds = Bounds(values=self._values(value, kind, *at))
            where.append((column, bounds))
        last = self._days(said["last_days"], *place, "last_days") if "last_days" in said else None
        since, until = (self._value(said[key], "date", *place, key) if key in said else None for key in _WINDOW[1:])
        if last is not None and (since or until):
            raise self.wrong("is given beside days", "use last_days, or from and to", *place, "last_days")
        if isinstance(since, date) and isinstance(until, date) and since > until:
            raise self.wrong("lies after 'to'", "exchange the two", *place, "from")
        return Pattern(
            event.name,
            tuple(where),
            last,
            since if isinstance(since, date) else None,
            until if isinstance(until, date) else None,
        )

    # Names and values.

    def _only(self, said: Mapping[Anything, Anything], keys: Iterable[str], place: Place) -> None:
        allowed = tuple(keys)
        for key in said:
            if key not in allowed:
                raise self.wrong("does not belong here", _did_you_mean(str(key), allowed), *place, str(key))

    def _known(self, what: str, name: Anything, there: Iterable[str], place: Place, key: str) -> str:
        names = sorted(there)
        if not isinstance(name, str) or name not in names:
            raise self.wrong(f"'{name}' is no {what}", _did_you_mean(str(name), names), *place, key)
        return name

    def _bounds(self, said: Mapping[str, Anything], kind: str, place: Place) -> Bounds:
        values = self._values(said["is"], kind, *place, "is") if "is" in said else ()
        given: dict[str, Anything] = {}
        for key in _BOUNDS:
            if key not in said:
                continue
            if kind not in ("number", "date"):
                raise self.wrong(f"is asked of a {kind}, which has no order", "use 'is'", *place, key)
            given[key] = self._value(said[key], kind, *place, key)
        lowest = [given[key] for key in ("at_least", "above") if key in given]
        highest = [given[key] for key in ("at_most", "below") if key in given]
        if lowest and highest and max(lowest) > min(highest):
            raise self.wrong("ask for more and for less than there can be at once", "exchange the bounds", *place)
        return Bounds(values=values, **given)

    def _values(self, said: Anything, kind: str, *place: str | int) -> tuple[Value, ...]:
        listed = said if isinstance(said, list) else [said]
        if not listed:
            raise self.wrong("is an empty list", "name at least one value, or leave it out", *place)
        found = [self._value(one, kind, *place) for one in listed]
        return tuple(dict.fromkeys(found))

    def _value(self, said: Anything, kind: str, *place: str | int) -> Value:
        """One value of that kind. YAML gives a text, number, day or boolean; which one is not left to chance."""
        if kind == "text":
            if not isinstance(said, str):
                hint = " (YAML takes yes, no, on and off for true and false)" if isinstance(said, bool) else ""
                raise self.wrong(
                    f"'{said}' is not a text{hint}", "put it in quotes as it is spelled in the data", *place
                )
            if "\\" in said or not said.isprintable():
                raise self.wrong(
                    "holds a backslash or a character that cannot be seen",
                    "engines read it differently: leave it out",
                    *place,
                )
            return said
        if kind == "boolean" and isinstance(said, bool):
            return said
        if kind == "date" and isinstance(said, date) and not isinstance(said, datetime):
            return said
        is_number = isinstance(said, int | float) and not isinstance(said, bool)
        if kind == "number" and is_number and abs(said) < 10**12:
            return Decimal(str(said))
        mend = {"boolean": "write true or false", "date": "write it as 2017-11-30", "number": "write a number"}[kind]
        raise self.wrong(f"'{said}' is not a {'day' if kind == 'date' else kind}", mend, *place)

    def _days(self, said: Anything, *place: str | int) -> int:
        if isinstance(said, bool) or not isinstance(said, int) or not 1 <= said <= 36500:
            raise self.wrong(f"'{said}' is not a number of days", "write a whole number of at least 1", *place)
        return said


def _check_circles(
    name: str, found: Mapping[str, Audience], declarations: Mapping[str, Declaration], way: tuple[str, ...]
) -> None:
    for leaf in leaves(found[name].who):
        if not isinstance(leaf, Member):
            continue
        if leaf.audience in way:
            circle = (*way[way.index(leaf.audience) :], leaf.audience)
            declaration = declarations[name]
            raise BadConfiguration(
                f"{declaration.path}:{_line_of(declaration, leaf.audience)}: the audience includes itself"
                f" ({' -> '.join(circle)}); leave one of the references out"
            )
        _check_circles(leaf.audience, found, declarations, (*way, leaf.audience))


def _line_of(declaration: Declaration, included: str) -> int:
    """Where the file includes that audience."""
    for place, line in declaration.lines.items():
        said: Anything = declaration.said
        for key in place:
            said = said[key]
        if place[-1] == "audience" and said == included:
            return line
    return declaration.line("who")


def _needs(condition: Condition, found: Mapping[str, Audience], askable: Askable) -> set[str]:
    needs: set[str] = set()
    for leaf in leaves(condition):
        match leaf:
            case HasTag(tag):
                needs |= set(askable.tags[tag].needs)
            case Feature(column):
                needs |= set(askable.columns[column].needs)
            case Happened(pattern, sum=summed):
                needs |= _needs_of(pattern, summed)
            case Followed(first, then):
                needs |= _needs_of(first) | _needs_of(then)
            case Member(name):
                needs |= _needs(found[name].who, found, askable)
    return needs


def _needs_of(pattern: Pattern, summed: str | None = None) -> set[str]:
    event = EVENTS[pattern.event]
    asked = [name for name, _ in pattern.where] + ([summed] if summed else [])
    return {event.need, *(event.columns[name].need for name in asked)} - {""}


def _kind(type_: str) -> str | None:
    if type_ in ("bigint", "int", "double") or type_.startswith("decimal"):
        return "number"
    return {"varchar": "text", "string": "text", "date": "date", "boolean": "boolean"}.get(type_)


def _did_you_mean(said: str, names: Iterable[str]) -> str:
    known = list(names)
    close = get_close_matches(said, known, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"use {_listed(known)}" if known else "there is none"


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known) if len(known) <= 12 else f"{', '.join(known[:12])} or another of {len(known)}"


def load_askable(settings: Settings) -> Askable:
    """What the home's tags and the columns of its portraits offer."""
    from huaxiang.tags import load_tags, tag_columns

    tags = {tag.name: tag for tag in load_tags(settings)}
    columns = {column.name: column for column in tag_columns(settings) if column.name not in _NOT_ASKED}
    return Askable(tags, columns, {name: tag.values for name, tag in tags.items()})


def load_audiences(settings: Settings) -> tuple[Audience, ...]:
    """The audiences of the home, checked. Raises as `read_audiences` does."""
    return read_audiences(settings.project / "audiences", load_askable(settings))
