"""`huaxiang tags`: look at the tags, see what a change would do, and lead them through their lives."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from huaxiang.commands import Word
from huaxiang.errors import HuaxiangError, MissingPartition

if TYPE_CHECKING:
    from huaxiang.release import Release
    from huaxiang.settings import Settings
    from huaxiang.tags.versions import Told


def add(word: Word) -> None:
    """Declare the word."""
    parser = word("tags", "Look at the tags, see what a change would do, retire them, go back.", _run, dated=False)
    parser.add_argument("action", choices=list(_ACTIONS))
    parser.add_argument("tag", nargs="?", help="history, retire, rollback, backfill: which tag; diff: only this one")
    parser.add_argument("--as-of", type=_day, metavar="D", help="diff: the released day (default: the current release)")
    parser.add_argument("--out", type=Path, metavar="PATH", help="diff: write the customers there, .csv or .parquet")
    parser.add_argument("--on", type=_day, metavar="D", help="retire: the first day without the tag")
    parser.add_argument("--to", type=int, metavar="V", help="rollback: the version to have again")
    parser.add_argument("--since", type=_day, metavar="D", help="backfill: the first released day (default: all)")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day; write it as 2017-11-30") from error


def _run(said: argparse.Namespace) -> None:
    from huaxiang.settings import load_settings

    if said.action in _OF_ONE_TAG and not said.tag:
        raise HuaxiangError(f"{said.action}: name the tag; 'huaxiang tags list' shows them")
    _ACTIONS[said.action](load_settings(), said)


def _list(settings: Settings, said: argparse.Namespace) -> None:
    from huaxiang.tags import load_tags, text, use

    tags = load_tags(settings)
    print(text.listing(tags, use.users(settings, tags)))


def _check(settings: Settings, said: argparse.Namespace) -> None:
    from huaxiang.tags import load_tags
    from huaxiang.tags.versions import check_versions

    tags = load_tags(settings)
    check_versions(tags, _told(settings))
    print(f"tags       {len(tags)} can be used, {sum(len(tag.tests) for tag in tags)} tests of their own pass")


def _diff(settings: Settings, said: argparse.Namespace) -> None:
    from huaxiang.tags import load_tags, text
    from huaxiang.tags.editing import find
    from huaxiang.tags.preview import difference

    tags = load_tags(settings)
    only = [find(tags, said.tag).name] if said.tag else []
    print(text.comparison(difference(settings, _release(settings, said.as_of), tags, only, said.out)))
    if said.out:
        print(f"customers  {said.out}")


def _history(settings: Settings, said: argparse.Namespace) -> None:
    from huaxiang.tags import load_tags, text

    told = _told(settings)
    tag = next((tag for tag in load_tags(settings) if tag.name == said.tag), None)
    if tag is None and not any(one.name == said.tag for one in told):
        raise HuaxiangError(f"there is no tag '{said.tag}' and never was: 'huaxiang tags list' shows them")
    print(text.history(told, said.tag, tag))


def _retire(settings: Settings, said: argparse.Namespace) -> None:
    from huaxiang.tags.editing import retire

    if not said.on:
        raise HuaxiangError("retire: say with --on the first day whose portraits no longer carry the tag")
    print(f"tags       {retire(settings, said.tag, said.on)}: retired on {said.on}; its history stays")


def _rollback(settings: Settings, said: argparse.Namespace) -> None:
    from huaxiang.tags.editing import rollback

    if not said.to:
        raise HuaxiangError(f"rollback: say with --to which version; 'huaxiang tags history {said.tag}' shows them")
    path = rollback(settings, said.tag, said.to, _told(settings))
    print(f"tags       {path}: version {said.to} again, from the next run on")


def _backfill(settings: Settings, said: argparse.Namespace) -> None:
    from huaxiang.release import store
    from huaxiang.tags import load_tags
    from huaxiang.tags.backfill import backfill
    from huaxiang.tags.editing import find

    tags = load_tags(settings)
    chosen = [one for one in store.releases(settings) if said.since is None or one.as_of >= said.since]
    path, count, rows = backfill(settings, find(tags, said.tag), tags, chosen)
    print(f"tags       {path}: {rows:,} values in {count} {'release' if count == 1 else 'releases'}")


_ACTIONS = {
    "list": _list,
    "check": _check,
    "diff": _diff,
    "history": _history,
    "retire": _retire,
    "rollback": _rollback,
    "backfill": _backfill,
}
_OF_ONE_TAG = ("history", "retire", "rollback", "backfill")


def _told(settings: Settings) -> list[Told]:
    from huaxiang.release import store
    from huaxiang.tags.versions import told

    return told(settings, store.releases(settings))


def _release(settings: Settings, as_of: date | None) -> Release:
    from huaxiang.release import store
    from huaxiang.settings import Run

    found = store.of_run(settings, Run(as_of, as_of)) if as_of else store.current(settings)
    if found is None:
        raise MissingPartition(
            f"there is no release {f'of {as_of}' if as_of else 'yet'} to compare with: 'huaxiang releases list' shows "
            "those there are"
        )
    return found
