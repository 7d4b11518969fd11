"""Read a YAML file that must be a mapping, with an error that says which file and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huaxiang.errors import BadConfiguration

# Files that people write by hand. The limits hold what a file can grow to once it is read: a handful of aliases that
# name each other ("billion laughs") would otherwise fill the memory.
MOST_BYTES = 2**20
MOST_ALIASES = 20
MOST_DEPTH = 50


def read_mapping(path: Path, what: str) -> dict[str, Any]:
    """Return the file's mapping. `what` names the file's role in the error message.

    Raises BadConfiguration when the file is missing, is not YAML, is not a mapping or is beyond the limits.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _check_size(path, what)
        text = path.read_text(encoding="utf-8")
        _check_shape(path, what, text, loader)
        content = yaml.load(text, Loader=loader)  # noqa: S506 (a safe loader)
    except FileNotFoundError as error:
        raise BadConfiguration(f"{path}: not found; {what} is read from there") from error
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BadConfiguration(f"{path}: not valid YAML, so {what} cannot be read: {reason}") from error
    if not isinstance(content, dict):
        raise BadConfiguration(f"{path}: must be a mapping of keys to values, since it is {what}")
    return content


def _check_size(path: Path, what: str) -> None:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise BadConfiguration(
            f"{path}: {size:,} bytes, so this is not {what}, which takes some thousands; is it a data file?"
        )


def _check_shape(path: Path, what: str, text: str, loader: Any) -> None:
    """Read the file's tokens once before anything is built of them: the C loader ends the process when it nests."""
    import yaml

    aliases = depth = 0
    for event in yaml.parse(text, Loader=loader):
        aliases += isinstance(event, yaml.AliasEvent)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if aliases > MOST_ALIASES:
            raise BadConfiguration(
                f"{path}: more than {MOST_ALIASES} aliases (*name), which {what} does not need; write the values out"
            )
        if depth > MOST_DEPTH:
            raise BadConfiguration(f"{path}: nested more than {MOST_DEPTH} deep, so {what} cannot be read; flatten it")
