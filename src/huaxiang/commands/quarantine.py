"""`huaxiang quarantine`: look at refused records, repair them, or try them again."""

from __future__ import annotations

import argparse
from pathlib import Path

from huaxiang.commands import Word
from huaxiang.errors import HuaxiangError


def add(word: Word) -> None:
    """Declare the word."""
    parser = word("quarantine", "Look at refused records, repair them, or try them again.", _run, dated=False)
    parser.add_argument("action", choices=["list", "show", "repair", "replay"])
    parser.add_argument("file", nargs="?", help="id (or its beginning) or name of the drop; replay without: all")
    parser.add_argument("--table", help="only drops of this canonical table")
    parser.add_argument("--reason", help="list and replay: only files with this reason, such as TYPE")
    parser.add_argument("--json", action="store_true", help="show: one JSON object per record")
    parser.add_argument("--record", type=int, metavar="N", help="repair: the number of the record")
    parser.add_argument("--text", help="repair: what the record should have said")
    parser.add_argument("--from", dest="path", type=Path, metavar="PATH", help="repair: JSON Lines as show --json")


def _run(said: argparse.Namespace) -> None:
    from huaxiang import lease
    from huaxiang.landing import quarantine, quarantine_text, repairs
    from huaxiang.settings import load_settings

    settings = load_settings()
    if said.action in ("list", "replay") and not said.file:
        files = [
            one
            for one in quarantine.open_files(settings)
            if said.table in (None, one.row.table_name) and (said.reason is None or said.reason in one.records)
        ]
    elif said.file:
        files = [quarantine.find_file(settings, said.file, said.table)]
    else:
        raise HuaxiangError(
            f"{said.action}: name the drop; 'huaxiang quarantine list' shows those with refused records"
        )
    if said.action == "list":
        print(quarantine_text.listing(files))
    elif said.action == "show":
        records = quarantine.records_of(settings, files[0])
        print(quarantine_text.as_json_lines(records) if said.json else quarantine_text.details(files[0], records))
    elif said.action == "repair":
        if said.path is None and (said.record is None or said.text is None):
            raise HuaxiangError("repair: give --record N and --text, or --from a file of JSON Lines")
        texts = quarantine_text.read_repairs(said.path) if said.path else {said.record: said.text}
        with lease.hold(settings, "quarantine repair"):
            made = repairs.repair(settings, files[0], texts)
        print(f"quarantine repair {made.number}: {_records(len(texts))} with the next run")
    else:
        with lease.hold(settings, "quarantine replay"):
            tried = repairs.replay(settings, files)
        for problem in tried.problems:
            print(f"quarantine replay: {problem}")
        print(f"quarantine replay: {_records(tried.entering)} with the next run, {tried.still_refused:,} stay refused")


def _records(count: int) -> str:
    return "1 record enters" if count == 1 else f"{count:,} records enter"
