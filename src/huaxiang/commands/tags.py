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


def add(word: Word) -> None:
    """Declare the word."""
    parser = word("tags", "Look at the tags, see what a change would do, retire them, go back.", _run, dated=False)
    parser.add_argument("action", choices=["list", "check", "diff", "history", "retire", "rollback", "backfill"])
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


def _run(said: argparse.Namespace) -> int:
    from huaxiang.release import store
    from huaxiang.settings import load_settings
    from huaxiang.tags import load_tags, text, use, versions

    settings = load_settings()
    releases = store.releases(settings)
    if said.action in ("history", "retire", "rollback", "backfill") and not said.tag:
        raise HuaxiangError(f"{said.action}: name the tag; 'huaxiang tags list' shows them")
    if said.action == "rollback":
        return _rollback(said)
    tags = load_tags(settings)
    if said.action == "list":
        print(text.listing(tags, use.users(settings, tags)))
    elif said.action == "check":
        versions.check_versions(tags, versions.told(settings, releases))
        tests = sum(len(tag.tests) for tag in tags)
        print(f"tags       {len(tags)} can be used, {tests} tests of their own pass")
    elif said.action == "diff":
        from huaxiang.tags.editing import find
        from huaxiang.tags.preview import difference

        only = [find(tags, said.tag).name] if said.tag else []
        print(text.comparison(difference(settings, _release(said), tags, only, said.out)))
        if said.out:
            print(f"customers  {said.out}")
    elif said.action == "history":
        tag = next((tag for tag in tags if tag.name == said.tag), None)
        told = versions.told(settings, releases)
        if tag is None and not any(one.name == said.tag for one in told):
            raise HuaxiangError(f"there is no tag '{said.tag}' and never was: 'huaxiang tags list' shows them")
        print(text.history(told, said.tag, tag))
    elif said.action == "retire":
        from huaxiang.tags.editing import retire

        if not said.on:
            raise HuaxiangError("retire: say with --on the first day whose portraits no longer carry the tag")
        print(f"tags       {retire(settings, said.tag, said.on)}: retired on {said.on}; its history stays")
    else:
        from huaxiang.tags.backfill import backfill
        from huaxiang.tags.editing import find

        chosen = [one for one in releases if said.since is None or one.as_of >= said.since]
        path, count, rows = backfill(settings, find(tags, said.tag), tags, chosen)
        print(f"tags       {path}: {rows:,} values in {count} {'release' if count == 1 else 'releases'}")
    return 0


def _rollback(said: argparse.Namespace) -> int:
    """Works also when the file as it is now cannot be used."""
    from huaxiang.release import store
    from huaxiang.settings import load_settings
    from huaxiang.tags import versions
    from huaxiang.tags.editing import rollback

    if not said.to:
        raise HuaxiangError(f"rollback: say with --to which version; 'huaxiang tags history {said.tag}' shows them")
    settings = load_settings()
    path = rollback(settings, said.tag, said.to, versions.told(settings, store.releases(settings)))
    print(f"tags       {path}: version {said.to} again, from the next run on")
    return 0


def _release(said: argparse.Namespace) -> Release:
    from huaxiang.release import store
    from huaxiang.settings import Run, load_settings

    settings = load_settings()
    found = store.of_run(settings, Run(said.as_of, said.as_of)) if said.as_of else store.current(settings)
    if found is None:
        day = f"of {said.as_of}" if said.as_of else "yet"
        raise MissingPartition(
            f"there is no release {day} to compare with: 'huaxiang releases list' shows those there are"
        )
    return found
