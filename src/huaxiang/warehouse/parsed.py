"""dbt's reading of the project, used again as long as nothing but the day and the place has changed.

dbt reads all of a project anew when a variable changes, which takes longer than a day's staging, and here the day is
one on every run. Only SQL reads the clocks, when it is compiled: no name, config or reference depends on them. Of the
places only the sources speak, and they are told anew: a copy of a warehouse, as training takes one, is not read again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from huaxiang.code_version import code_hash
from huaxiang.files import write_text
from huaxiang.settings import Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_CLOCKS = ("as_of", "snapshot_days")
_FILE = "partial_parse.msgpack"  # dbt's own name
# What this process has read, by key, for the next home that it works on.
_read_here: dict[str, bytes] = {}


@contextmanager
def reused(settings: Settings, variables: Mapping[str, Any], places: Mapping[str, str]) -> Iterator[Manifest | None]:
    """The manifest to run on; None when dbt has to read the project, which is then kept if the body succeeds.

    `variables` and `places`, environment variables that hold paths, are all that dbt is told from outside.
    """
    file, key_file = settings.home.dbt_target / _FILE, settings.home.dbt_target / "parsed_for.txt"
    key = _key(settings, variables)
    if not key_file.exists() or key_file.read_text(encoding="utf-8").strip() != key:
        key_file.unlink(missing_ok=True)
        if key not in _read_here:
            yield None
            if file.exists():
                _read_here[key] = file.read_bytes()
                write_text(key_file, f"{key}\n")
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_read_here[key])
        write_text(key_file, f"{key}\n")
    yield _kept(settings, places)


def _kept(settings: Settings, places: Mapping[str, str]) -> Manifest | None:
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    try:
        packed = (settings.home.dbt_target / _FILE).read_bytes()
        manifest: Manifest = Manifest.from_msgpack(packed, decoder=extended_mashumuro_decoder)
        _move_sources(manifest, places)
    except Exception:  # whatever is wrong with it, dbt reads the project again
        return None
    manifest.metadata.generated_at = datetime.now(UTC).replace(tzinfo=None)  # as dbt does when it uses it again
    return manifest


def _move_sources(manifest: Manifest, places: Mapping[str, str]) -> None:
    """Let the sources lie where they lie now: dbt has put the places it was told then into them."""
    now = {manifest.env_vars[name]: place for name, place in places.items()}
    # The build lies in the warehouse and that in the home: the longest that fits is meant.
    then = re.compile("|".join(re.escape(place) for place in sorted(now, key=len, reverse=True)))

    def moved(text: str) -> str:
        return then.sub(lambda found: now[found[0]], text)

    for source in manifest.sources.values():
        source.relation_name = moved(source.relation_name or "")
        for meta in (source.meta, source.source_meta, source.config.meta):
            if "external_location" in meta:
                meta["external_location"] = moved(meta["external_location"])


def _key(settings: Settings, variables: Mapping[str, Any]) -> str:
    lasting = {name: value for name, value in variables.items() if name not in _CLOCKS}
    parts = [code_hash(settings.project, ("dbt_project",)), settings.engine, version("dbt-core"), lasting]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
