"""Read a YAML file that must be a mapping, with an error that says which file and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huaxiang.errors import BadConfiguration


def read_mapping(path: Path, what: str) -> dict[str, Any]:
    """Return the file's mapping. `what` names the file's role in the error message.

    Raises BadConfiguration when the file is missing, is not YAML or is not a mapping.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 (a safe loader)
    except FileNotFoundError as error:
        raise BadConfiguration(f"{path}: not found; {what} is read from there") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise BadConfiguration(f"{path}: not valid YAML, so {what} cannot be read: {reason}") from error
    if not isinstance(content, dict):
        raise BadConfiguration(f"{path}: must be a mapping of keys to values, since it is {what}")
    return content
