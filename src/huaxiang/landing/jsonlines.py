"""Tell the lines of a JSON Lines drop that are JSON objects from those that are not."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from huaxiang.landing.framing import Frames, Refused


def sort_objects(frames: Frames) -> tuple[Frames, set[str]]:
    """The frames with every line that is not one JSON object refused, and the keys the objects have between them."""
    sorted_out, keys = Frames(refused=list(frames.refused)), set[str]()
    for line, number, line_number in zip(frames.good, frames.numbers, frames.lines, strict=True):
        found = _read_object(line)
        if found is None:
            sorted_out.refused.append(
                Refused(number, line_number, "JSON", "the line is not one JSON object", line.decode())
            )
            continue
        keys.update(found)
        sorted_out.good.append(line)
        sorted_out.numbers.append(number)
        sorted_out.lines.append(line_number)
    return sorted_out, keys


def breaks_off(line: str) -> bool:
    """Whether the line is the beginning of a JSON object that never ends."""
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line) or not line.endswith("}")
    except (ValueError, RecursionError):
        pass
    return False


def _read_object(line: bytes) -> dict[str, Any] | None:
    """None for what is no object, and for what Python takes but others do not: NaN, half a character, a key twice."""
    try:
        # As text: of bytes Python guesses the encoding, and takes marks and UTF-16 that others do not.
        found = json.loads(line.decode(), parse_constant=_refuse_constant, object_pairs_hook=_object)
        if b"\\u" in line:
            text = json.dumps(found, ensure_ascii=False)
            text.encode()
            # The only way a NUL can hide in a line: written as an escape.
            if "\\u0000" in text.replace("\\\\", ""):
                return None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of a key that stands twice one reader takes the first value, another the last.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
