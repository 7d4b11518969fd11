"""Releases as text for a terminal."""

from __future__ import annotations

from huaxiang.errors import MissingPartition
from huaxiang.release import store
from huaxiang.report import words
from huaxiang.settings import Settings
from huaxiang.timetravel import errata


def listing(settings: Settings) -> str:
    """One line per release, the newest first; the current one is marked. Those that cannot be read come last."""
    now = store.current_id(settings)
    told = errata.with_corrections(settings)
    lines = [
        f"{'*' if release.id == now else ' '} {release.id}  known at {release.manifest['known_at']}  "
        f"{release.manifest['tables']['customer_profiles']['rows']:,} customers"
        f"{_mark(release, told)}"
        for release in reversed(store.releases(settings))
    ]
    lines += [f"! {error}" for error in store.damaged(settings)]
    return "\n".join(lines) or "no release yet: 'huaxiang run --as-of D' makes the first"


def details(settings: Settings, release_id: str | None) -> str:
    """What a release holds and how it was made. Raises MissingPartition when there is none."""
    release = store.find(settings, release_id) if release_id else store.current(settings)
    if release is None:
        raise MissingPartition("no release yet: 'huaxiang run --as-of D' makes the first")
    said = release.manifest
    tables = [f"  {name:<20} {table['rows']:>10,}  {table['content_hash']}" for name, table in said["tables"].items()]
    models = [
        f"  {name:<20} version {model['version']}  {model['fingerprint']}" for name, model in said["models"].items()
    ]
    gates = [
        f"  {name:<20} {gate['checks']} checks, {len(gate['warnings'])} warnings"
        for name, gate in said["gates"].items()
    ]
    head = (
        f"{release.id}: {said['home']}, as of {said['as_of']}, known at {said['known_at']}, code {said['code']['hash']}"
    )
    parts = [
        head,
        "tables (rows, content hash)",
        *tables,
        "models",
        *models,
        "gates",
        *gates,
        *_errata(release, errata.with_corrections(settings), settings.currency),
        f"pages\n  {release.path / 'report' / 'index.html'}",
    ]
    return "\n".join(parts)


def _mark(release: store.Release, told: list[errata.OpenErratum]) -> str:
    """The mark of a release that late drops have changed."""
    own = [one for one in told if one.release.id == release.id]
    if not own:
        return ""
    corrected = own[-1].corrected_by
    return f"  ! {words.plural(len(own), 'erratum', 'errata')}" + (f", corrected by {corrected}" if corrected else "")


def _errata(release: store.Release, told: list[errata.OpenErratum], currency: str) -> list[str]:
    """What came to light after the release was sealed."""
    own = [one for one in told if one.release.id == release.id]
    return ["errata", *(f"  {errata.sentence(one, currency)}" for one in own)] if own else []
