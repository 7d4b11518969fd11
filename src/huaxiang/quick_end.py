"""For a process that ends when its work is done: looking for garbage only costs it time."""

from __future__ import annotations

import atexit
import gc


def end_quickly() -> None:
    """Look for garbage rarely, and not at all at the end: all that the engines' imports made would be looked through
    once more then, for a second or two."""
    gc.set_threshold(50_000, 20, 50)
    atexit.register(gc.freeze)
