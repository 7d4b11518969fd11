"""The policy of a home, `identity.yml`: which identifiers say what, what waits for a person, whose word counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from huaxiang.contracts import read_contract
from huaxiang.declarations import Declaration, read_declaration
from huaxiang.settings import Settings

STRONG, WEAK, DESCRIBED, ANSWER = STRENGTHS = ("strong", "weak", "described", "answer")
CRITERIA = ("source", "recency", "completeness", "confidence")

# How a value is made comparable, as DuckDB SQL over `value`. What is then empty identifies nobody.
CLEANING = {
    "exact": "trim(value)",
    "email": "lower(trim(value))",
    "phone": "ltrim(regexp_replace(value, '[^0-9]', '', 'g'), '0')",
    "digits": "regexp_replace(value, '[^0-9]', '', 'g')",
    "code": "upper(regexp_replace(value, '[^\\p{L}\\p{N}]', '', 'g'))",
    "text": "lower(strip_accents(regexp_replace(trim(value), '\\s+', ' ', 'g')))",
}
# A compared kind becomes a column beside these.
_NAME = re.compile("[a-z][a-z0-9_]*")
_TAKEN = {"unique_id", "source_name", "customer_id", "since"}
_KEYS = {
    "kinds", "compare_where_equal", "link_above", "tell_above", "most_per_identifier", "most_per_person",
    "survivorship",
}  # fmt: skip
_KIND_KEYS = {"strength", "clean", "confidence", "half_life_days", "compare", "ignore"}


@dataclass(frozen=True)
class Kind:
    """A kind of identifier. `steps` are the edit distances that count as alike; None: it is not compared.

    `ignore` holds cleaned values that identify nobody, such as the shop's own telephone.
    """

    name: str
    strength: str
    clean: str
    confidence: float
    half_life_days: int | None
    steps: tuple[int, ...] | None
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Survivorship:
    """Whose value counts: the rank of sources, and per field of `customers` what decides, in order."""

    sources: tuple[str, ...]
    fields: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Policy:
    """The whole of `identity.yml`."""

    kinds: dict[str, Kind]
    blocks: tuple[tuple[str, ...], ...]
    link_above: float
    tell_above: float
    most_per_identifier: int
    most_per_person: int
    survivorship: Survivorship

    def of_strength(self, strength: str) -> list[Kind]:
        """The kinds of that strength, in the file's order."""
        return [kind for kind in self.kinds.values() if kind.strength == strength]

    @property
    def compared(self) -> list[Kind]:
        """The kinds that are compared for likeness."""
        return [kind for kind in self.kinds.values() if kind.steps is not None]


def load_policy(settings: Settings) -> Policy:
    """Read and check the home's policy. Raises BadConfiguration with file, line, reason and mend."""
    said = read_declaration(settings.identity_policy, "the policy of identity")
    _refuse_unknown(said, said.said, _KEYS)
    kinds = _kinds(said)
    compared = {name for name, kind in kinds.items() if kind.steps is not None}
    policy = Policy(
        kinds=kinds,
        blocks=_blocks(said, compared),
        link_above=_number(said, "link_above", 0.99, 0.5, 1),
        tell_above=_number(said, "tell_above", 0.5, 0.01, 1),
        most_per_identifier=_whole(said, "most_per_identifier", 10),
        most_per_person=_whole(said, "most_per_person", 20),
        survivorship=_survivorship(said, settings),
    )
    if policy.tell_above > policy.link_above:
        raise said.wrong("lies above link_above", "give a probability up to link_above", "tell_above")
    return policy


def _kinds(said: Declaration) -> dict[str, Kind]:
    kinds = said.said.get("kinds")
    if not isinstance(kinds, dict) or not kinds:
        raise said.wrong("is missing or empty", "name at least one kind, such as email: {strength: strong}", "kinds")
    return {str(name): _kind(said, str(name), one) for name, one in kinds.items()}


