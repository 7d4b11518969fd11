"""`huaxiang propose`, `shadow`, `candidates`, `promote`, `reject`: a model's way from drift to champion."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from huaxiang.commands import Word
from huaxiang.progress import tell
from huaxiang.settings import Run, Settings, load_settings


def add(word: Word) -> None:
    """Declare the words."""
    word("propose", "Say which models should be trained anew, by the drift and age that the release shows.", _propose)
    word("shadow", "Let candidates score the day beside the champions, for nobody to see, and compare.", _shadow)
    word("candidates", "Say in one line what a person has to decide, where a person decides.", _candidates)
    promote = word("promote", "Make the candidates that have passed their trial the champions.", _promote)
    promote.add_argument("--target", metavar="T", help="only the candidate of this model")
    reject = word("reject", "Let candidates go; the champions stay.", _reject)
    reject.add_argument("--target", metavar="T", help="only the candidate of this model")
    reject.add_argument("--reason", default="", help="why, kept with the model version in MLflow")


def _propose(said: argparse.Namespace) -> None:
    from huaxiang.models.proposal import propose

    _holding(said, propose)


def _shadow(said: argparse.Namespace) -> None:
    from huaxiang.models.shadow import shadow

    _holding(said, shadow)


def _candidates(said: argparse.Namespace) -> None:
    from huaxiang.models import candidates

    # The last line of a task's output is what Airflow shows the person who decides.
    tell(candidates.ask(*_context(said)))


def _promote(said: argparse.Namespace) -> None:
    from huaxiang.models import candidates

    _holding(said, lambda settings, run: candidates.promote(settings, run, said.target))


def _reject(said: argparse.Namespace) -> None:
    from huaxiang.models import candidates

    _holding(said, lambda settings, run: candidates.reject(settings, run, said.target, said.reason))


def _holding(said: argparse.Namespace, word: Callable[[Settings, Run], object]) -> None:
    """Do the word with the home to itself."""
    from huaxiang import lease

    settings, run = _context(said)
    with lease.hold(settings, f"{said.word} --as-of {run.as_of}"):
        word(settings, run)


def _context(said: argparse.Namespace) -> tuple[Settings, Run]:
    return load_settings(), Run(said.as_of, said.known_at or said.as_of)
