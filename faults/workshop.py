"""The small home that faults are planted in: made once, kept as it was before each word, and put back for each trial.

The day before is released and its models trained, the day's drops are still to come. An undisturbed run of the day
gives the reference: every table's content hash, the ledger's account and the names of all files. MLflow keeps whole
paths, so every trial takes place in the one folder `home`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from faults.nursery import Commands, Nursery
from huaxiang import release
from huaxiang.landing.ledger import TableConservation, conservation
from huaxiang.report.conservation import missing
from huaxiang.settings import PROJECT, Settings, load_settings

_WORDS = ("landing", "staging", "features", "models", "profiles", "report", "release")


@dataclass(frozen=True)
class Plan:
    """What the home is: where its configuration comes from, the day, and the words that make a day.

    `models` are switched on; of `sample`, which is empty where the drops are there already, the sources are simulated.
    """

    config: Path
    day: date
    models: tuple[str, ...]
    sample: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        return ("simulate", *_WORDS) if self.sample else _WORDS

    def command(self, word: str, day: date) -> list[str]:
        if word == "simulate":
            return [word, *self.sample, "--through", str(day)]
        return [word, "--as-of", str(day)]


# 200 households and 60 days of the real data, with two families: one with Spark's own output files and one without.
JOURNEY = Plan(
    config=PROJECT,
    day=date(2017, 11, 30),
    models=("segments", "associations"),
    sample=("--source", "complete_journey", "--since", "2017-10-02", "--customers", "200"),
)
# A handful of customers and no models: for tests, which have to be quick.
SHOP = Plan(config=PROJECT / "tests" / "data" / "tiny_shop", day=date(2024, 4, 21), models=())
# MLflow names its runs and files at random; logs only grow.
_NOT_COMPARED = re.compile(r"(mlartifacts|logs)/.*")


@dataclass
class Workshop:
    """The home as it is now, the nursery that works on it, and what an undisturbed run comes to."""

    folder: Path
    nursery: Nursery
    plan: Plan
    seconds: dict[str, float] = field(default_factory=dict)  # of each word
    hashes: dict[str, str] = field(default_factory=dict)
    account: list[TableConservation] = field(default_factory=list)
    files: frozenset[str] = frozenset()
    released: tuple[str, str] = ("", "")  # the release before, and the one of the day

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def log(self) -> Path:
        return self.folder / "commands.log"

    @property
    def scratch(self) -> Path:
        return self.folder / "tmp"

    @property
    def settings(self) -> Settings:
        return load_settings()

    @property
    def words(self) -> tuple[str, ...]:
        return self.plan.words

    def commands(self, first: str, last: str = "release", day: date | None = None) -> Commands:
        """The day's words from one to another."""
        words = self.words[self.words.index(first) : self.words.index(last) + 1]
        return [self.plan.command(word, day or self.plan.day) for word in words]

    def after(self, word: str) -> str:
        return self.words[self.words.index(word) + 1]

    def put_back(self, word: str) -> None:
        """Make the home what it was just before the day's `word`."""
        empty(self.home)
        shutil.copytree(self.folder / f"before_{word}", self.home, dirs_exist_ok=True, symlinks=True)
        empty(self.scratch)

    def keep(self, word: str) -> None:
        shutil.copytree(self.home, self.folder / f"before_{word}", symlinks=True)

    def run(self, first: str, last: str = "release", **options: object) -> int | None:
        """Do the words in one process; returns the exit code of the first that fails, else 0."""
        return self.nursery.run(self.commands(first, last), self.log, **options)  # type: ignore[arg-type]

    def differences(self) -> list[str]:
        """What is not as after an undisturbed run, in words; an empty list when all is."""
        found = []
        now = release.current(self.settings)
        if now is None or now.id != self.released[1]:
            found.append(f"current is {now.id if now else 'nothing'}")
        for each in release.releases(self.settings):
            release.verify(each)
        if now and content(now) != self.hashes:
            found.append("tables differ")
        if conservation(self.settings, self.plan.day) != self.account:
            found.append("the ledger differs")
        names = names_of(self.home)
        found += [f"left behind: {name}" for name in sorted(names - self.files)]
        found += [f"missing: {name}" for name in sorted(self.files - names)]
        found += [f"left behind: tmp/{path.name}" for path in sorted(self.scratch.iterdir())]
        if (self.home / "lease.lock").read_text():
            found.append("the lock names a holder")
        return found

    def unaccounted(self) -> int:
        """Records that came in and are neither accepted nor refused, in the ledger as it is now."""
        return sum(abs(missing(row)) for row in conservation(self.settings, self.plan.day))

    def said(self) -> str:
        """The last error that a command printed."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        errors = [line for line in lines if re.match(rf"({'|'.join(self.words)}|releases|train): ", line)]
        return errors[-1] if errors else ""


@contextmanager
def workshop(folder: Path, plan: Plan = JOURNEY) -> Iterator[Workshop]:
    """Make home and reference in `folder`, in about a minute; the environment names the home while the body runs."""
    config = copy_config(folder / "config", plan)
    (folder / "tmp").mkdir()
    environment = {
        "HUAXIANG_HOME": str(folder / "home"),
        "HUAXIANG_CONFIG": str(config / "huaxiang.yml"),
        "TMPDIR": str(folder / "tmp"),
    }
    before = {name: os.environ.get(name) for name in environment if name != "TMPDIR"}
    os.environ.update({name: environment[name] for name in before})
    nursery = Nursery(environment)
    try:
        made = Workshop(folder, nursery, plan)
        _first_day(made)
        _reference(made)
        yield made
    finally:
        nursery.close()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def content(released: release.Release) -> dict[str, str]:
    return {name: table["content_hash"] for name, table in released.manifest["tables"].items()}


def names_of(home: Path) -> frozenset[str]:
    """The names of all files of a home that do not differ from run to run; of folders, those that are empty."""
    names = (str(path.relative_to(home)) for path in home.rglob("*") if path.is_file() or not any(path.iterdir()))
    return frozenset(name for name in names if not _NOT_COMPARED.fullmatch(name))


def empty(folder: Path) -> None:
    """Remove what is in a folder, but not the folder: a file system may be mounted there."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def copy_config(folder: Path, plan: Plan) -> Path:
    """A copy of the configuration with the plan's models, and the drops that stand beside it."""
    for name in ("sources", "drops"):
        if (plan.config / name).exists():
            shutil.copytree(plan.config / name, folder / name)
    lines = (plan.config / "huaxiang.yml").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("models:")]
    (folder / "huaxiang.yml").write_text(
        "\n".join([*kept, f"models: [{', '.join(plan.models)}]", ""]), encoding="utf-8"
    )
    return folder


def _first_day(made: Workshop) -> None:
    made.home.mkdir()
    code = made.nursery.run(made.commands(made.words[0], day=made.plan.day - timedelta(days=1)), made.log)
    _expect(made, code == 0, "the day before was not released")


def _reference(made: Workshop) -> None:
    """Run the day word by word, each in a process of its own, and keep the home as it was before each."""
    before = release.current(made.settings)
    for word in made.words:
        made.keep(word)
        began = time.perf_counter()
        code = made.run(word, word)
        made.seconds[word] = time.perf_counter() - began
        _expect(made, code == 0, f"{word} failed without a fault")
    now = release.current(made.settings)
    assert before and now
    left_out = now.manifest["models_left_out"]
    _expect(made, not left_out, f"left out: {json.dumps(left_out)}")
    made.released = (before.id, now.id)
    made.hashes = content(now)
    made.account = conservation(made.settings, made.plan.day)
    made.files = names_of(made.home)


def _expect(made: Workshop, is_so: bool, said: str) -> None:
    if not is_so:
        raise RuntimeError(f"{said}: {made.said() or made.log.read_text(encoding='utf-8')[-2000:]}")
