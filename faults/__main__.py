"""Plant faults: `python -m faults [kinds] [--seed S] [--kills N]`. The last line sums up; 1 if anything differed."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

from faults.kinds import KINDS, Options, kind
from faults.trial import Trial


def main(arguments: list[str] | None = None) -> int:
    """One plain line per fault, as soon as it is known what became of it."""
    parser = argparse.ArgumentParser(prog="python -m faults", description="Plant faults and expect nothing to be lost.")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"which (default: all): {', '.join(KINDS)}")
    parser.add_argument("--seed", type=int, default=1, help="where random choices begin (default: 1)")
    parser.add_argument("--kills", type=int, default=100, metavar="N", help="how many random kills (default: 100)")
    parser.add_argument("--permutations", type=int, default=200, metavar="N", help="orders of arrival (default: 200)")
    said = parser.parse_args(arguments)
    unknown = [name for name in said.kinds if name not in KINDS]
    if unknown:
        parser.error(f"there is no kind '{unknown[0]}'; there are {', '.join(KINDS)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was made is removed
    tried = differences = unaccounted = 0
    numbers = {"seed": said.seed, "kills": said.kills, "permutations": said.permutations}
    for trial in _trials(said.kinds or list(KINDS), numbers):
        tried += 1
        differences += not trial.is_same
        unaccounted += trial.unaccounted
        print(f"{trial.fault:<44} {trial.detail:<60} {_verdict(trial)}", flush=True)
    print(f"faults: {tried} tried, {differences} differences, {unaccounted} rows unaccounted for", flush=True)
    return 1 if differences or unaccounted else 0


def _trials(names: list[str], numbers: dict[str, int]) -> Iterator[Trial]:
    """All trials of the kinds; a kind that breaks off counts as a difference and the others go on."""
    for name in names:
        folder = Path(tempfile.mkdtemp(prefix=f"huaxiang-faults-{name}-"))
        began, all_same = time.monotonic(), True
        try:
            for trial in kind(name)(Options(folder, **numbers)):
                _progress("")
                all_same &= trial.is_same
                yield trial
                _progress(f"{name}: {time.monotonic() - began:.0f} s")
        except Exception as error:
            traceback.print_exc()
            all_same = False
            yield Trial(name, f"broke off: {type(error).__name__}: {error}", is_same=False)
        finally:
            _progress("")
            if not all_same and (folder / "commands.log").exists():
                log = shutil.copy(folder / "commands.log", f"{folder}.log")
                print(f"{name}: what the commands said stands in {log}", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)


def _verdict(trial: Trial) -> str:
    lost = f", {trial.unaccounted:,} rows unaccounted for" if trial.unaccounted else ""
    return ("same" if trial.is_same else "DIFFERENT") + lost


def _progress(text: str) -> None:
    """On a terminal, how long it has taken so far, in a line that the next one overwrites."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
