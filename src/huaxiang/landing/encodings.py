"""Bytes that are not in the declared encoding, seen in the file as a whole.

A single record that does not decode is refused alone. But some wrong bytes happen to be right ones: a few pairs of GBK
are valid UTF-8, and every byte is a letter in cp1252. So a file whose bytes speak against what was declared loses all
its records that are not plain ASCII: a wrong name in a portrait is worse than a missing record.
"""

from __future__ import annotations

import codecs
from array import array

from huaxiang.landing.framing import Frames, Refused
from huaxiang.landing.mapping import Problem

_SAMPLE = 2**12
# That many characters are not valid UTF-8 by chance: of GBK's pairs one in seven is.
_ENOUGH_CHARACTERS = 8
_DETAIL = "the file is not in the declared encoding"


def utf16_of(raw: bytes, declared: str) -> str:
    """Which UTF-16 the bytes are in though another encoding was declared; empty when they are not."""
    if declared.startswith("utf-16"):
        return ""
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    sample = raw[:_SAMPLE]
    # Delimiters, digits and line ends have a zero byte beside them; nothing else has so many.
    if sample[1::2].count(0) * 5 > len(sample) and not sample[::2].count(0):
        return "utf-16-le"
    if sample[::2].count(0) * 5 > len(sample) and not sample[1::2].count(0):
        return "utf-16-be"
    return ""


def odd_bytes(raw: bytes, declared: str) -> Problem | None:
    """UTF-16 has two bytes to a unit: an odd number of them has been cut."""
    if declared.startswith("utf-16") and len(raw) % 2:
        return Problem("TRUNCATED", "half a character at the end of the file")
    return None


def is_doubtful(raw: bytes, frames: Frames, declared: str) -> bool:
    """Whether the file as a whole speaks against the declared encoding."""
    if declared.startswith("utf-16"):
        return False
    if declared != "utf-8" and not raw.isascii():
        return _is_utf8_after_all(raw)
    failed = sum(one.reason == "ENCODING" for one in frames.refused)
    return bool(failed) and failed > sum(not one.isascii() for one in frames.good)


def without_doubtful(frames: Frames) -> Frames:
    """The frames with every record that is not plain ASCII refused."""
    kept = Frames(refused=list(frames.refused))
    numbers, lines = array("q"), array("q")
    for record, number, line in zip(frames.good, frames.numbers, frames.lines, strict=True):
        if record.isascii():
            kept.good.append(record)
            numbers.append(number)
            lines.append(line)
        else:
            kept.refused.append(Refused(number, line, "ENCODING", _DETAIL, record.decode()))
    kept.numbers, kept.lines = numbers, lines
    return kept


def _is_utf8_after_all(raw: bytes) -> bool:
    if raw.startswith(codecs.BOM_UTF8):
        return True
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return False
    return sum(not one.isascii() for one in text) >= _ENOUGH_CHARACTERS
