"""Ninety days in one go, one fault a day at random, beside ninety undisturbed ones: the same releases, nothing left.

The homes have no model families, so that a day takes seconds; the other kinds kill and starve the models too.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from faults.kills import REACHED_BY
from faults.kinds import Options
from faults.nursery import Nursery
from faults.trial import Trial
from faults.workshop import Plan, content, copy_config, names_of
from huaxiang import release
from huaxiang.landing.ledger import conservation
from huaxiang.release.store import Release
from huaxiang.report.conservation import missing
from huaxiang.settings import PROJECT, Settings, load_settings
from huaxiang.tables import Home

FIRST_DAY, DAYS, HISTORY = date(2017, 6, 1), 90, timedelta(days=14)
# Where the planted drops themselves, and what is told of a day that was tried twice, make the homes differ.
_DATA = ("inbox/", "raw/", "quarantine/", "ledger/", "releases/", "lineage/")
MOST_GROWTH = 1.05  # processor time of the last days against those around the 30th
PLAN = Plan(
    config=PROJECT,
    day=FIRST_DAY,
    models=(),
    sample=("--source", "complete_journey", "--since", str(FIRST_DAY - HISTORY), "--customers", "200"),
)


def ninety_days(options: Options, days: int = DAYS) -> Iterator[Trial]:
    """A trial per day, and one each for what is left behind and for the processor time of a day."""
    calm, stormy = _Home(options.folder / "calm"), _Home(options.folder / "stormy")
    chance = random.Random(options.seed)  # noqa: S311 (which fault is no secret)
    seconds: list[float] = []
    with calm.open(), stormy.open():
        for day in (FIRST_DAY + timedelta(days=number) for number in range(days)):
            wanted = calm.publish(day)
            seconds.append(_cpu_seconds(wanted))
            detail = chance.choice(_FAULTS)(stormy, day, chance)
            found = stormy.publish(day)
            is_same = content(found) == content(wanted)
            yield Trial(f"90 days, {day}", detail, is_same, stormy.unaccounted(day))
        left = sorted(name for name in names_of(stormy.home) ^ names_of(calm.home) if not name.startswith(_DATA))
        yield Trial("90 days, left behind", ", ".join(left[:5]) or "no file more than undisturbed", not left)
        early, late = median(seconds[28:33] or seconds), median(seconds[-5:])
        detail = f"{late:.1f} s of processor time on the last days, {early:.1f} s around day 30: {late / early:.2f}x"
        yield Trial("90 days, processor time", detail, late <= MOST_GROWTH * early)


@dataclass
class _Home:
    """One of the two homes, with a warm process of its own; both play the same data."""

    folder: Path
    settings: Settings = field(init=False)
    nursery: Nursery = field(init=False)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def log(self) -> Path:
        return self.folder / "commands.log"

    @contextmanager
    def open(self) -> Iterator[None]:
        self.home.mkdir(parents=True)
        (self.folder / "tmp").mkdir()
        config = copy_config(self.folder / "config", PLAN) / "huaxiang.yml"
        environment = {"HUAXIANG_HOME": str(self.home), "HUAXIANG_CONFIG": str(config)}
        self.settings = replace(
            load_settings(), config=config, home=Home(self.home), inbox=self.home / "inbox", models=()
        )
        self.nursery = Nursery(environment | {"TMPDIR": str(self.folder / "tmp")})
        try:
            yield
        finally:
            self.nursery.close()

    def run(self, words: tuple[str, ...], day: date, failpoint: str = "") -> int | None:
        return self.nursery.run([PLAN.command(word, day) for word in words], self.log, failpoint)

    def publish(self, day: date) -> Release:
        """The whole day, as a retry after whatever happened before; its release."""
        if self.run(PLAN.words, day) != 0:
            raise RuntimeError(f"{day} was not released: {self.log.read_text(encoding='utf-8')[-1500:]}")
        now = release.current(self.settings)
        assert now and now.as_of == day
        return now

    def unaccounted(self, day: date) -> int:
        return sum(abs(missing(row)) for row in conservation(self.settings, day))


def _killed(home: _Home, day: date, chance: random.Random) -> str:
    """The day is killed after a few seconds, wherever it is by then."""
    after = chance.uniform(0.1, 6.0)
    pid = home.nursery.start([PLAN.command(word, day) for word in PLAN.words], home.log)
    time.sleep(after)
    home.nursery.kill(pid)
    return f"killed after {after:.1f} s"


def _killed_at_a_place(home: _Home, day: date, chance: random.Random) -> str:
    places = [name for name, reached in REACHED_BY.items() if {word for word, _ in reached} != {"models"}]
    name = chance.choice(places)
    home.run(PLAN.words, day, f"{name}:kill@1")
    return f"killed at {name}"


def _failing_write(home: _Home, day: date, chance: random.Random) -> str:
    number = chance.randint(1, 40)
    home.run(PLAN.words, day, f"files.write:raise@{number}")
    return f"no write succeeds from number {number} on"


def _twice_at_once(home: _Home, day: date, chance: random.Random) -> str:
    offset = chance.uniform(0, 4)
    commands = [PLAN.command(word, day) for word in PLAN.words]
    first = home.nursery.start(commands, home.log)
    time.sleep(offset)
    second = home.nursery.start(commands, home.log)
    codes = [home.nursery.wait(pid) for pid in (first, second)]
    return f"two runs {offset:.1f} s apart, exit codes {codes[0]} and {codes[1]}"


def _dropped_again(home: _Home, day: date, chance: random.Random) -> str:
    """A drop of an earlier day comes again under another name."""
    drop = chance.choice(_sales(home, day))
    shutil.copy(drop, drop.with_name(f"{drop.stem}_copy{drop.suffix}"))
    return f"{drop.name} dropped again under another name"


def _cut(home: _Home, day: date, chance: random.Random) -> str:
    """The beginning of a drop of an earlier day comes as a file of its own, cut inside a record: it is refused whole.

    It has few records: many refused ones would, rightly, stop the day at the landing gate.
    """
    drop = chance.choice(_sales(home, day))
    lines = drop.read_bytes().splitlines(keepends=True)[:6]
    lines[-1] = lines[-1][: lines[-1].index(b",") + 1]
    drop.with_name(f"{drop.stem}_cut_{day}{drop.suffix}").write_bytes(b"".join(lines))
    return f"a cut copy of {drop.name}"


def _interrupted_release(home: _Home, day: date, chance: random.Random) -> str:
    name = chance.choice([place for place in REACHED_BY if place.startswith("release.")])
    home.run(PLAN.words, day, f"{name}:kill@1")
    return f"killed at {name}"


_FAULTS: tuple[Callable[[_Home, date, random.Random], str], ...] = (
    _killed,
    _killed_at_a_place,
    _failing_write,
    _twice_at_once,
    _dropped_again,
    _cut,
    _interrupted_release,
)


def _sales(home: _Home, day: date) -> list[Path]:
    """Drops of sales of the days before, as they were played."""
    folder = home.settings.inbox / "complete_journey" / "pos"
    names = [f"sales_{day - timedelta(days=back)}.csv" for back in range(1, 8)]
    return [folder / name for name in names if (folder / name).exists()]


def _cpu_seconds(made: Release) -> float:
    steps = (made.path / "steps.jsonl").read_text(encoding="utf-8").splitlines()
    return sum(json.loads(step)["cpu_seconds"] for step in steps)
