"""A second process that works beside this one, where waiting in turn would take longer than starting it.

Python runs one thread at a time, and the engines' imports alone take seconds. The process ends with the body, or when
this one dies: nothing of a command that was killed goes on writing to the home.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from huaxiang.errors import TryAgain
from huaxiang.quick_end import end_quickly

P = ParamSpec("P")
T = TypeVar("T")

_LOOKS_EVERY_SECONDS = 0.1


class Beside:
    """Calls for the second process, which it works off one after another."""

    def __init__(self, pool: ProcessPoolExecutor) -> None:
        self._pool = pool

    def begin(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
        """Have the function called there. It, its arguments and what it returns are sent as pickles."""
        return self._pool.submit(function, *arguments, **named)


@contextmanager
def second_process() -> Iterator[Beside]:
    """A fresh process, started by the first call, which knows nothing of this one's state but its environment."""
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _follow, (os.getpid(),))
    try:
        yield Beside(pool)
    except BaseException:
        for process in multiprocessing.active_children():
            process.kill()  # nobody waits any more for what it is doing
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def result(future: Future[T]) -> T:
    """What the call returned, or the error it raised. Raises TryAgain when the process was killed meanwhile."""
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise TryAgain("a process that worked beside this one was killed: run the step again") from error


def _follow(parent: int) -> None:
    """In the second process: leave interrupts to the first, end when it has ended, and end quickly."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_quickly()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOKS_EVERY_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
