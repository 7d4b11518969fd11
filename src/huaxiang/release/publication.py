"""Seal a finished build as a release and publish it in one atomic step."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huaxiang import lease
from huaxiang.errors import BrokenConservation, MissingPartition
from huaxiang.failpoints import reach
from huaxiang.files import replacing, sync, sync_all
from huaxiang.release import manifest, store
from huaxiang.settings import Run, Settings
from huaxiang.steps import step
from huaxiang.tags import versions
from huaxiang.tracking import mlflow_store


def publish(settings: Settings, run: Run) -> store.Release:
    """Publish the run's build: manifest, sealed folder, one switch of `CURRENT`, older releases removed.

    A day before the current one (or the same, known earlier) is sealed beside it and `CURRENT` stays: a back-fill never
    takes readers back in time. Publishing the same content again changes nothing but `CURRENT`, and closes the errata
    that have proved to change nothing.

    Raises StaleWriter when a newer run has begun, GateFailed and MissingPartition as `manifest.describe` does.
    """
    from huaxiang.landing.ledger import input_hashes, next_call_number

    with step("release", run, settings) as log:
        held = lease.require(settings, run)
        reach("release.before_manifest")
        mlflow_store.connect_beside(settings)
        inputs = input_hashes(settings, run.known_at)
        said = manifest.describe(settings, run, held, inputs, ledger_call=next_call_number(settings) - 1)
        said["mlflow_run_id"] = _track(settings, said, log.progress)
        folder = _seal(settings, run, said)
        lease.require(settings, run)
        published = store.find(settings, folder.name)
        _confirm(settings, published, said["inputs"]["ledger_call"], log.progress)
        reach("release.before_switch")
        now = _current_if_there(settings)
        if now and (now.as_of, now.known_at) > (published.as_of, published.known_at):
            log.progress(
                f"{published.id} is kept beside the current {now.id}, which is of a later day; "
                f"'huaxiang releases rollback {published.id}' makes it current"
            )
        else:
            store.switch(settings, published.id)
        reach("release.after_switch")
        lease.end(settings, run, published.id)
        log.fact("release", published.id)
        log.fact("tables", len(said["tables"]))
        versions.keep(settings, store.releases(settings))
        log.fact("older releases removed", _remove_old(settings, published.id))
    reach("release.before_build_removed")
    _remove(settings.home.build(run.id))
    return published


def rollback(settings: Settings, release_id: str | None) -> store.Release:
    """Point `CURRENT` at `release_id`, or at the release before the current one, after verifying its files.

    Raises MissingPartition when there is no such release, BrokenConservation when its files have changed.
    """
    if release_id is None:
        now = store.current(settings)
        earlier = [r for r in store.releases(settings) if now and r.published_order < now.published_order]
        if not earlier:
            raise MissingPartition("there is no earlier release to go back to: 'huaxiang releases list' shows them")
        release_id = earlier[-1].id
    target = store.find(settings, release_id)
    store.verify(target)
    store.switch(settings, target.id)
    return target


def _seal(settings: Settings, run: Run, said: dict[str, Any]) -> Path:
    """Copy the build to its release folder. A sealed folder is never written again."""
    build = settings.home.build(run.id)
    folder = settings.home.release(str(said["release_id"]))
    if folder.exists() and _is_whole(settings, folder.name):
        return folder
    temporary = folder.with_name(f".{folder.name}.tmp")
    if temporary.exists():
        shutil.rmtree(temporary)
    reach("release.before_copy")
    for path in manifest.published_files(build):
        target = temporary / path.relative_to(build)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    reach("release.files_copied")
    text = (json.dumps(said, indent=2) + "\n").encode()
    (temporary / store.MANIFEST_SEAL).write_bytes(store.seal_of(text))
    with replacing(temporary / store.MANIFEST) as draft:
        draft.write_bytes(text)
    sync_all()  # every file of the folder is on disk before its name is
    reach("release.before_rename")
    if folder.exists():  # damaged: no reader can use it as it is
        _remove(folder)
    temporary.replace(folder)
    sync(folder.parent)
    return folder


def _confirm(settings: Settings, published: store.Release, ledger_call: int, tell: Callable[[str], None]) -> None:
    """Note it where a release sealed before has turned out to be right also by what has landed since."""
    from huaxiang.timetravel import errata

    if published.manifest["inputs"].get("ledger_call", 0) < ledger_call:
        errata.confirm(settings, published.id, ledger_call)
        tell(f"{published.id} stays as it was sealed: what has landed since changes no table of it")


def _is_whole(settings: Settings, release_id: str) -> bool:
    """Whether a folder of this name holds what was sealed; one that has been damaged since is sealed anew."""
    try:
        store.verify(store.find(settings, release_id))
    except (BrokenConservation, MissingPartition):
        return False
    return True


def _current_if_there(settings: Settings) -> store.Release | None:
    """The current release; None also when `CURRENT` names one that is gone or damaged, which a new release heals."""
    try:
        return store.current(settings)
    except (BrokenConservation, MissingPartition):
        return None


def _remove(folder: Path) -> None:
    """Remove a folder in one step, as others see it: whoever is killed meanwhile leaves no half of it."""
    aside = folder.with_name(f".{folder.name}.removed.tmp")
    if aside.exists():
        shutil.rmtree(aside)
    folder.replace(aside)
    reach("release.build_set_aside")
    shutil.rmtree(aside)


def _remove_old(settings: Settings, published: str) -> int:
    """Keep the `keep_releases` latest days, the current release, and the one just published; count what went.

    The one just published is kept even if it is older than all: the next day of a back-fill reads its segments.
    """
    now = _current_if_there(settings)
    kept = {published, now.id if now else published}
    old = [release for release in store.releases(settings)[: -settings.keep_releases] if release.id not in kept]
    for release in old:
        _remove(release.path)
    return len(old)


def _track(settings: Settings, said: dict[str, Any], tell: Callable[[str], None]) -> str | None:
    """Log the release as an MLflow run. Portraits do not wait for MLflow: without it they are published unlinked."""
    from huaxiang.tracking import log_release

    try:
        return log_release(settings, said)
    except Exception as error:
        tell(f"published without an MLflow run: {type(error).__name__}: {error}")
        return None
