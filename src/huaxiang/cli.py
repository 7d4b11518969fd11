"""The command line: `huaxiang <word> --as-of D`, one word per step of the flow."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.commands import Command, audiences, candidates, identity, quarantine, tags, why
from huaxiang.errors import HuaxiangError, NothingDue, TryAgain
from huaxiang.progress import tell
from huaxiang.quick_end import end_quickly

if TYPE_CHECKING:
    from huaxiang.settings import Run, Settings

# Airflow's Bash operator takes it for "skipped".
NOTHING_DUE = 99
# The exit code of what may heal by itself (EX_TEMPFAIL of sysexits.h): the DAGs try that again, and nothing else.
TRY_AGAIN = 75


def command() -> int:
    """`main` as a process of its own."""
    end_quickly()
    return main()


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Errors a user can act on are one sentence on stderr and exit code 1."""
    said = _parser().parse_args(arguments)
    try:
        return said.command(said) or 0
    except HuaxiangError as error:
        tell(f"{said.word}: {_full_disk(said.word, error) or error}", stream=sys.stderr)
        return NOTHING_DUE if isinstance(error, NothingDue) else TRY_AGAIN if isinstance(error, TryAgain) else 1
    except BrokenPipeError:
        # Whoever read our lines has had enough of them, as `| head` does: that is no failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if full := _full_disk(said.word, error):
            tell(f"{said.word}: {full}", stream=sys.stderr)
            return 1
        tell(
            f"{said.word}: {type(error).__name__}: {error}. This is a fault of the program: the traceback follows.",
            stream=sys.stderr,
        )
        raise
    except KeyboardInterrupt:
        tell(f"{said.word}: interrupted; nothing was published. Run the command again to go on.", stream=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="huaxiang",
        description="From raw customer data to a released portrait of every customer, every day.",
        epilog="A day is landing, staging, features, models, profiles, report, release; 'run' does all by Airflow.",
    )
    words = parser.add_subparsers(title="words", dest="word", required=True, metavar="<word>")

    def word(name: str, help_text: str, command: Command, dated: bool = True) -> argparse.ArgumentParser:
        sub = words.add_parser(name, help=help_text, description=help_text)
        sub.set_defaults(command=command)
        if dated:
            sub.add_argument("--as-of", type=_day, required=True, metavar="D", help="events of local days up to D")
            sub.add_argument("--known-at", type=_day, metavar="K", help="drops loaded on days up to K (default: D)")
        return sub

    word("run", "Simulate the sources that are simulated, then run the day's DAG by Airflow.", _run)
    simulate = word(
        "simulate", "Play a data set's source systems: write its history as daily drops.", _simulate, dated=False
    )
    simulate.add_argument("--source", required=True, help="the data set, such as complete_journey")
    simulate.add_argument("--through", type=_day, required=True, metavar="D", help="the last day to write")
    simulate.add_argument("--since", type=_day, metavar="D", help="the first day of orders to write (default: all)")
    simulate.add_argument("--customers", type=int, metavar="N", help="only the first N customers (default: all)")
    simulate.add_argument("--faults", action="store_true", help="let rows come late, twice, in parts, as in real life")
    word("landing", "Take the new drops in, record by record; refuse what breaks its contract.", _landing)
    word("staging", "Resolve versions, keys and local days.", _staging)
    word("features", "Compute what is known of each customer at the end of the day.", _features)
    word("models", "Score every customer with the champion models; train first where there is none.", _models)
    train = word("train", "Fit, judge and register the models on data up to the day.", _train)
    train.add_argument("which", nargs="?", choices=["proposed"], help="only those proposed; what wins waits")
    candidates.add(word)
    profiles = word("profiles", "Join features, tags and model outputs into one portrait a customer.", _profiles)
    profiles.add_argument("action", nargs="?", choices=["show"], help="show: print single customers as known then")
    profiles.add_argument("--customer", action="append", metavar="C", help="show: whom; can be repeated")
    profiles.add_argument("--json", action="store_true", help="show: one JSON object")
    word("report", "Build the pages that people read.", _report)
    word("release", "Seal the run and publish it in one step.", _release)
    releases = word("releases", "List releases, show one, or go back to an earlier one.", _releases, dated=False)
    releases.add_argument("action", choices=["list", "show", "rollback"])
    releases.add_argument("release_id", nargs="?", help="default: the current one; for rollback the one before it")
    reproduce = word(
        "reproduce", "Make a past release again from raw bytes, privately, and compare.", _reproduce, dated=False
    )
    reproduce.add_argument("--release", metavar="R", help="its id (default: the current one)")
    quarantine.add(word)
    tags.add(word)
    audiences.add(word)
    why.add(word)
    identity.add(word)
    word("up", "Start Airflow, MLflow and the report site of this home on 127.0.0.1.", _up, dated=False)
    word("down", "End what 'up' started, and nothing else.", _down, dated=False)
    airflow = word(
        "airflow",
        "Call Airflow with this home's settings: airflow scheduler, airflow dags list ...",
        _airflow,
        dated=False,
    )
    airflow.add_argument("words", nargs=argparse.REMAINDER, help="what Airflow is to do")
    word("doctor", "Check what this machine offers: Python, Java, memory, disk, ports.", _doctor, dated=False)
    docs = word("docs", "Write the reference pages from contracts and dbt.", _docs, dated=False)
    docs.add_argument("--check", action="store_true", help="only say whether they are up to date")
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day; write it as 2017-11-30") from error


