"""Commands that are called as functions print lines of their own, among which the trials' would drown."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that the body prints is shown."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield
