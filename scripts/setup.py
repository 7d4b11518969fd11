"""Make the two locked environments, `.venv/work` and `.venv/airflow`, or those named; a second run installs nothing.

Standard library only. uv is bootstrapped with pip from a hash-locked file, then installs each lock. An environment
carries the hash of the lock it was made from, so a changed lock is installed again and an unchanged one costs nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
UV = VENV / "uv" / "bin" / "uv"
sys.path.insert(0, str(ROOT / "src"))


def main() -> int:
    names = tuple(sys.argv[1:]) or ("work", "airflow")
    if not stale(names):
        return 0
    from huaxiang.doctor import prerequisites

    missing = [finding for finding in prerequisites(ROOT) if not finding.is_ok]
    for finding in missing:
        print(f"setup: {finding.name} {finding.found}; {finding.next_step}.", file=sys.stderr)
    if missing:
        return 1
    try:
        with one_at_a_time():
            for name in stale(names):
                bootstrap_uv()
                install(name)
    except subprocess.CalledProcessError as error:
        print(
            f"setup: '{' '.join(map(str, error.cmd[:4]))} ...' failed; see the lines above, then run make again.",
            file=sys.stderr,
        )
        return 1
    return 0


def stale(names: Iterable[str]) -> list[str]:
    return [name for name in names if not is_fresh(name)]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two `make` calls at once would install into one environment; the second waits, and then has nothing to do."""
    VENV.mkdir(exist_ok=True)
    with (VENV / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_fresh(name: str) -> bool:
    mark = VENV / name / "made-from"
    return mark.exists() and mark.read_text() == fingerprint(name)


def fingerprint(name: str) -> str:
    """Hash of all that decides what the environment holds."""
    files = [ROOT / "requirements" / f"{name}.lock", ROOT / "pyproject.toml", Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files) + str(ROOT).encode()).hexdigest()


def bootstrap_uv() -> None:
    if not UV.exists():
        run(sys.executable, "-m", "venv", VENV / "uv")
    pip = VENV / "uv" / "bin" / "pip"
    run(
        pip,
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
        ROOT / "requirements" / "uv.lock",
    )


def install(name: str) -> None:
    start = time.perf_counter()
    print(f"setup      {name}: installing from requirements/{name}.lock", flush=True)
    python = VENV / name / "bin" / "python"
    run(UV, "venv", "--quiet", "--clear", "--python", sys.executable, VENV / name)
    run(UV, "pip", "sync", "--quiet", "--require-hashes", "--python", python, ROOT / "requirements" / f"{name}.lock")
    if name == "work":
        # The project itself, in place, built by the locked setuptools: nothing else is fetched.
        run(
            UV, "pip", "install", "--quiet", "--python", python, "--no-deps", "--no-build-isolation", "--editable", ROOT
        )
    (VENV / name / "made-from").write_text(fingerprint(name))
    print(f"setup      {name}: done in {time.perf_counter() - start:.0f} s", flush=True)


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True)


if __name__ == "__main__":
    sys.exit(main())