# Each word imports its step when it is called: a command pays only for the engines it uses.


def _run(said: argparse.Namespace) -> int:
    from huaxiang.daily import run_day

    return run_day(*_context(said))


def _simulate(said: argparse.Namespace) -> None:
    from huaxiang.settings import load_settings
    from huaxiang.simulate import simulate

    simulate(load_settings(), said.source, said.through, since=said.since, customers=said.customers, faults=said.faults)


def _landing(said: argparse.Namespace) -> None:
    from huaxiang import gates, landing, lease
    from huaxiang.settings import require_due

    settings, run = _context(said)
    require_due(settings, run)
    with lease.hold(settings, f"landing --as-of {run.as_of}"):
        _start_afresh(settings.home.builds)
        lease.begin(settings, run)
        with gates.getting_ready(settings, run, "landing") as check:
            landing.land(settings, run)
            check()


def _staging(said: argparse.Namespace) -> None:
    from huaxiang import warehouse
    from huaxiang.timetravel import errata

    def tell_errata_first(settings: Settings, run: Run) -> None:
        if new := errata.record(settings):
            tell(f"errata     {new:,} new: 'huaxiang releases list' marks the releases that late drops change")
        warehouse.staging(settings, run)

    _writing(said, tell_errata_first)


def _features(said: argparse.Namespace) -> None:
    from huaxiang import warehouse

    _writing(said, warehouse.features)


def _models(said: argparse.Namespace) -> None:
    from huaxiang import models

    _writing(said, models.score)


def _train(said: argparse.Namespace) -> None:
    from huaxiang import lease, models
    from huaxiang.settings import require_due

    settings, run = _context(said)
    require_due(settings, run)
    with lease.hold(settings, f"train --as-of {run.as_of}"):
        models.train_proposed(settings, run) if said.which else models.train(settings, run)


def _profiles(said: argparse.Namespace) -> None:
    if said.action == "show":
        return _show_profiles(said)
    if said.customer or said.json:
        raise HuaxiangError("--customer and --json belong to 'huaxiang profiles show'")
    from huaxiang import gates, warehouse
    from huaxiang.drift import daily as drift

    def build_and_check(settings: Settings, run: Run) -> None:
        with gates.getting_ready(settings, run, "profiles") as check:
            warehouse.profiles(settings, run)
            drift.measure(settings, run)
            check()

    _writing(said, build_and_check)


