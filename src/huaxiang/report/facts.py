"""What the report says of the run as a whole: its totals, days, gates, steps, models and what was left out."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from huaxiang.landing.arrivals import Arrival, State
from huaxiang.landing.ledger import landed_tables
from huaxiang.report.tables import BuildTables
from huaxiang.report.words import listed, plain
from huaxiang.steps import describe


@dataclass(frozen=True)
class Totals:
    """Sums over all portraits; None where the home has no such column."""

    customers: int
    orders: int | None
    order_lines: int | None
    net_spend: Decimal | None
    first_order_on: date | None
    last_order_on: date | None


@dataclass(frozen=True)
class Check:
    """One check of a gate as the gate wrote it."""

    suite: str
    name: str
    table: str
    column: str
    severity: str
    passed: bool
    expected: str
    observed: str
    failing_rows: int | None
    where: str
    description: str
    next_step: str

    @property
    def state(self) -> str:
        """passed, warning (told, the run went on) or failed (the run stopped)."""
        if self.passed:
            return "passed"
        return "warning" if self.severity == "warning" else "failed"


@dataclass(frozen=True)
class Gate:
    """One suite and its verdict; of what came in, also the state of each table on the run's newest load day."""

    suite: str
    passed: bool
    checks: tuple[Check, ...]
    arrivals: tuple[Arrival, ...] = ()

    def counted(self, state: str) -> int:
        return sum(check.state == state for check in self.checks)


@dataclass(frozen=True)
class StepTime:
    """The last time a step ran for this build."""

    step: str
    seconds: float
    facts: str


@dataclass(frozen=True)
class ModelUsed:
    """A model whose output the portraits carry."""

    name: str
    version: str
    trained_as_of: str
    fingerprint: str


@dataclass(frozen=True)
class Missing:
    """Something the home has no source for, and the released tables, columns and tags that are left out for it."""

    what: str
    tables: tuple[str, ...]
    columns: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """What has no source and is missed somewhere, and the canonical tables (`others`) that are missed nowhere yet."""

    missing: tuple[Missing, ...]
    others: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.others)


def totals(tables: BuildTables) -> Totals:
    """Sums over `customer_profiles`."""
    asked = {
        "orders": ("sum(order_count)::bigint", "order_count"),
        "order_lines": ("sum(line_count)::bigint", "line_count"),
        "net_spend": ("sum(net_spend)", "net_spend"),
        "first_order_on": ("min(first_order_on)", "first_order_on"),
        "last_order_on": ("max(last_order_on)", "last_order_on"),
    }
    chosen = [
        f"{sql if tables.has('customer_profiles', column) else 'null'} as {name}"
        for name, (sql, column) in asked.items()
    ]
    [row] = tables.rows(f"select count(*) as customers, {', '.join(chosen)} from customer_profiles")
    return Totals(**row)


def gates(tables: BuildTables) -> tuple[Gate, ...]:
    """Both suites in the order of the flow; a gate that left no file is not there."""
    found = [read_gate(said) for name in ("landing", "profiles") if (said := tables.json(f"gates/{name}.json"))]
    return tuple(found)


def read_gate(said: dict[str, Any]) -> Gate:
    """A gate's JSON as a Gate: what failed first, then in the order of the suite."""
    checks = [
        Check(
            suite=said["suite"],
            name=check["name"],
            table=check.get("table") or "",
            column=check.get("column") or "",
            severity=check["severity"],
            passed=bool(check["passed"]),
            expected=check.get("expected") or "",
            observed=check.get("observed") or "",
            failing_rows=check.get("failing_rows"),
            where=check.get("where") or "",
            description=check.get("description") or "",
            next_step=check.get("next_step") or "",
        )
        for check in said["checks"]
    ]
    order = {"failed": 0, "warning": 1, "passed": 2}
    # A release of an older version has none.
    came = (one | {"load_date": date.fromisoformat(one["load_date"])} for one in said.get("arrivals", ()))
    return Gate(
        said["suite"],
        bool(said["passed"]),
        tuple(sorted(checks, key=lambda check: order[check.state])),
        tuple(Arrival(**one | {"state": State(one["state"])}) for one in came),
    )


def steps(tables: BuildTables) -> tuple[StepTime, ...]:
    """Each step once, as it ran last, in the order of those last runs."""
    path = tables.build / "steps.jsonl"
    return last_runs(path.read_text(encoding="utf-8").splitlines() if path.exists() else [])


def last_runs(lines: list[str]) -> tuple[StepTime, ...]:
    """The last entry per step of `steps.jsonl`; this step's own earlier runs are not part of the run."""
    last: dict[str, StepTime] = {}
    for line in filter(str.strip, lines):
        said = json.loads(line)
        last.pop(said["step"], None)
        last[said["step"]] = StepTime(said["step"], float(said["seconds"]), describe(said.get("facts", {})))
    return tuple(step for name, step in last.items() if name not in ("report", "release"))


def models(tables: BuildTables) -> tuple[ModelUsed, ...]:
    """The models that wrote into this build: one per family with a `model.json`."""
    used = []
    for path in sorted(tables.build.glob("*/model*.json")):
        said = json.loads(path.read_text(encoding="utf-8"))
        used.append(
            ModelUsed(
                name=str(said.get("model_name") or said.get("model") or path.parent.name),
                version=str(said.get("version", "")),
                trained_as_of=str(said.get("training_as_of") or said.get("as_of") or ""),
                fingerprint=str(said.get("fingerprint") or said.get("model_fingerprint") or ""),
            )
        )
    return tuple(used)


def left_out(tables: BuildTables) -> LeftOut:
    """Canonical tables that no drop filled, and what the profiles step noted as missing for it."""
    canonical = {path.stem for path in tables.settings.contracts_dir.glob("*.yml")}
    landed = landed_tables(tables.settings, tables.run.known_at)
    # Order lines say what the orders are: these are not missing.
    derived = {"orders"} if "order_lines" in landed else set()
    return read_left_out(tables.json("profiles/left_out.json") or {}, canonical - landed - derived if landed else ())


def read_left_out(said: dict[str, list[dict[str, Any]]], unsourced: Collection[str] = ()) -> LeftOut:
    """Everything left out, told once for each thing that has no source."""
    found: dict[str, dict[str, dict[str, None]]] = {}
    missed: set[str] = set()
    for kind in ("tables", "columns", "tags"):
        for entry in said.get(kind, ()):
            name = entry.get("column") or entry.get("title") or entry.get("tag") or entry["table"]
            whats = dict.fromkeys(_what(need, unsourced) for need in entry["needs"])
            found.setdefault(listed(list(whats)), {}).setdefault(kind, {})[name] = None
            missed |= {need.partition(".")[0] for need in entry["needs"]}
    return LeftOut(
        missing=tuple(
            Missing(what, *(tuple(kinds.get(kind, ())) for kind in ("tables", "columns", "tags")))
            for what, kinds in found.items()
        ),
        others=tuple(sorted(set(unsourced) - missed)),
    )


def _what(need: str, unsourced: Collection[str]) -> str:
    """A need in words: the whole table where it has no source, else the column of it."""
    table = need.partition(".")[0]
    return plain(table if table in unsourced else need)
