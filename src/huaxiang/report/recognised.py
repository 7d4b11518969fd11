"""Who is who, in a few sentences and a small table for the data page: counts only, no customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from huaxiang.identity import SUMMARY, accuracy_sentence
from huaxiang.report.tables import BuildTables
from huaxiang.report.words import plural


@dataclass(frozen=True)
class Recognised:
    """What staging said about recognising people. `links` are (kind, pairs, what they do)."""

    facts: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str, str], ...]
    sentences: tuple[str, ...]


def recognised(tables: BuildTables) -> Recognised | None:
    """None for a home whose sources deliver no identifiers."""
    said = tables.json(SUMMARY)
    return describe(said) if said else None


def describe(said: dict[str, Any]) -> Recognised:
    """The summary in words."""
    churn = said["churn"]
    facts = [
        ("Customers of sources", f"{said['source_ids']:,}"),
        ("Persons", f"{said['persons']:,}"),
        ("Largest person", plural(said["largest"], "customer")),
        ("Ids changed since the last day", f"{churn['changed']:,} ({churn['share']:.2%})" if churn else "–"),
    ]
    links = [(_kind(kind), f"{pairs:,}", "one person") for kind, pairs in said["links"].items()]
    links += [(_kind(kind), f"{pairs:,}", "told, not joined") for kind, pairs in said["told"].items()]
    sentences = [_sentence(accuracy_sentence(said["accuracy"]))]
    if said["waiting"]:
        sentences.append(
            f"{plural(len(said['waiting']), 'join')} would make too many customers one person and"
            f" {'waits' if len(said['waiting']) == 1 else 'wait'} until somebody has looked (huaxiang identity review)."
        )
    if said["set_apart"]:
        sentences.append(f"{plural(said['set_apart'], 'link')} between customers that somebody has set apart.")
    if "left_out" in said["likeness"]:
        sentences.append(f"No probable links: {said['likeness']['left_out']}.")
    return Recognised(tuple(facts), tuple(links), tuple(sentences))


def _kind(kind: str) -> str:
    return "likeness of names, address, birth date" if kind == "likeness" else f"the same {kind.replace('_', ' ')}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
