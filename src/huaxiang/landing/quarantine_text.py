"""The quarantine as text for a terminal, and the repairs a person writes down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from huaxiang.errors import HuaxiangError
from huaxiang.landing.framing import FILE
from huaxiang.landing.quarantine import OpenFile, OpenRecord

_LONGEST_TEXT = 400


def listing(files: Iterable[OpenFile]) -> str:
    """One line per drop with refused records: its id, load day, table and name, and how many for which reason."""
    lines = [
        f"{one.row.file_id}  {one.row.load_date}  {one.row.table_name:<12} {sum(one.records.values()):>9,} refused  "
        f"{one.row.file_name}  ({', '.join(f'{reason} {count:,}' for reason, count in sorted(one.records.items()))})"
        for one in files
    ]
    return "\n".join(lines) or "no record is refused"


def details(file: OpenFile, records: Iterable[OpenRecord]) -> str:
    """The refused records of a drop: place, reason and text. Control characters are shown, not sent to the terminal."""
    lines = [f"{file.row.file_name} ({file.row.file_id}), loaded {file.row.load_date} for {file.row.table_name}"]
    for one in records:
        place = "the file" if one.record_number == FILE else f"record {one.record_number}, line {one.line_number}"
        lines.append(f"{place}: {one.reason}, {one.detail}")
        text = "(the text is not kept)" if one.raw_text is None else _visible(one.raw_text)
        lines.append(f"    {text}")
    return "\n".join(lines)


def as_json_lines(records: Iterable[OpenRecord]) -> str:
    """One JSON object per refused record: what `quarantine repair --from` reads when its `raw_text` is corrected."""
    return "\n".join(json.dumps(asdict(one), ensure_ascii=False, default=str) for one in records)


def read_repairs(path: Path) -> dict[int, str]:
    """Corrected records from JSON Lines with `record_number` and `raw_text`. Raises HuaxiangError naming a bad line."""
    texts: dict[int, str] = {}
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise HuaxiangError(f"{path}: cannot be read ({type(error).__name__}); name a file of JSON Lines") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            texts[int(said["record_number"])] = str(said["raw_text"])
        except (ValueError, TypeError, KeyError) as error:
            raise HuaxiangError(
                f"{path}: line {number} is not an object with record_number and raw_text; 'huaxiang quarantine show"
                " <file> --json' writes such lines"
            ) from error
    return texts


def _visible(text: str) -> str:
    shown = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}... ({len(text):,} characters)"
