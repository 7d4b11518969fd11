"""The contracts: what a record of each canonical table must look like, read from `contracts/<table>.yml` (ODCS v3).

Whoever checks, types or documents canonical records reads them from here, so that a rule is written in one place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huaxiang.errors import BadConfiguration
from huaxiang.settings import Settings
from huaxiang.yaml_files import read_mapping

if TYPE_CHECKING:
    import duckdb

# What both engines can store, and what ODCS calls it.
_LOGICAL_TYPES = {
    "varchar": "string",
    "timestamp": "timestamp",
    "date": "date",
    "boolean": "boolean",
    "bigint": "integer",
    "double": "number",
    "decimal": "number",
}
CLASSIFICATIONS = ("none", "pseudonymous", "personal", "identifying", "sensitive")

_TYPE = re.compile(r"(varchar|timestamp|date|boolean|bigint|double|decimal\(\d{1,2},\d{1,2}\))")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
# Standard ODCS: a query that counts the offending rows and must give 0. The row's rule is the part in brackets.
_RULE_QUERY = re.compile(r"select count\(\*\) from \$\{object\} where not \((.+)\)", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A column of a canonical table. `type` is DuckDB's name of the type, `default` an SQL expression or None."""

    name: str
    type: str
    is_required: bool
    description: str
    classification: str
    default: str | None = None
    is_event_time: bool = False  # it tells when something happened, so it cannot lie after the day it was dropped


@dataclass(frozen=True)
class Rule:
    """A boolean SQL expression over one row. Like an SQL CHECK, a rule that gives NULL is not broken."""

    name: str
    expression: str
    description: str


@dataclass(frozen=True)
class Contract:
    """One canonical table: its columns in stored order, its key, its row rules, and why and how long it is kept."""

    name: str
    version: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    rules: tuple[Rule, ...]
    purpose: str
    retention_years: int

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column of that name; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def load_contracts(settings: Settings) -> dict[str, Contract]:
    """Read every contract, by table name in alphabetical order.

    Raises BadConfiguration naming file, key, reason and next step when a contract cannot be used.
    """
    import duckdb

    files = sorted(settings.contracts_dir.glob("*.yml"))
    if not files:
        raise BadConfiguration(f"{settings.contracts_dir}: no contract found; restore the folder from the project")
    contracts = {path: read_contract(path) for path in files}
    with duckdb.connect(config={"enable_external_access": "false"}) as connection:
        for path, contract in contracts.items():
            _check_sql(connection, path, contract)
    return {contract.name: contract for contract in contracts.values()}


def read_contract(path: Path) -> Contract:
    """Read one contract file, without preparing its SQL. Raises BadConfiguration as `load_contracts` does."""
    said = read_mapping(path, what="a contract")
    if said.get("kind") != "DataContract" or not str(said.get("apiVersion", "")).startswith("v3."):
        raise _bad(
            path,
            "kind, apiVersion",
            "is not an Open Data Contract Standard v3 contract",
            "say 'kind: DataContract' and 'apiVersion: v3.1.0'",
        )
    schema = _get(path, said, "schema", list)
    if len(schema) != 1 or not isinstance(schema[0], dict):
        raise _bad(path, "schema", "must hold exactly one table", "give each table a file of its own")
    table = schema[0]
    if table.get("name") != path.stem:
        raise _bad(path, "schema.name", f"is '{table.get('name')}', but the file is {path.name}", "give both one name")
    properties = _get(path, table, "properties", list, at="schema.")
    columns = tuple(_column(path, one) for one in properties)
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise _bad(path, f"properties.{name}", "stands there twice", "remove one")
    return Contract(
        name=path.stem,
        version=str(said.get("version", "")),
        description=_text(path, table, "description", at="schema."),
        grain=_text(path, table, "dataGranularityDescription", at="schema."),
        columns=columns,
        key=_key(path, properties),
        rules=tuple(_rule(path, one) for one in table.get("quality") or []),
        purpose=_text(path, said.get("description") or {}, "purpose", at="description."),
        retention_years=_retention_years(path, said),
    )


