"""The releases of a home: list them, read their manifests, verify them, switch `CURRENT`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from huaxiang.errors import BrokenConservation, MissingPartition
from huaxiang.files import sha256, write_text
from huaxiang.settings import Run, Settings

MANIFEST = "MANIFEST.json"
# The manifest vouches for every other file; this one for it, as `sha256sum -c MANIFEST.sha256` reads it.
MANIFEST_SEAL = "MANIFEST.sha256"
_UNSEALED = (None, 1)  # schema versions of releases made before manifests had a seal


@dataclass(frozen=True)
class Release:
    """A published portrait: an immutable folder and what its manifest says."""

    path: Path
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def as_of(self) -> date:
        return date.fromisoformat(self.manifest["as_of"])

    @property
    def known_at(self) -> date:
        return date.fromisoformat(self.manifest["known_at"])

    @property
    def published_order(self) -> tuple[str, str, int]:
        return self.manifest["as_of"], self.manifest["known_at"], self.manifest["fence"]


def releases(settings: Settings) -> list[Release]:
    """All releases, the earliest day first. Raises BrokenConservation when a manifest is not as it was sealed."""
    return sorted(map(_open, _manifests(settings)), key=lambda release: release.published_order)


def find(settings: Settings, release_id: str) -> Release:
    """Raises MissingPartition when there is no such release, BrokenConservation when its manifest has changed."""
    manifest = settings.home.release(release_id) / MANIFEST
    # Compared by name, so that no path can be smuggled in as an id.
    if release_id not in {path.parent.name for path in _manifests(settings)}:
        raise MissingPartition(f"there is no release '{release_id}': 'huaxiang releases list' shows those there are")
    return _open(manifest)


def current(settings: Settings) -> Release | None:
    """The published release, or None before the first one."""
    if not settings.home.current.exists():
        return None
    return find(settings, settings.home.current.read_text(encoding="utf-8").strip())


def of_run(settings: Settings, run: Run) -> Release | None:
    """The release of the run's day, known at its day: the current one if it is that, else the newest, or None."""
    now = current(settings)
    found = [each for each in releases(settings) if (each.as_of, each.known_at) == (run.as_of, run.known_at)]
    return next((each for each in found if now and each.id == now.id), found[-1] if found else None)


def latest_before(settings: Settings, as_of: date) -> Path | None:
    """The folder of the latest release of an earlier day, or None: what a run may know of the portraits before it."""
    earlier = [release for release in releases(settings) if release.as_of < as_of]
    return earlier[-1].path if earlier else None


def verify(release: Release) -> None:
    """Compare every file with the manifest. Raises BrokenConservation naming the first file that differs."""
    for name, said in release.manifest["files"].items():
        path = release.path / name
        if not path.exists() or sha256(path) != said["sha256"]:
            state = "has changed" if path.exists() else "is missing"
            raise BrokenConservation(
                f"release {release.id}: {name} {state} since it was sealed; restore it from a copy, or publish the day "
                f"again with 'huaxiang run --as-of {release.as_of}'"
            )


def switch(settings: Settings, release_id: str) -> None:
    """Point `CURRENT` at a release in one atomic step: a reader sees one release or the other."""
    write_text(settings.home.current, release_id + "\n")


def seal_of(manifest: bytes) -> bytes:
    """What MANIFEST_SEAL holds beside a manifest of these bytes."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()


def _manifests(settings: Settings) -> list[Path]:
    return list(settings.home.releases.glob(f"[!.]*/{MANIFEST}"))


def _open(manifest: Path) -> Release:
    """Nothing is believed of a manifest that is not as it was sealed."""
    text, seal = manifest.read_bytes(), manifest.with_name(MANIFEST_SEAL)
    try:
        said = json.loads(text)
        is_whole = seal.read_bytes() == seal_of(text) if seal.exists() else said.get("schema_version") in _UNSEALED
    except ValueError:
        is_whole = False
    if not is_whole:
        name = manifest.parent.name
        raise BrokenConservation(
            f"release {name}: {MANIFEST} has changed since it was sealed; restore it from a copy with its "
            f"{MANIFEST_SEAL}, or move the folder {manifest.parent} away and publish the day again with "
            f"'huaxiang run --as-of {name[:10]}'"
        )
    return Release(path=manifest.parent, manifest=said)
