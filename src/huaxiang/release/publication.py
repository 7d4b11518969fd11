"""Seal a finished build as a release and publish it in one atomic step."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huaxiang import lease
from huaxiang.errors import MissingPartition
from huaxiang.files import replacing
from huaxiang.release import manifest, store
from huaxiang.settings import Run, Settings
from huaxiang.steps import step


def publish(settings: Settings, run: Run) -> store.Release:
    """Publish the run's build: manifest, sealed folder, one switch of `CURRENT`, older releases removed.

    A day before the current one (or the same, known earlier) is sealed beside it and `CURRENT` stays: a back-fill never
    takes readers back in time. Publishing the same content again changes nothing but `CURRENT`.

    Raises StaleWriter when a newer run has begun, GateFailed and MissingPartition as `manifest.describe` does.
    """
    from huaxiang.landing.ledger import input_hashes, next_call_number

    with step("release", run, settings) as log:
        held = lease.require(settings, run)
        inputs = input_hashes(settings, run.known_at)
        said = manifest.describe(settings, run, held, inputs, ledger_call=next_call_number(settings) - 1)
        said["mlflow_run_id"] = _track(settings, said, log.progress)
        folder = _seal(settings, run, said)
        lease.require(settings, run)
        published = store.find(settings, folder.name)
        now = store.current(settings)
        if now and (now.as_of, now.known_at) > (published.as_of, published.known_at):
            log.progress(
                f"{published.id} is kept beside the current {now.id}, which is of a later day; "
                f"'huaxiang releases rollback {published.id}' makes it current"
            )
        else:
            store.switch(settings, published.id)
        log.fact("release", published.id)
        log.fact("tables", len(said["tables"]))
        log.fact("older releases removed", _remove_old(settings, published.id))
    shutil.rmtree(settings.home.build(run.id))
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
    if folder.exists():
        return folder
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    for path in manifest.published_files(build):
        target = temporary / path.relative_to(build)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    with replacing(temporary / store.MANIFEST) as draft:
        draft.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    os.sync()  # every file of the folder is on disk before its name is
    temporary.replace(folder)
    return folder


def _remove_old(settings: Settings, published: str) -> int:
    """Keep the `keep_releases` latest days, the current release, and the one just published; count what went.

    The one just published is kept even if it is older than all: the next day of a back-fill reads its segments.
    """
    now = store.current(settings)
    kept = {published, now.id if now else published}
    old = [release for release in store.releases(settings)[: -settings.keep_releases] if release.id not in kept]
    for release in old:
        shutil.rmtree(release.path)
    return len(old)


def _track(settings: Settings, said: dict[str, Any], tell: Callable[[str], None]) -> str | None:
    """Log the release as an MLflow run. Portraits do not wait for MLflow: without it they are published unlinked."""
    from huaxiang.tracking import log_release

    try:
        return log_release(settings, said)
    except Exception as error:
        tell(f"published without an MLflow run: {type(error).__name__}: {error}")
        return None