def _kind(said: Declaration, name: str, one: Any) -> Kind:
    at = ("kinds", name)
    if not _NAME.fullmatch(name) or name in _TAKEN:
        raise said.wrong("is no name for a kind", "use lower-case letters, digits and _, such as given_name", *at)
    if not isinstance(one, dict):
        raise said.wrong("must be a mapping", "write it as {strength: strong, clean: email}", *at)
    _refuse_unknown(said, one, _KIND_KEYS, *at)
    strength, clean = one.get("strength"), one.get("clean", "exact")
    if strength not in STRENGTHS:
        raise said.wrong(f"is '{strength}'", f"use {', '.join(STRENGTHS)}", *at, "strength")
    if clean not in CLEANING:
        raise said.wrong(f"is '{clean}'", f"use {', '.join(CLEANING)}", *at, "clean")
    steps = one.get("compare")
    if steps is not None and not (
        isinstance(steps, list)
        and all(type(step) is int and step > 0 for step in steps)
        and sorted(set(steps)) == steps
    ):
        raise said.wrong(
            "must be rising whole numbers from 1", "write it as [1, 2], or [] for equal only", *at, "compare"
        )
    if strength == DESCRIBED and steps is None:
        raise said.wrong("is described but not compared", "add compare, such as compare: [1, 2]", *at)
    half_life = one.get("half_life_days")
    if (half_life is not None) != (strength == WEAK) or (half_life is not None and not _is_whole(half_life)):
        raise said.wrong(
            "needs half_life_days" if strength == WEAK else "has half_life_days, which only weak kinds have",
            "give a whole number of days" if strength == WEAK else "take it out, or say strength: weak",
            *at,
        )
    ignore = one.get("ignore", [])
    if not isinstance(ignore, list):
        raise said.wrong("must be a list", "write it as [value, value]", *at, "ignore")
    default = 0.5 if strength == WEAK else 1.0
    confidence = _number(said, "confidence", default, 0, 1, *at, of=one)
    return Kind(
        name, strength, clean, confidence, half_life, None if steps is None else tuple(steps), tuple(map(str, ignore))
    )


def _blocks(said: Declaration, compared: set[str]) -> tuple[tuple[str, ...], ...]:
    blocks = said.said.get("compare_where_equal", [])
    if not isinstance(blocks, list) or not all(isinstance(block, list) and block for block in blocks):
        raise said.wrong(
            "must be a list of lists", "write it as [[birth_date], [surname, postcode]]", "compare_where_equal"
        )
    for number, block in enumerate(blocks):
        for kind in block:
            if kind not in compared:
                raise said.wrong(
                    f"names '{kind}', which is not a compared kind",
                    f"use {', '.join(sorted(compared)) or 'a kind with compare'}",
                    "compare_where_equal",
                    number,
                )
    if compared and not blocks:
        raise said.wrong(
            "is missing, but kinds are compared", "say in what two customers must agree", "compare_where_equal"
        )
    return tuple(tuple(map(str, block)) for block in blocks)


def _survivorship(said: Declaration, settings: Settings) -> Survivorship:
    part = said.said.get("survivorship", {})
    at = ("survivorship",)
    if not isinstance(part, dict):
        raise said.wrong("must be a mapping", "write sources, default and fields", *at)
    _refuse_unknown(said, part, {"sources", "default", "fields"}, *at)
    ranked = part.get("sources", [])
    if not isinstance(ranked, list) or len(set(map(str, ranked))) != len(ranked):
        raise said.wrong("must be a list of sources, each once", "write it as [crm, shop]", *at, "sources")
    for number, source in enumerate(ranked):
        if source not in settings.sources:
            raise said.wrong(
                f"names '{source}', which is not a source of this home",
                f"use {', '.join(settings.sources)}",
                *at, "sources", number,
            )  # fmt: skip
    contract = read_contract(settings.contracts_dir / "customers.yml")
    names = [name for name in contract.column_names if name not in contract.key]
    fields = part.get("fields", {})
    if not isinstance(fields, dict):
        raise said.wrong("must be a mapping", "write it as income_band: [recency, source]", *at, "fields")
    for field in fields:
        if field not in names:
            raise said.wrong("is not a field of customers", f"use {', '.join(names)}", *at, "fields", str(field))
    default = _criteria(said, part.get("default", ["source", "recency"]), *at, "default")
    own = {str(field): _criteria(said, one, *at, "fields", str(field)) for field, one in fields.items()}
    sources = (*map(str, ranked), *(source for source in settings.sources if source not in ranked))
    return Survivorship(sources, {name: own.get(name, default) for name in names})


def _criteria(said: Declaration, value: Any, *at: str | int) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or len(set(map(str, value))) != len(value):
        raise said.wrong("must be a list, each word once", f"use some of {', '.join(CRITERIA)}", *at)
    for number, one in enumerate(value):
        if one not in CRITERIA:
            raise said.wrong(f"is '{one}'", f"use {', '.join(CRITERIA)}", *at, number)
    return tuple(value)


def _refuse_unknown(said: Declaration, part: dict[str, Any], known: set[str], *at: str | int) -> None:
    for key in part:
        if key not in known:
            raise said.wrong("is not known", f"the keys here are {', '.join(sorted(known))}", *at, str(key))


def _number(
    said: Declaration,
    key: str,
    default: float,
    low: float,
    high: float,
    *at: str | int,
    of: dict[str, Any] | None = None,
) -> float:
    value = (said.said if of is None else of).get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise said.wrong(f"is '{value}'", f"give a number from {low:g} to {high:g}", *at, key)
    return float(value)


def _whole(said: Declaration, key: str, default: int) -> int:
    value = said.said.get(key, default)
    if not _is_whole(value) or value < 2:
        raise said.wrong(f"is '{value}'", "give a whole number of at least 2", key)
    return int(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