def _show_profiles(said: argparse.Namespace) -> None:
    from huaxiang.timetravel import portrait_text, portraits

    if not said.customer:
        raise HuaxiangError("show: name whom with --customer; customer_id of a release's profiles lists all")
    settings, run = _context(said)
    shown = portraits.show(settings, run, said.customer)
    print(portrait_text.as_json(shown) if said.json else portrait_text.as_text(shown, settings.currency))


def _report(said: argparse.Namespace) -> None:
    from huaxiang import report

    _writing(said, report.build)


def _release(said: argparse.Namespace) -> None:
    from huaxiang import lease, release

    settings, run = _context(said)
    with lease.hold(settings, f"release --as-of {run.as_of}"):
        ended = lease.ended_with(settings, run)
        if ended and not settings.home.build(run.id).exists():
            tell(f"release    {ended} is released already")  # the try before this one died after its last step
            return
        _go_on(settings, run, "release", release.publish)


def _releases(said: argparse.Namespace) -> None:
    from huaxiang import lease
    from huaxiang.release import rollback, show
    from huaxiang.settings import load_settings

    settings = load_settings()
    if said.action == "rollback":
        with lease.hold(settings, "releases rollback"):
            target = rollback(settings, said.release_id)
        print(f"released   {target.id} is current again")
    elif said.action == "list":
        print(show.listing(settings))
    else:
        print(show.details(settings, said.release_id))


def _reproduce(said: argparse.Namespace) -> int:
    from huaxiang.settings import load_settings
    from huaxiang.timetravel import reproduce

    made = reproduce.reproduce(load_settings(), said.release)
    print(reproduce.as_text(made))
    return 0 if made.is_equal else 1


def _up(said: argparse.Namespace) -> None:
    from huaxiang import services
    from huaxiang.settings import load_settings

    print(services.up(load_settings()))


def _down(said: argparse.Namespace) -> None:
    from huaxiang import services
    from huaxiang.settings import load_settings

    print(services.down(load_settings()))


def _airflow(said: argparse.Namespace) -> None:
    from huaxiang import airflow_home
    from huaxiang.settings import load_settings

    airflow_home.become(load_settings(), said.words)


def _doctor(said: argparse.Namespace) -> int:
    from huaxiang import doctor, services
    from huaxiang.settings import load_settings

    settings = load_settings()
    return doctor.main(settings.home.root, with_ports=not services.is_up(settings))


def _docs(said: argparse.Namespace) -> int:
    from huaxiang.reference import write_reference
    from huaxiang.settings import PROJECT

    return write_reference(PROJECT, only_check=said.check)


def _full_disk(word: str, error: Exception) -> HuaxiangError | None:
    """What to say instead when a full disk is behind the error, whichever tool met it."""
    from huaxiang import disk
    from huaxiang.settings import load_settings

    return disk.explained(load_settings().home, word) if disk.is_full(error) else None


def _context(said: argparse.Namespace) -> tuple[Settings, Run]:
    from huaxiang.settings import Run, load_settings

    return load_settings(), Run(as_of=said.as_of, known_at=said.known_at or said.as_of)


def _writing(said: argparse.Namespace, word: Callable[[Settings, Run], object]) -> None:
    """Do one word of a run that landing has begun, with the home to itself."""
    from huaxiang import lease

    settings, run = _context(said)
    with lease.hold(settings, f"{said.word} --as-of {run.as_of}"):
        _go_on(settings, run, said.word, word)


def _go_on(settings: Settings, run: Run, name: str, word: Callable[[Settings, Run], object]) -> None:
    """Do the word if the run is still the newest and has come so far."""
    from huaxiang import lease, steps

    lease.require(settings, run)
    steps.require_before(settings, run, name)
    word(settings, run)


def _start_afresh(builds: Path) -> None:
    """A run begins with an empty build, in which nothing of an earlier try is mixed. Other runs are of the past."""
    import shutil

    if builds.exists():
        shutil.rmtree(builds)


if __name__ == "__main__":
    sys.exit(main())
