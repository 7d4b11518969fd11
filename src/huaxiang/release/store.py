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
_NEEDED = {"as_of", "known_at", "fence", "inputs", "tables"}


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
    """All releases whose manifest can be read, the earliest day first."""
    return sorted(_opened(settings)[0], key=lambda release: release.published_order)


def damaged(settings: Settings) -> list[BrokenConservation]:
    """What is wrong with the folders that `releases` passes over, and what to do about it."""
    return _opened(settings)[1]


def find(settings: Settings, release_id: str) -> Release:
    """Raises MissingPartition when there is no such release, BrokenConservation when its manifest cannot be read."""
    # Compared by name, so that no path can be smuggled in as an id.
    if release_id not in {manifest.parent.name for manifest in _manifests(settings)}:
        raise MissingPartition(f"there is no release '{release_id}': 'huaxiang releases list' shows those there are")
    return _open(settings.home.release(release_id) / MANIFEST)


def current(settings: Settings) -> Release | None:
    """The published release, or None before the first one. Raises as `find` does."""
    name = current_id(settings)
    return find(settings, name) if name is not None else None


def current_id(settings: Settings) -> str | None:
    """What `CURRENT` names, whether it is there or not."""
    path = settings.home.current
    return path.read_text(encoding="utf-8").strip() if path.exists() else None


def of_run(settings: Settings, run: Run) -> Release | None:
    """The release of the run's day, known at its day: the current one if it is that, else the newest, or None."""
    now = current_id(settings)
    found = [each for each in releases(settings) if (each.as_of, each.known_at) == (run.as_of, run.known_at)]
    return next((each for each in found if each.id == now), found[-1] if found else None)


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


def _opened(settings: Settings) -> tuple[list[Release], list[BrokenConservation]]:
    found, broken = [], []
    for manifest in _manifests(settings):
        try:
            found.append(_open(manifest))
        except MissingPartition:  # an old release that was removed meanwhile
            continue
        except BrokenConservation as error:
            broken.append(error)
    return found, broken


def _manifests(settings: Settings) -> list[Path]:
    """Hidden folders are releases that are being sealed or removed."""
    return sorted(settings.home.releases.glob(f"[!.]*/{MANIFEST}"))


def _open(manifest: Path) -> Release:
    """Nothing is believed of a manifest that is not as it was sealed."""
    seal, name = manifest.with_name(MANIFEST_SEAL), manifest.parent.name
    try:
        text = manifest.read_bytes()
        said = json.loads(text)
        if not isinstance(said, dict) or not said.keys() >= _NEEDED:
            raise ValueError("it does not say what a release is of")
        is_whole = seal.read_bytes() == seal_of(text) if seal.exists() else said.get("schema_version") in _UNSEALED
        if not is_whole:
            raise ValueError("it has changed since it was sealed")
        found = Release(path=manifest.parent, manifest=said)
        _ = found.as_of, found.known_at  # dates, or a ValueError
    except FileNotFoundError as error:
        raise MissingPartition(f"release {name}: was removed meanwhile") from error
    except (OSError, ValueError, TypeError) as error:
        raise BrokenConservation(
            f"release {name}: {MANIFEST} is not as it was sealed, so the release is left out; restore it from a copy "
            f"with its {MANIFEST_SEAL}, or move {manifest.parent} away and publish the day again with 'huaxiang run "
            f"--as-of {name[:10]}'"
        ) from error
    return found


def seal_of(manifest: bytes) -> bytes:
    """What MANIFEST_SEAL holds beside a manifest of these bytes."""
    return f"{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()
