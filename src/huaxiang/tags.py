"""The tags: what a portrait says in words, one small file each in `tags/<name>.yml`.

A tag is an SQL expression over customer_profiles and customer_event_features (its value; null means "does not apply")
and a sentence of evidence with the figures behind it. Every expression is bound against their columns before anything runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.contracts import load_contracts
from huaxiang.errors import BadConfiguration
from huaxiang.families import FAMILIES
from huaxiang.features import columns as feature_columns
from huaxiang.profile_columns import ProfileColumn, hand_written
from huaxiang.settings import Settings
from huaxiang.yaml_files import read_mapping

if TYPE_CHECKING:
    import duckdb

KINDS = ("fact", "rule", "model")
_REQUIRED = ("name", "title", "description", "kind", "value", "evidence")
_OPTIONAL = ("confidence", "needs")


@dataclass(frozen=True)
class Tag:
    """A tag as its file says it; value, evidence and confidence are SQL expressions over one row of customer_profiles.

    kind: 'fact' repeats what is known, 'rule' judges by a threshold in the file, 'model' repeats a model's output.
    needs: the canonical tables (or `table.column`) and model families without which the tag is left out.
    """

    name: str
    title: str
    description: str
    kind: str
    value: str
    evidence: str
    confidence: str
    needs: tuple[str, ...]


def load_tags(settings: Settings) -> tuple[Tag, ...]:
    """Read and check every tag, in order of name.

    Raises BadConfiguration naming file, key, reason and next step when one cannot be used.
    """
    files = sorted(settings.tags_dir.glob("*.yml"))
    tags = tuple(_read(path) for path in files)
    columns = profile_columns(settings)
    known_needs = _known_needs(settings)
    import duckdb

    with duckdb.connect(
        config={"enable_external_access": "false", "autoinstall_known_extensions": "false"}
    ) as connection:
        for path, tag in zip(files, tags, strict=True):
            for need in tag.needs:
                if need not in known_needs:
                    raise _bad(
                        path,
                        "needs",
                        f"'{need}' is no canonical table, table.column or model family",
                        "correct it or leave it out",
                    )
            _bind(connection, path, tag, columns)
    return tags


def profile_columns(settings: Settings) -> tuple[ProfileColumn, ...]:
    """The columns that a tag may read, in order: those of customer_profiles and of the declared features."""
    return (*hand_written(settings.project), *feature_columns(settings))


def _read(path: Path) -> Tag:
    said = read_mapping(path, what="a tag")
    for key in _REQUIRED:
        if not isinstance(said.get(key), str) or not said[key].strip():
            raise _bad(path, key, "is missing or not a text", "add it; the other tags show how")
    for key in said:
        if key not in (*_REQUIRED, *_OPTIONAL):
            raise _bad(path, key, "is not a key of a tag", f"use {', '.join((*_REQUIRED, *_OPTIONAL))}")
    if said["name"] != path.stem:
        raise _bad(path, "name", f"is '{said['name']}', but the file is {path.name}", "give both one name")
    if not path.stem.replace("_", "").isalnum() or path.stem != path.stem.lower():
        raise _bad(path, "name", "is not a tag name", "use lower-case letters, digits and _")
    if said["kind"] not in KINDS:
        raise _bad(path, "kind", f"'{said['kind']}' is unknown", f"use {', '.join(KINDS)}")
    needs = said.get("needs", [])
    if not isinstance(needs, list) or not all(isinstance(need, str) for need in needs):
        raise _bad(path, "needs", "is not a list of names", "write it as [products]")
    confidence = said.get("confidence", 1.0)
    if isinstance(confidence, bool) or not isinstance(confidence, (int, float, str)):
        raise _bad(path, "confidence", "is neither a number nor an SQL expression", "write a number from 0 to 1")
    return Tag(
        name=said["name"],
        title=said["title"].strip(),
        description=" ".join(said["description"].split()),
        kind=said["kind"],
        value=said["value"].strip(),
        evidence=said["evidence"].strip(),
        confidence=str(confidence).strip(),
        needs=tuple(needs),
    )


def _bind(connection: duckdb.DuckDBPyConnection, path: Path, tag: Tag, columns: tuple[ProfileColumn, ...]) -> None:
    """Bind the tag's expressions against an empty customer_profiles: the whole, then the part its needs vouch for."""
    import duckdb

    vouched = [column for column in columns if set(column.needs) <= set(tag.needs)]
    for key, type_ in (("value", "string"), ("evidence", "string"), ("confidence", "double")):
        expression = getattr(tag, key)
        for part in (columns, vouched):
            empty = ", ".join(f"cast(null as {column.type}) as {column.name}" for column in part)
            # beside customer_id, so that an aggregate, which is no fact of one customer, is refused as well
            query = f"select customer_id, cast({expression} as {type_}) as bound from (select {empty}) as profiles"
            try:
                described = connection.execute(f"describe {query}").fetchall()
            except duckdb.Error as error:
                reason = str(error).strip().splitlines()[0]
                if part is columns:
                    raise _bad(path, key, reason, "correct the SQL expression") from error
                raise _bad(
                    path,
                    key,
                    f"reads a column the tag's needs do not name: {reason}",
                    "add the column's needs to 'needs'",
                ) from error
            if len(described) != 2:
                raise _bad(path, key, "is more than one expression", "write a single one")


def _known_needs(settings: Settings) -> set[str]:
    contracts = load_contracts(settings)
    columns = {f"{name}.{column}" for name, contract in contracts.items() for column in contract.column_names}
    return {*contracts, *columns, *FAMILIES}


def _bad(path: Path, key: str, reason: str, next_step: str) -> BadConfiguration:
    return BadConfiguration(f"{path}: '{key}' {reason}; {next_step}")
