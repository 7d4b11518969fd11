"""Which code made a release: the revision, when there is one, and a hash of the files that decide results."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

_DECLARED = ("tags", "features", "audiences", "targets", "dictionaries")
_FOLDERS = ("src", "spark_jobs", "expectations", "dbt_project", "contracts", *_DECLARED, "requirements")
_SUFFIXES = {".py", ".sql", ".yml", ".lock", ".txt", ".html", ".css", ".js"}


def code_version(project: Path) -> dict[str, str]:
    """`revision` of the checkout (empty outside one) and `hash` over code, contracts, declarations and locks."""
    return {"revision": _revision(project), "hash": code_hash(project, _FOLDERS)}


def code_hash(project: Path, folders: tuple[str, ...]) -> str:
    """Hash of names and bytes of the code files below `folders`, in a fixed order."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted((project / folder).rglob("*")):
            parts = path.relative_to(project).parts
            if path.suffix in _SUFFIXES and "target" not in parts and path.is_file():
                digest.update("/".join(parts).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _revision(project: Path) -> str:
    command = ["git", "-C", str(project), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
