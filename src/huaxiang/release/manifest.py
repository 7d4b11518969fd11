"""What a release says about itself: its files, tables, inputs, code, models and gates."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from huaxiang import families
from huaxiang.code_version import code_version
from huaxiang.errors import GateFailed, MissingPartition
from huaxiang.files import sha256
from huaxiang.lease import Lease
from huaxiang.release.content_hash import content_hash
from huaxiang.settings import Run, Settings
from huaxiang.tables import RELEASED
from huaxiang.tags.versions import as_manifest

SCHEMA_VERSION = 2  # since 2 the manifest has a seal of its own
GATES = ("landing", "profiles")
# What of a build belongs to the run alone and is not published.
_PRIVATE = {"lease.json", "MANIFEST.json"}


def describe(
    settings: Settings, run: Run, lease: Lease, inputs: list[tuple[str, str, str]], ledger_call: int
) -> dict[str, Any]:
    """The manifest of a finished build, but for the MLflow run id. `inputs` are (source, table, sha256) of every drop,
    `ledger_call` is the last landing call the run knew.

    Raises MissingPartition when a step has not run, GateFailed when a gate did not pass.
    """
    build = settings.home.build(run.id)
    gates = {suite: _gate(build, suite) for suite in GATES}
    tables = _tables(build)
    code = code_version(settings.project)
    return {
        "schema_version": SCHEMA_VERSION,
        "release_id": release_id(run, tables, code["hash"]),
        "home": settings.name,
        "as_of": str(run.as_of),
        "known_at": str(run.known_at),
        "fence": lease.fence,
        "totals": _totals(build),
        "tables": tables,
        "files": _files(build),
        "inputs": {
            "files": len(inputs),
            "sha256": inputs_hash(inputs),
            "ledger_call": ledger_call,
            **_identity(build),
        },
        "code": code,
        "config": {"sources": list(settings.sources), "time_zone": settings.time_zone, "models": list(settings.models)},
        "models": _models(build),
        "tags": as_manifest(build),
        "segments_before": segments_before(build),
        "models_left_out": families.left_out(build),
        "gates": gates,
        "left_out": _read(build / "profiles" / "left_out.json"),
    }


def inputs_hash(inputs: list[tuple[str, str, str]]) -> str:
    """One hash over (source, table, sha256) of every drop."""
    return _digest(inputs)


def segments_before(build: Path) -> str | None:
    """The release of an earlier day that this one's moves between segments were told against; None where none was."""
    since = (_read(build / "segments" / "model.json") or {}).get("since")
    return since["release_id"] if since else None


def release_id(run: Run, tables: dict[str, Any], code_hash: str) -> str:
    """The day and a hash of what is released and by which code: the same run gives the same id."""
    hashes = {name: table["content_hash"] for name, table in tables.items()}
    return f"{run.as_of}-{_digest([str(run.known_at), hashes, code_hash])[:10]}"


def published_files(build: Path) -> list[Path]:
    """The files of a build that a release holds, in a fixed order."""
    return sorted(path for path in build.rglob("*") if path.is_file() and _is_published(path.relative_to(build)))


def _is_published(relative: Path) -> bool:
    return str(relative) not in _PRIVATE and not any(part.startswith(".") for part in relative.parts)


def _tables(build: Path) -> dict[str, Any]:
    found = {}
    for table in RELEASED:
        path = build / table.path
        if path.exists():
            digest = content_hash(path)
            found[table.name] = {"path": table.path, "rows": int(digest.split(":")[0]), "content_hash": digest}
    if "customer_profiles" not in found:
        raise MissingPartition(f"{build.name}: there are no profiles to release: run 'huaxiang profiles' first")
    return found


def _totals(build: Path) -> dict[str, Any]:
    """The portrait in four figures; money as text, to the cent."""
    import duckdb

    names = ("customers", "orders", "order_lines", "net_spend")
    with duckdb.connect() as connection:
        profiles = connection.read_parquet(str(build / "profiles" / "customer_profiles.parquet"))
        row = profiles.aggregate("count(*), sum(order_count), sum(line_count), sum(net_spend)").fetchone()
    assert row is not None
    return dict(zip(names, (*map(int, row[:3]), str(row[3])), strict=True))


def _files(build: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(build)): {"sha256": sha256(path), "bytes": path.stat().st_size}
        for path in published_files(build)
    }


def _gate(build: Path, suite: str) -> dict[str, Any]:
    said = _read(build / "gates" / f"{suite}.json")
    if said is None:
        raise MissingPartition(f"{build.name}: gate '{suite}' has not run: run 'huaxiang {suite}' first")
    failed = [check["name"] for check in said["checks"] if not check["passed"] and check["severity"] == "critical"]
    if failed:
        raise GateFailed(f"gate '{suite}' did not pass ({', '.join(failed)}): nothing is published; see {suite}.json")
    warnings = [check["name"] for check in said["checks"] if not check["passed"]]
    return {"passed": True, "checks": len(said["checks"]), "warnings": warnings}


def _models(build: Path) -> dict[str, Any]:
    kept = ("model", "version", "run_id", "fingerprint")
    models = (_read(path) for path in sorted(build.glob("*/model*.json")))
    return {said["model"]: {key: said.get(key) for key in kept} for said in models if said}


def _identity(build: Path) -> dict[str, Any]:
    """Up to which decision, and by which model of likeness, people were recognised; nothing without identifiers."""
    said = _read(build / "identity" / "summary.json")
    return {"identity": {"decisions": said["decisions"], "model": said["likeness"].get("model", 0)}} if said else {}


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
