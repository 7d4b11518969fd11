"""`huaxiang identity`: why customers are one person, what waits for somebody to look, and decisions about it."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from huaxiang.commands import Word
from huaxiang.errors import HuaxiangError

if TYPE_CHECKING:
    from huaxiang.settings import Settings


def add(word: Word) -> None:
    """Declare the word."""
    parser = word("identity", "See why customers are one person; set them apart, approve joins.", _run, dated=False)
    parser.add_argument("action", choices=["explain", "review", "approve", "unmerge", "rejoin", "train"])
    parser.add_argument(
        "names", nargs="*", metavar="NAME",
        help="explain: a customer_id or source:id; approve: an id that review shows; unmerge, rejoin: source:id ...",
    )  # fmt: skip
    parser.add_argument("--reason", default="", help="approve, unmerge, rejoin: why, kept with the decision")


def _run(said: argparse.Namespace) -> None:
    from huaxiang import lease
    from huaxiang.identity import review
    from huaxiang.settings import load_settings

    settings = load_settings()
    if said.action in ("explain", "approve", "unmerge", "rejoin") and not said.names:
        raise HuaxiangError(f"{said.action}: name whom or what; 'huaxiang identity {said.action} --help' says how")
    if said.action == "explain":
        print("\n\n".join(review.explain(settings, name) for name in said.names))
    elif said.action == "review":
        print(review.waiting_text(settings))
    else:
        with lease.hold(settings, f"identity {said.action}"):
            print(_decide(settings, said))


def _decide(settings: Settings, said: argparse.Namespace) -> str:
    from huaxiang.identity import review

    if said.action == "train":
        return review.train(settings)
    if not said.reason.strip():
        raise HuaxiangError(f"{said.action}: say why with --reason; whoever reads the decision later needs to know")
    if said.action == "approve":
        return "\n".join(review.approve(settings, name, said.reason) for name in said.names)
    if said.action == "rejoin":
        return review.rejoin(settings, said.names, said.reason)
    return review.unmerge(settings, said.names, said.reason)
