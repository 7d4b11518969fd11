"""docs/reference/tables.md: released tables, canonical tables and dbt models with columns, keys, rules and tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huaxiang.contracts import Contract, read_contract
from huaxiang.errors import BadConfiguration
from huaxiang.reference import markdown
from huaxiang.tables import RELEASED, ReleasedTable
from huaxiang.yaml_files import read_mapping

_LAYERS = ("staging", "features", "profiles")
_NOT_ARGUMENTS = ("arguments", "config", "description", "name")

DbtModel = Mapping[str, Any]


def page(project: Path) -> str:
    """The page. Raises BadConfiguration when a contract or a model's yml cannot be used."""
    contracts = [read_contract(path) for path in sorted((project / "contracts").glob("*.yml"))]
    models = {layer: dbt_models(project, layer) for layer in _LAYERS}
    outputs = model_outputs(project) + [_described(table) for table in RELEASED if table.columns]
    described = {table["name"] for found in (*models.values(), outputs) for table in found}
    lines = markdown.header("Tables", "`contracts/`, `dbt_project/models/` and `src/huaxiang/tables.py`")
    lines += [
        "- [Released tables](#released-tables): what a release holds and everybody may read.",
        "- [Canonical tables](#canonical-tables): what a source may deliver; landing checks every record against them.",
        "- [Model outputs and audiences](#model-outputs-and-audiences): what is written beside dbt.",
        "- [dbt models](#dbt-models): how one becomes the other.",
        "",
        *_released(described),
        *_canonical(contracts),
        "## Model outputs and audiences",
        "",
    ]
    for table in outputs:
        lines += _model(table)
    lines += ["## dbt models", ""]
    for layer in _LAYERS:
        lines += [f"### {layer}", ""] if models[layer] else []
        for model in models[layer]:
            lines += _model(model)
    return markdown.page(lines)


def dbt_models(project: Path, layer: str) -> list[DbtModel]:
    """The models that a layer's yml files describe, by name, each with the `unit_tests` that stand for it.

    Raises BadConfiguration when a file is no YAML or a model is not described.
    """
    found: dict[str, dict[str, Any]] = {}
    folder = project / "dbt_project" / "models" / layer
    for path in sorted(folder.glob("*.yml")):
        said = read_mapping(path, what="the description of a dbt model")
        for model in said.get("models") or []:
            found[model["name"]] = {**model, "unit_tests": []}
        for test in said.get("unit_tests") or []:
            if test["model"] in found:
                found[test["model"]]["unit_tests"].append(test)
    for path in sorted(folder.glob("*.sql")):
        if not found.get(path.stem, {}).get("description"):
            twin = path.with_suffix(".yml").name
            raise BadConfiguration(
                f"{path}: the model has no description; say its grain in {twin}, such as 'one row per customer'"
            )
    return [found[name] for name in sorted(found)]


def model_outputs(project: Path) -> list[DbtModel]:
    """The tables that models write, as dbt's source `models` describes them, in its order."""
    said = read_mapping(project / "dbt_project" / "models" / "sources.yml", what="the description of dbt's sources")
    return [table for source in said["sources"] if source["name"] == "models" for table in source["tables"]]


def _described(table: ReleasedTable) -> DbtModel:
    """A table that no yml of dbt describes, as one would."""
    return {
        "name": table.name,
        "description": f"One row per {' and '.join(table.key)}: {table.title}.",
        "columns": [{"name": name, "data_type": "varchar", "description": said} for name, said in table.columns],
    }


def _released(described: set[str]) -> list[str]:
    rows = []
    for table in RELEASED:
        name = f"[`{table.name}`](#{table.name})" if table.name in described else markdown.code(table.name)
        rows.append((name, table.title, f"one row per {markdown.codes(table.key)}", markdown.code(table.path)))
    return [
        "## Released tables",
        "",
        "One Parquet file each in `var/releases/<release_id>/`; `var/CURRENT` holds the id of the release that counts.",
        "Columns and tables that a home has no source for are left out; `profiles/left_out.json` lists them.",
        "",
        *markdown.table(["Table", "Holds", "Grain (key)", "File"], rows),
    ]


