"""Find the drops in a source's inbox folder: which file feeds which table, and on which day it was loaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from unicodedata import category

from huaxiang.errors import MissingPartition
from huaxiang.sources import Source, TableMapping


@dataclass(frozen=True)
class Drop:
    """One file for one table, or records of it that were repaired. `file_name` is its path below the inbox, with /."""

    source: str
    mapping: TableMapping
    path: Path
    file_name: str
    load_date: date
    sha256: str = ""
    repair_number: int = 0

    @property
    def table(self) -> str:
        return self.mapping.table

    @property
    def file_id(self) -> str:
        """The first 16 hexadecimal digits of its content's SHA-256."""
        return self.sha256[:16]

    @property
    def stem(self) -> str:
        """What the files that landing makes of it are called."""
        return landed_stem(self.file_id, self.repair_number)


def landed_stem(file_id: str, repair_number: int) -> str:
    """The name of a landed or quarantined file: the drop's content, and the repair if it holds repaired records."""
    return f"{file_id}-{repair_number:06d}" if repair_number else file_id


@dataclass(frozen=True)
class Inbox:
    """What lies in a source's inbox folder: its drops by table, day and name, and files no mapping speaks of."""

    drops: tuple[Drop, ...]
    unmatched: tuple[str, ...]


def find_drops(source: Source) -> Inbox:
    """Look through the source's inbox folder. Hidden files are not seen: a writer can hide a file until it is whole.

    Raises MissingPartition when the folder is not there.
    """
    if not source.inbox.is_dir():
        raise MissingPartition(
            f"{source.inbox}: no such folder, so source '{source.name}' has no drops; put them there,"
            f" or run 'huaxiang simulate --source {source.name} --through <day>' for a data set that can be replayed"
        )
    drops, unmatched = [], []
    for path in sorted(source.inbox.rglob("*")):
        name = path.relative_to(source.inbox).as_posix()
        if any(part.startswith(".") for part in name.split("/")):
            continue
        if not _is_plain_file(path, source.inbox):
            if not path.is_dir() or path.is_symlink():
                unmatched.append(f"{source.name}/{_shown(name)} (not a file of the inbox)")
            continue
        if name != _shown(name):
            # Control characters and bytes that are no text would come out again in logs, ledger and pages.
            unmatched.append(f"{source.name}/{_shown(name)}")
            continue
        found = [(mapping, mapping.drops.load_date(name)) for mapping in source.tables.values()]
        taken = [Drop(source.name, mapping, path, f"{source.name}/{name}", day) for mapping, day in found if day]
        drops.extend(taken)
        if not taken:
            unmatched.append(f"{source.name}/{name}")
    drops.sort(key=lambda drop: (drop.table, drop.load_date, drop.file_name))
    return Inbox(tuple(drops), tuple(unmatched))


def _is_plain_file(path: Path, inbox: Path) -> bool:
    """A file that lies in the inbox: no device or pipe, which would block or never end, and no link that leads out."""
    if not path.is_file():
        return False
    return not path.is_symlink() or path.resolve().is_relative_to(inbox.resolve())


def _shown(name: str) -> str:
    """The name with what cannot be printed, or would change how the rest is printed, written as an escape."""
    unprintable = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return "".join(
        one.encode("unicode_escape", "surrogatepass").decode() if category(one) in unprintable else one for one in name
    )
