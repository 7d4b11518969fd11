"""Write a secret once, so that nobody but its owner can ever read it. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path


def write_secret(path: Path, content: str) -> bool:
    """Make the file with mode 600 from its first moment; False when it is there already, which is then kept."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    return True
