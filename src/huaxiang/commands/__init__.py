"""The words of the command line that have actions of their own, one file each.

A file's `add(word)` declares its arguments; engines are imported when the command is called.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Protocol

Command = Callable[[argparse.Namespace], int | None]


class Word(Protocol):
    """Declares a word of the command line; a dated one takes --as-of and --known-at."""

    def __call__(self, name: str, help_text: str, command: Command, dated: bool = True) -> argparse.ArgumentParser: ...
