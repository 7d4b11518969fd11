"""`huaxiang why`: the rows or the model behind what a tag says of a customer."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from huaxiang.commands import Word
from huaxiang.errors import HuaxiangError


def add(word: Word) -> None:
    """Declare the word."""
    parser = word("why", "Name the rows, or the model and its reasons, behind a customer's tag.", _run, dated=False)
    parser.add_argument("--customer", required=True, metavar="C", help="of whom")
    parser.add_argument("--tag", required=True, metavar="T", help="which tag")
    parser.add_argument("--as-of", type=date.fromisoformat, metavar="D", help="the day (default: the current release)")
    parser.add_argument("--known-at", type=date.fromisoformat, metavar="K", help="drops loaded up to K (default: D)")
    parser.add_argument("--release", metavar="R", help="a release by its id")
    parser.add_argument("--rows", type=Path, metavar="FILE", help="write every row behind it as CSV")


def _run(said: argparse.Namespace) -> None:
    from huaxiang.settings import Run, load_settings
    from huaxiang.why import model, otherwise, text, trace

    if said.release and said.as_of:
        raise HuaxiangError("why: give --as-of or --release, not both")
    settings = load_settings()
    day = trace.day_of(settings, Run(said.as_of, said.known_at or said.as_of) if said.as_of else None, said.release)
    found = trace.why(settings, day, said.customer, said.tag)
    targets = dict.fromkeys(column.behind.model for column in found.columns if column.behind.model)
    portrait = found.portrait
    reasons = [one for target in targets if (one := model.reason(settings, day, target, portrait))]
    asked = [otherwise.changes(settings, day, found.tag, one, portrait) for one in reasons]
    print(text.as_text(found, list(zip(reasons, asked, strict=True)), settings.currency))
    if said.rows:
        text.write_rows(found.rows, said.rows)
        print(f"\n{len(found.rows):,} rows written to {said.rows}")