def _column(path: Path, said: Any) -> Column:
    name = said.get("name") if isinstance(said, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _bad(path, "properties.name", f"'{name}' is not a column name", "use lower-case letters, digits and _")
    at = f"properties.{name}."
    physical = _text(path, said, "physicalType", at=at).lower().replace(" ", "")
    if not _TYPE.fullmatch(physical):
        known = ", ".join(sorted(set(_LOGICAL_TYPES) - {"decimal"}))
        raise _bad(
            path,
            at + "physicalType",
            f"'{physical}' is not a type of canonical tables",
            f"use one of {known}, decimal(18,2)",
        )
    logical = _LOGICAL_TYPES[physical.partition("(")[0]]
    if said.get("logicalType") != logical:
        raise _bad(
            path, at + "logicalType", f"'{said.get('logicalType')}' does not go with {physical}", f"say {logical}"
        )
    classification = _text(path, said, "classification", at=at)
    if classification not in CLASSIFICATIONS:
        raise _bad(
            path, at + "classification", f"'{classification}' is unknown", f"use one of {', '.join(CLASSIFICATIONS)}"
        )
    custom = {one.get("property"): one.get("value") for one in said.get("customProperties") or []}
    if custom.get("eventTime") and logical not in ("timestamp", "date"):
        raise _bad(path, at + "customProperties.eventTime", f"has no meaning for {physical}", "remove it")
    return Column(
        name=name,
        type=physical,
        is_required=bool(said.get("required", False) or said.get("primaryKey", False)),
        description=_text(path, said, "description", at=at),
        classification=classification,
        default=str(custom["default"]) if "default" in custom else None,
        is_event_time=bool(custom.get("eventTime", False)),
    )


def _key(path: Path, properties: list[dict[str, Any]]) -> tuple[str, ...]:
    parts = [(one.get("primaryKeyPosition"), one["name"]) for one in properties if one.get("primaryKey")]
    if not parts:
        raise _bad(
            path,
            "properties",
            "has no key",
            "say 'primaryKey: true' and 'primaryKeyPosition: 1' for at least one column",
        )
    if sorted((position for position, _ in parts), key=str) != list(range(1, len(parts) + 1)):
        raise _bad(path, "properties.primaryKeyPosition", "must number the key columns 1, 2, 3 ...", "number them so")
    return tuple(name for _, name in sorted(parts))


def _rule(path: Path, said: Any) -> Rule:
    name = _text(path, said if isinstance(said, dict) else {}, "name", at="quality.")
    at = f"quality.{name}."
    if not _NAME.fullmatch(name):
        raise _bad(path, at + "name", "is not a rule name", "use lower-case letters, digits and _")
    query = _RULE_QUERY.fullmatch(_text(path, said, "query", at=at).strip())
    if said.get("type") != "sql" or not query or said.get("mustBe") != 0:
        raise _bad(
            path, at + "query", "is not a row rule",
            "say 'type: sql', 'query: select count(*) from ${object} where not (<your rule>)' and 'mustBe: 0'",
        )  # fmt: skip
    return Rule(name, query[1].strip(), _text(path, said, "description", at=at))


def _retention_years(path: Path, said: dict[str, Any]) -> int:
    for one in said.get("slaProperties") or []:
        if one.get("property") == "retention" and one.get("unit") == "y" and isinstance(one.get("value"), int):
            return int(one["value"])
    raise _bad(
        path, "slaProperties", "does not say how long rows are kept", "add {property: retention, value: 3, unit: y}"
    )


def _check_sql(connection: duckdb.DuckDBPyConnection, path: Path, contract: Contract) -> None:
    """Bind every rule and default against the table's columns: an empty table finds what a reader would overlook."""
    import duckdb

    checks = [(f"quality.{rule.name}.query", rule.expression, "BOOLEAN") for rule in contract.rules]
    checks += [(f"properties.{one.name}.default", one.default, "") for one in contract.columns if one.default]
    columns = ", ".join(f"null::{column.type} as {column.name}" for column in contract.columns)
    for key, expression, wanted in checks:
        try:
            given = connection.execute(f"describe select ({expression}) from (select {columns})").fetchall()[0][1]
        except duckdb.Error as error:
            raise _bad(path, key, _first_line(error), "correct the expression") from error
        if wanted and given != wanted:
            raise _bad(path, key, f"gives {given.lower()}, not true or false", "write a comparison")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _get(path: Path, said: dict[str, Any], key: str, kind: type, at: str = "") -> Any:
    value = said.get(key)
    if not isinstance(value, kind) or not value:
        what = "a list" if kind is list else "a text"
        raise _bad(path, at + key, f"is missing or not {what}", "add it; the other contracts show how")
    return value


def _text(path: Path, said: Any, key: str, at: str) -> str:
    return " ".join(str(_get(path, said if isinstance(said, dict) else {}, key, str, at)).split())


def _bad(path: Path, key: str, reason: str, next_step: str) -> BadConfiguration:
    return BadConfiguration(f"{path}: '{key}' {reason}; {next_step}")
