"""dbt's reading of the project, used again as long as nothing but the day has changed.

dbt reads all of a project anew when a variable changes, which takes longer than a day's staging, and here the day is
one on every run. Only SQL reads the clocks, when it is compiled: no name, config or reference depends on them.
"""

from __future__ import annotations

import hashlib
import json
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


@contextmanager
def reused(settings: Settings, told: Mapping[str, Any]) -> Iterator[Manifest | None]:
    """The manifest to run on; None when dbt has to read the project, which is then kept if the body succeeds.

    `told` is all that dbt is told from outside: variables and paths.
    """
    key_file = settings.home.dbt_target / "parsed_for.txt"
    key = _key(settings, told)
    if key_file.exists() and key_file.read_text(encoding="utf-8").strip() == key:
        yield _kept(settings)
        return
    key_file.unlink(missing_ok=True)
    yield None
    if (settings.home.dbt_target / _FILE).exists():
        write_text(key_file, f"{key}\n")


_FILE = "partial_parse.msgpack"  # dbt's own name


def _kept(settings: Settings) -> Manifest | None:
    from dbt.contracts.graph.manifest import Manifest
    from dbt.parser.manifest import extended_mashumuro_decoder

    try:
        packed = (settings.home.dbt_target / _FILE).read_bytes()
        manifest: Manifest = Manifest.from_msgpack(packed, decoder=extended_mashumuro_decoder)
    except Exception:  # whatever is wrong with it, dbt reads the project again
        return None
    manifest.metadata.generated_at = datetime.now(UTC).replace(tzinfo=None)  # as dbt does when it uses it again
    return manifest


def _key(settings: Settings, told: Mapping[str, Any]) -> str:
    lasting = {name: value for name, value in told.items() if name not in _CLOCKS}
    parts = [code_hash(settings.project, ("dbt_project",)), settings.engine, version("dbt-core"), lasting]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
