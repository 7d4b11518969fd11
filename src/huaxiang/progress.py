"""Say a line to whoever watches: this process's terminal or log, and the command that started it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

PROGRESS_FILE = "HUAXIANG_PROGRESS_FILE"


def tell(line: str, stream: TextIO | None = None) -> None:
    """Print the line; under `huaxiang run` also hand it to the terminal, past Airflow's own log."""
    print(line, file=stream or sys.stdout, flush=True)
    watcher = os.environ.get(PROGRESS_FILE)
    if watcher:
        # The watcher misses a line when the disk is full; what is told may be just that.
        with suppress(OSError), Path(watcher).open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")
