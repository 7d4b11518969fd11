"""`huaxiang audiences`: list and check the audiences of a home, and look at them before they are published."""

from __future__ import annotations

import argparse
from datetime import date

from huaxiang.commands import Word
from huaxiang.errors import HuaxiangError


def add(word: Word) -> None:
    """Declare the word."""
    parser = word("audiences", "List and check audiences, or preview their size and overlap.", _run, dated=False)
    parser.add_argument("action", choices=["list", "check", "preview"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="preview: only these (default: all)")
    parser.add_argument("--as-of", type=date.fromisoformat, metavar="D", help="preview: the day looked at")
    parser.add_argument("--all-samples", action="store_true", help="preview: how far the samples of a tenth are off")
    parser.add_argument("--known-at", type=date.fromisoformat, metavar="K", help="drops loaded up to K (default: D)")


def _run(said: argparse.Namespace) -> None:
    from huaxiang.audiences import text
    from huaxiang.audiences.preview import preview
    from huaxiang.audiences.read import load_askable, load_audiences
    from huaxiang.settings import Run, load_settings

    settings = load_settings()
    audiences = load_audiences(settings)
    if said.action == "list":
        print(text.listing(audiences))
    elif said.action == "check":
        print(f"{len(audiences)} audiences can be used")
    elif said.as_of is None:
        raise HuaxiangError("preview: say the day with --as-of, such as the day of the current release")
    else:
        run = Run(said.as_of, said.known_at or said.as_of)
        found = preview(settings, run, audiences, said.names, said.all_samples)
        titles = {f"tag:{name}": tag.title for name, tag in load_askable(settings).tags.items()}
        titles |= {f"audience:{one.name}": one.title for one in audiences}
        print(text.previewed(found, titles, settings.currency))
