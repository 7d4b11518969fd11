"""F01 and F02: a task is killed, at a random moment or at a named place, and tried again; then the run goes on."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from datetime import timedelta

from faults.kinds import Options
from faults.readers import reading
from faults.trial import Trial
from faults.workshop import Workshop, workshop
from huaxiang.failpoints import NAMES

# The word that reaches a failpoint, and at which of its visits it dies (default: the first).
REACHED_BY = {
    "lease.before_lock": [("staging", 1), ("release", 1)],
    "lease.begun": [("landing", 1)],
    "landing.raw_kept": [("landing", 1)],
    "landing.accepted_written": [("landing", 1)],
    "landing.before_commit": [("landing", 1)],
    "landing.committed": [("landing", 1)],
    "staging.before_state": [("staging", 1)],
    "staging.after_state": [("staging", 1)],
    "features.before_table": [("features", 1), ("features", 2)],
    "features.before_state": [("features", 1)],
    "features.after_state": [("features", 1)],
    "models.before_family": [("models", 1), ("models", 2)],
    "profiles.before_table": [("profiles", 1), ("profiles", 2)],
    "profiles.after_state": [("profiles", 1)],
    "gates.before_result": [("landing", 1), ("profiles", 1)],
    "report.between_pages": [("report", 1)],
    "release.before_manifest": [("release", 1)],
    "release.before_copy": [("release", 1)],
    "release.files_copied": [("release", 1)],
    "release.before_rename": [("release", 1)],
    "release.before_switch": [("release", 1)],
    "release.after_switch": [("release", 1)],
    "release.before_build_removed": [("release", 1)],
    "release.build_set_aside": [("release", 1)],
    "files.write": [("landing", 3), ("staging", 1), ("models", 2), ("profiles", 1), ("release", 1), ("release", 2)],
    "files.before_rename": [("landing", 4), ("features", 2), ("models", 1), ("release", 1), ("release", 2)],
}
_TRAININGS = 8


def random_kills(options: Options) -> Iterator[Trial]:
    """F01: every word in turn, killed after U(0, what it takes)."""
    chance = random.Random(options.seed)  # noqa: S311 (which moment is no secret)
    with workshop(options.folder) as made:
        for number in range(options.kills):
            word = made.words[number % len(made.words)]
            yield kill_after(made, word, chance.uniform(0, made.seconds[word]))


def training_kills(options: Options) -> Iterator[Trial]:
    """F01: the training of the day before once more, killed, and tried again; the day must come out as without it."""
    chance = random.Random(options.seed)  # noqa: S311 (which moment is no secret)
    with workshop(options.folder) as made:
        made.put_back("landing")
        began = time.perf_counter()
        made.nursery.run([_train(made)], made.log)
        takes = time.perf_counter() - began
        for _ in range(_TRAININGS):
            yield training_killed(made, chance.uniform(0, takes))


def training_killed(made: Workshop, seconds: float) -> Trial:
    made.put_back("landing")
    with reading(made.home) as seen:
        pid = made.nursery.start([_train(made)], made.log)
        time.sleep(seconds)
        code = made.nursery.kill(pid)
        wrong = [] if made.nursery.run([_train(made)], made.log) == 0 else [f"train ended with {made.said()}"]
        retried = made.run("landing")
    detail = f"after {seconds:.2f} s" if code == -signal.SIGKILL else "just when it had ended"
    return verdict(made, "F01 kill train", detail, retried, seen.violations + wrong, seen.releases)


def _train(made: Workshop) -> list[str]:
    return made.plan.command("train", made.plan.day - timedelta(days=1))


def failpoint_kills(options: Options) -> Iterator[Trial]:
    """F02: every named place."""
    with workshop(options.folder) as made:
        for name in NAMES:
            for word, visit in REACHED_BY[name]:
                yield kill_at(made, name, word, visit)


def kill_after(made: Workshop, word: str, seconds: float) -> Trial:
    """A word that was done before the moment came is killed sooner: the machine was slower when timed."""
    while True:
        made.put_back(word)
        with reading(made.home) as seen:
            pid = made.nursery.start(made.commands(word, word), made.log)
            time.sleep(seconds)
            if made.nursery.kill(pid) != -signal.SIGKILL:
                seconds /= 2
                continue
            retried = made.run(word)
        return verdict(made, f"F01 kill {word}", f"after {seconds:.2f} s", retried, seen.violations, seen.releases)


def kill_at(made: Workshop, name: str, word: str, visit: int = 1) -> Trial:
    made.put_back(word)
    with reading(made.home) as seen:
        code = made.run(word, word, failpoint=f"{name}:kill@{visit}")
        retried = made.run(word)
    detail = f"at {name}" + (f", visit {visit}" if visit > 1 else "")
    said = [] if code == -signal.SIGKILL else [f"the place was not reached (exit code {code})"]
    return verdict(made, f"F02 kill {word}", detail, retried, seen.violations + said, seen.releases)


def verdict(
    made: Workshop, fault: str, detail: str, retried: int | None, wrong: list[str], releases: list[str]
) -> Trial:
    """Compare the home after the retry with the reference; what is wrong is said in the detail."""
    found = [*wrong, *made.differences()]
    if retried != 0:
        found.insert(0, f"the retry ended with {retried}: {made.said()}")
    if strangers := set(releases) - set(made.released):
        found.append(f"readers saw {', '.join(sorted(strangers))}")
    return Trial(fault, "; ".join([detail, *found[:6]]), is_same=not found, unaccounted=made.unaccounted())
