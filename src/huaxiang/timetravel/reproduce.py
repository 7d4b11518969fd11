"""`huaxiang reproduce`: make a past release again from raw bytes and compare every table with its manifest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from huaxiang import families
from huaxiang.code_version import code_version
from huaxiang.errors import MissingPartition
from huaxiang.landing.ledger import read_ledger
from huaxiang.release import store
from huaxiang.release.content_hash import canonical_row, content_hash
from huaxiang.settings import Run, Settings
from huaxiang.tables import RELEASED, ReleasedTable
from huaxiang.timetravel.knowledge import last_call, up_to
from huaxiang.timetravel.private_home import link_identity, private_home, replay_landing


@dataclass(frozen=True)
class Comparison:
    """One released table beside the same table made again; `difference` is empty when the two are equal.

    `left_out` says why the table could not be made again, and is empty when it was.
    """

    table: str
    rows: int
    difference: str = ""
    left_out: str = ""


@dataclass(frozen=True)
class Reproduction:
    """A release made again. `landed_otherwise` counts the ledger rows that came out otherwise."""

    release: store.Release
    ledger_call: int
    code: dict[str, str]
    tables: tuple[Comparison, ...]
    landed_otherwise: int

    @property
    def is_equal(self) -> bool:
        return not self.landed_otherwise and not any(one.difference for one in self.tables)


_MOVES = "segment_moves"


def reproduce(settings: Settings, release_id: str | None) -> Reproduction:
    """Land, stage, compute and score again what the release (default: the current one) was made of, in a private home.

    The home's build, warehouse, lease and `CURRENT` are not touched and no model is trained or registered.
    Raises MissingPartition when the release, its inputs' account or its models are gone, BrokenConservation for raw
    bytes that have changed.
    """
    from huaxiang import models, warehouse

    release = store.find(settings, release_id) if release_id else store.current(settings)
    if release is None:
        raise MissingPartition("no release yet: 'huaxiang run --as-of D' makes the first")
    said, run = release.manifest, Run(release.as_of, release.known_at)
    ledger = read_ledger(settings)
    call = last_call(release, ledger)
    if call is None:
        raise MissingPartition(
            f"release {release.id}: its manifest does not say which landing calls it knew, and no state of the ledger"
            " has its inputs; only releases with inputs.ledger_call can be made again from here on"
        )
    settings = replace(
        settings,
        sources=tuple(said["config"]["sources"]),
        time_zone=said["config"]["time_zone"],
        models=tuple(said["config"]["models"]),
        pinned_models={name: str(model["version"]) for name, model in said["models"].items()},
    )
    _require_models(settings, release)
    with private_home(settings, f"reproduce-{release.id}") as past:
        otherwise = replay_landing(settings, past, up_to(ledger, call))
        link_identity(settings, past, said["inputs"].get("identity", {}))
        for family, reason in said["models_left_out"].items():
            families.leave_out(past, run, family, reason)
        gone = _show_release_before(settings, past, said.get("segments_before"))
        warehouse.staging(past, run)
        warehouse.features(past, run)
        models.score_pinned(past, run)
        warehouse.profiles(past, run)
        compared = tuple(
            Comparison(table.name, said["tables"][table.name]["rows"], left_out=gone)
            if gone and table.name == _MOVES
            else _compare(release, past.home.build(run.id), table)
            for table in RELEASED
        )
    tables = tuple(one for one in compared if one)
    return Reproduction(release, call, code_version(settings.project), tables, otherwise)


def _show_release_before(settings: Settings, past: Settings, release_id: str | None) -> str:
    """Let the private home see the release that the moves between segments were told against.

    Returns why it cannot, or nothing: an old release may have been removed, and only the moves ask for it.
    """
    if release_id is None:
        return ""
    sealed = settings.home.release(release_id)
    if not sealed.exists():
        return f"it was told against release {release_id}, which is no longer kept"
    past.home.releases.mkdir(parents=True, exist_ok=True)
    past.home.release(release_id).symlink_to(sealed, target_is_directory=True)
    return ""


def _require_models(settings: Settings, release: store.Release) -> None:
    """Every model version the manifest names must still be there, and be the same model."""
    from huaxiang import tracking

    models: dict[str, Any] = release.manifest["models"]
    if models and not settings.servers.mlflow and not (settings.home.root / "mlflow.db").exists():
        raise MissingPartition(
            f"release {release.id}: its models are gone, {settings.home.root / 'mlflow.db'} is not there; restore it"
            " and mlartifacts/ from a copy of the home"
        )
    for name, model in models.items():
        found = tracking.numbered(settings, name, str(model["version"]))
        if found is None or found.fingerprint != model["fingerprint"] or not _has_files(settings, found):
            state = "is another model now" if found and found.fingerprint != model["fingerprint"] else "is gone"
            raise MissingPartition(
                f"release {release.id}: {name} version {model['version']} {state}, so the release cannot be scored as"
                " it was; restore mlflow.db and mlartifacts/ from a copy of the home"
            )


def _has_files(settings: Settings, version: Any) -> bool:
    from huaxiang import tracking

    try:
        return tracking.model_folder(settings, version).exists()
    except Exception:  # MLflow has a type of its own for each kind of store
        return False


def _compare(release: store.Release, build: Path, table: ReleasedTable) -> Comparison | None:
    """The table in release and build; None when neither has it."""
    said, path = release.manifest["tables"].get(table.name), build / table.path
    if said is None:
        return Comparison(table.name, 0, "is not in the release") if path.exists() else None
    if not path.exists():
        return Comparison(table.name, said["rows"], "was not made")
    made = content_hash(path)
    if made == said["content_hash"]:
        return Comparison(table.name, said["rows"])
    rows = int(made.split(":")[0])
    return Comparison(table.name, said["rows"], f"{rows:,} rows made; {_differing(release, said, path, table)}")


def _differing(release: store.Release, said: dict[str, Any], path: Path, table: ReleasedTable) -> str:
    """How many rows differ, by key; or which columns one of the two lacks."""
    import duckdb

    sealed = release.path / said["path"]
    if not sealed.exists() or content_hash(sealed) != said["content_hash"]:
        return f"the release's own {said['path']} is not what was sealed"
    with duckdb.connect() as connection:
        connection.read_parquet(str(sealed)).create_view("sealed")
        connection.read_parquet(str(path)).create_view("made")
        old, new = (_columns(connection, name) for name in ("sealed", "made"))
        if set(old) != set(new):
            return "columns differ: " + ", ".join(sorted(set(old) ^ set(new)))
        texts = f"{canonical_row(old, 'sealed')} is distinct from {canonical_row(new, 'made')}"
        on = " and ".join(f"sealed.{key} is not distinct from made.{key}" for key in table.key)
        lacking = f"sealed.{table.key[0]} is null or made.{table.key[0]} is null"
        found = connection.execute(
            f"select count(*) from sealed full join made on {on} where {lacking} or {texts}"
        ).fetchall()
    return f"{found[0][0]:,} rows differ"


def _columns(connection: Any, view: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in connection.execute(f"describe {view}").fetchall()}


def as_text(made: Reproduction) -> str:
    """One line per table, and which code made the release."""
    said, code = made.release.manifest, made.code
    then = said["code"]
    is_this = "this very code" if then["hash"] == code["hash"] else f"not this code ({_named(code)})"
    lines = [
        f"release    {made.release.id}: as of {said['as_of']}, known at {said['known_at']}, landing calls up to"
        f" {made.ledger_call}",
        f"code       made by {_named(then)}, {is_this}",
    ]
    if made.landed_otherwise:
        lines.append(
            f"landing    differs: {made.landed_otherwise:,} rows of the ledger; mapping, contract or code has changed"
        )
    lines += [
        f"{_verdict(one):<10} {one.table:<20} {one.rows:>10,} rows" + (f"; {reason}" if reason else "")
        for one in made.tables
        for reason in (one.difference or one.left_out,)
    ]
    compared = [one for one in made.tables if not one.left_out]
    equal = sum(not one.difference for one in compared)
    lines.append(f"reproduced {equal} of {len(compared)} tables equal")
    return "\n".join(lines)


def _verdict(one: Comparison) -> str:
    return "differs" if one.difference else "left out" if one.left_out else "equal"


def _named(code: dict[str, str]) -> str:
    revision = code.get("revision", "")
    return f"code {code['hash']}" + (f", revision {revision[:12]}" if revision else "")