def _canonical(contracts: list[Contract]) -> list[str]:
    lines = [
        "## Canonical tables",
        "",
        "One of `order_lines`, `events` and `identifiers` is compulsory. A rule that gives null is not broken.",
        "Retention is what the contract declares; no command deletes by it yet.",
        "",
    ]
    for contract in contracts:
        key, purpose = markdown.codes(contract.key), markdown.sentence(contract.purpose)
        lines += [f"### {contract.name}", ""]
        lines += [f"{markdown.sentence(contract.description)} Grain: {contract.grain}.", ""]
        lines += [f"Key: {key}. Purpose: {purpose} Retention: {contract.retention_years} years.", ""]
        lines += _contract_columns(contract)
        for rule in contract.rules:
            lines.append(f"- `{rule.name}`: {markdown.sentence(rule.description)} {markdown.code(rule.expression)}")
        lines += [""] if contract.rules else []
    return lines


def _contract_columns(contract: Contract) -> list[str]:
    rows = []
    for column in contract.columns:
        meaning = markdown.sentence(column.description)
        if column.default:
            meaning += f" Default: {markdown.code(column.default)}."
        personal = "" if column.classification == "none" else column.classification
        required = "yes" if column.is_required else ""
        rows.append((markdown.code(column.name), _type(column.type), required, personal, meaning))
    return markdown.table(["Column", "Type", "Required", "Personal data", "Meaning"], rows)


def _model(model: DbtModel) -> list[str]:
    lines = [f"#### {model['name']}", "", markdown.sentence(model["description"]), ""]
    tests = [_test(test) for test in _tests(model)]
    if ((model.get("config") or {}).get("contract") or {}).get("enforced"):
        tests.insert(0, "contract enforced")
    if tests:
        lines += [f"Tests: {', '.join(tests)}.", ""]
    if _needs(model):
        lines += [f"Left out where a home has no source for {markdown.codes(_needs(model))}.", ""]
    rows = []
    for column in model.get("columns") or []:
        meaning = markdown.sentence(column.get("description", ""))
        tested = ", ".join(_test(test) for test in _tests(column))
        kind = _type(str(column.get("data_type", "")))
        rows.append((markdown.code(column["name"]), kind, meaning, tested, markdown.codes(_needs(column))))
    lines += markdown.table(["Column", "Type", "Meaning", "Tests", "Needs"], rows) if rows else []
    if model.get("unit_tests"):
        lines += ["Unit tests:", ""]
        lines += [f"- {test['name'].replace('_', ' ')}" for test in model["unit_tests"]]
        lines.append("")
    return lines


def _type(name: str) -> str:
    """Contracts and SQL say varchar, people say string."""
    return "string" if name == "varchar" else name


def _tests(described: Mapping[str, Any]) -> list[Any]:
    return described.get("data_tests") or described.get("tests") or []


def _needs(described: Mapping[str, Any]) -> list[str]:
    meta = (described.get("config") or {}).get("meta") or described.get("meta") or {}
    return list(meta.get("needs") or [])


def _test(test: str | Mapping[str, Any]) -> str:
    """A dbt test in words: its name and what it is given."""
    if isinstance(test, str):
        return test.replace("_", " ")
    name = next(key for key in test if key not in _NOT_ARGUMENTS)
    given = test[name] or {}
    arguments = {**given, **(given.get("arguments") or {})}
    said = [_argument(value) for key, value in arguments.items() if key not in _NOT_ARGUMENTS]
    return name.replace("_", " ") + (f" ({'; '.join(said)})" if said else "")


def _argument(value: Any) -> str:
    return markdown.codes(value) if isinstance(value, list) else markdown.code(value)
