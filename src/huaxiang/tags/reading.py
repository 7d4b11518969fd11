"""Read one tag's file: each key has the shape it must have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from huaxiang.declarations import Declaration, read_declaration
from huaxiang.tags.tag import KINDS, PERSONAL_DATA, TREE, Tag, TagTest

_TEXTS = ("name", "title", "description", "tree", "kind", "owner", "purpose", "personal_data")
_EXPRESSIONS = ("value", "evidence")
_NUMBERS = ("version", "ttl_days")
_OPTIONAL = ("confidence", "needs", "values", "is_exhaustive", "exclusive", "reads", "judged_by", "tests", "retired_on")
KEYS = (*_TEXTS, *_EXPRESSIONS, *_NUMBERS, *_OPTIONAL)
MANUAL_TABLE = "manual_tags"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def read_tag(path: Path) -> Tag:
    """The tag of a file. Raises BadConfiguration naming file, line, key, reason and mend."""
    file = read_declaration(path, what="a tag")
    said = file.said
    for key in said:
        if key not in KEYS:
            raise file.wrong("is not a key of a tag", f"use {', '.join(KEYS)}", key)
    _check_texts(file)
    is_manual = said["kind"] == "manual"
    for key in (*_EXPRESSIONS, "confidence"):
        if is_manual and key in said:
            raise file.wrong("has no place in a manual tag, whose values people give", "leave it out", key)
    for key in _NUMBERS:
        if type(said.get(key)) is not int or said[key] < 1:
            raise file.wrong("is missing or not a whole number of at least 1", f"write it as {key}: 1", key)
    confidence = said.get("confidence", 1.0)
    if isinstance(confidence, bool) or not isinstance(confidence, (int, float, str)):
        raise file.wrong(
            "is neither a number nor an SQL expression", "write a number from 0 to 1 or an expression", "confidence"
        )
    if type(said.get("is_exhaustive", False)) is not bool:
        raise file.wrong("is neither true nor false", "write is_exhaustive: true or leave it out", "is_exhaustive")
    if not _is_name(said.get("exclusive", "none")):
        raise file.wrong("is not the name of a group", "use lower-case letters, digits and _", "exclusive")
    _check_judged_by(file)
    retired_on = said.get("retired_on")
    if retired_on is not None and type(retired_on) is not date:
        raise file.wrong("is not a day", "write it as retired_on: 2017-12-31", "retired_on")
    values = _list(file, "values")
    return Tag(
        name=said["name"],
        title=said["title"].strip(),
        description=" ".join(said["description"].split()),
        tree=said["tree"],
        kind=said["kind"],
        value=said.get("value", "").strip(),
        evidence=said.get("evidence", "").strip(),
        confidence=str(confidence).strip(),
        needs=_list(file, "needs") or ((MANUAL_TABLE,) if is_manual else ()),
        owner=said["owner"].strip(),
        purpose=" ".join(said["purpose"].split()),
        personal_data=said["personal_data"],
        version=said["version"],
        ttl_days=said["ttl_days"],
        values=values,
        is_exhaustive=said.get("is_exhaustive", False),
        exclusive=said.get("exclusive", ""),
        reads=_list(file, "reads"),
        judged_by=said.get("judged_by", ""),
        tests=_tests(file, values),
        retired_on=retired_on,
        declaration=file,
    )


def _check_texts(file: Declaration) -> None:
    said, path = file.said, file.path
    needed = _TEXTS if said.get("kind") == "manual" else (*_TEXTS, *_EXPRESSIONS)
    for key in needed:
        if not isinstance(said.get(key), str) or not said[key].strip():
            raise file.wrong("is missing or not a text", "add it; the other tags show how", key)
    if said["name"] != path.stem:
        raise file.wrong(f"is '{said['name']}', but the file is {path.name}", "give both one name", "name")
    if not _is_name(said["name"]):
        raise file.wrong("is not a tag name", "use lower-case letters, digits and _", "name")
    for key, known in (("kind", KINDS), ("personal_data", PERSONAL_DATA)):
        if said[key] not in known:
            raise file.wrong(f"'{said[key]}' is unknown", f"use {', '.join(known)}", key)
    branch, _, twig = said["tree"].partition("/")
    if branch not in TREE or not all(_is_name(part) for part in twig.split("/")):
        raise file.wrong(
            f"'{said['tree']}' is no place in the tree",
            f"write <branch>/<name> with a branch of {', '.join(TREE)}",
            "tree",
        )


def _check_judged_by(file: Declaration) -> None:
    said, is_model = file.said.get("judged_by"), file.said["kind"] == "model"
    if said is None and is_model:
        raise file.wrong(
            "is missing: what a model says stands beside a baseline",
            "write it as judged_by: churn_28d.auc",
            "judged_by",
        )
    if said is None:
        return
    if not is_model:
        raise file.wrong("has its place in a tag of kind model alone", "leave it out", "judged_by")
    if not isinstance(said, str) or not all(map(_is_name, parts := said.split("."))) or len(parts) != 2:
        raise file.wrong("is not <model>.<measure>", "write it as judged_by: churn_28d.auc", "judged_by")


def _is_name(said: object) -> bool:
    return isinstance(said, str) and bool(_NAME.fullmatch(said))


def _list(file: Declaration, key: str) -> tuple[str, ...]:
    said = file.said.get(key, [])
    if not isinstance(said, list):
        raise file.wrong("is not a list of texts", f"write it as {key}: [one, another]", key)
    for number, item in enumerate(said):
        if not isinstance(item, str) or not item:
            raise file.wrong("is not a text", "put it in quotes", key, number)
        if item in said[:number]:
            raise file.wrong(f"'{item}' stands there twice", "leave one out", key, number)
    return tuple(said)


def _tests(file: Declaration, values: tuple[str, ...]) -> tuple[TagTest, ...]:
    said = file.said.get("tests", [])
    if not isinstance(said, list):
        raise file.wrong("is not a list", "write it as - {given: {recency_days: 3}, expect: active}", "tests")
    for number, test in enumerate(said):
        shape = "write it as {given: {recency_days: 3}, expect: active}"
        if not isinstance(test, Mapping) or set(test) != {"given", "expect"} or not isinstance(test["given"], Mapping):
            raise file.wrong("is not an example of the tag", shape, "tests", number)
        expect = test["expect"]
        if expect is not None and not isinstance(expect, str):
            raise file.wrong("is not a text", "put it in quotes; null is 'does not apply'", "tests", number, "expect")
        if expect is not None and values and expect not in values:
            raise file.wrong(f"'{expect}' is none of the tag's values", "correct either", "tests", number, "expect")
    return tuple(TagTest({str(name): value for name, value in test["given"].items()}, test["expect"]) for test in said)
