"""Portraits for a terminal, aligned and with their units, and as JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable

from huaxiang.report import glossary, words
from huaxiang.timetravel.portraits import Portrait, Shown

_HEAD = ("customer_id", "as_of")
_OTHERS = {
    "customer_segments": "segment",
    "customer_items": "recommendations",
    "customer_scores": "scores",
}
_OWN = ("customer_id", "as_of", "model_fingerprint")  # columns that say nothing of the person


def as_text(shown: Shown, currency: str) -> str:
    """The first line says where the portraits come from."""
    parts = [_origin(shown)]
    parts += ["\n".join(_portrait(one, currency)) for one in shown.portraits]
    return "\n\n".join(parts)


def as_json(shown: Shown) -> str:
    """One object; money stays exact, as text."""
    said = {
        "as_of": str(shown.run.as_of),
        "known_at": str(shown.run.known_at),
        "release_id": shown.release_id,
        "computed_because": shown.reason or None,
        "customers": [{"customer_id": one.customer_id, "profile": one.profile, **one.rows} for one in shown.portraits],
    }
    return json.dumps(said, indent=2, ensure_ascii=False, default=str)


def _origin(shown: Shown) -> str:
    when = f"as of {shown.run.as_of}, known at {shown.run.known_at}"
    if shown.release_id:
        return f"{when}: from release {shown.release_id}"
    return f"{when}: computed from the landed rows, without models ({shown.reason})"


def _portrait(portrait: Portrait, currency: str) -> Iterable[str]:
    yield f"customer {words.visible(portrait.customer_id)}"
    names = [name for name in glossary.in_order(portrait.profile) if name not in _HEAD]
    told = [(glossary.term(name).label, glossary.say(name, portrait.profile[name], currency)) for name in names]
    yield from _aligned(told)
    if interests := portrait.rows.get("customer_interests"):
        yield "interests (share of recent purchases)"
        yield from _aligned(
            (f"{one['rank']}. {words.visible(str(one['category']))}", words.number(one["weight"], 3))
            for one in interests
        )
    if tags := portrait.rows.get("customer_tags"):
        yield "tags"
        yield from _aligned(
            (words.plain(one["tag"]), words.visible(f"{one['value']}  ({one['evidence']})")) for one in tags
        )
    for table, title in _OTHERS.items():
        if rows := portrait.rows.get(table):
            yield title
            for row in rows:
                shown = (
                    f"{name} {glossary.say(name, value, currency)}"
                    for name, value in row.items()
                    if name not in _OWN and value is not None
                )
                yield "  " + ", ".join(shown)


def _aligned(lines: Iterable[tuple[str, str]]) -> list[str]:
    pairs = list(lines)
    width = max((len(label) for label, _ in pairs), default=0)
    return [f"  {label:<{width}}  {value}" for label, value in pairs]
