"""Find the records of a text drop on its bytes (RFC 4180), without the loader: what is counted here must come out.

Most drops hold no quote character: then a line is a record. Otherwise a record may span lines, and one unterminated
quote could swallow the rest of the file. So a record with quotes must match as a whole: every quote closed in its place
and exactly the header's number of fields. If not, its first line alone is refused and scanning resumes on the next.
"""

from __future__ import annotations

import codecs
import re
from array import array
from dataclasses import dataclass, field
from decimal import Decimal

# A single record longer than this is a runaway quote, not data.
LONGEST_RECORD = 4 * 2**20
# The record number of the file itself, refused where nobody can say which records it holds.
FILE = 0

_BOM = b"\xef\xbb\xbf"
_CARRIAGE_RETURN = "a carriage return inside the record"
_TOO_LONG = ("TOO_LONG", f"a record of more than {LONGEST_RECORD // 2**20} MiB")
_INNER_BOM = "a byte order mark inside the file, as where files were joined"


@dataclass(frozen=True)
class Dialect:
    """How a text drop is written. An empty `quote` means that quote characters are ordinary characters."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'


@dataclass(frozen=True)
class Refused:
    """A record that cannot be used. `record_number` and `line_number` count from 1 (FILE: the whole file is meant);
    `detail` never holds a value.

    `net_amount` is the money of a refused order line, where it can be read.
    """

    record_number: int
    line_number: int
    reason: str
    detail: str
    raw_text: str | None
    net_amount: Decimal | None = None
    is_short: bool = False  # it has fewer fields than the header: it may have been cut


@dataclass
class Frames:
    """The records of one drop: `good` as UTF-8 bytes without line end, their numbers and first lines beside them."""

    good: list[bytes] = field(default_factory=list)
    numbers: array[int] = field(default_factory=lambda: array("q"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    refused: list[Refused] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many records the drop holds: the figure conservation is held against."""
        return len(self.good) + len(self.refused)


@dataclass(frozen=True)
class Header:
    """The first line of a CSV drop: its column names, and where the records begin (byte offset, line number)."""

    names: tuple[str, ...]
    offset: int
    line_number: int


def to_utf8(raw: bytes, encoding: str) -> bytes:
    """The drop's bytes as UTF-8. What is no text in the declared encoding becomes invalid, refused record by record.

    Records are found afterwards, so that line ends and quotes may be any bytes in the declared encoding.
    """
    if encoding.startswith("utf-16"):
        # The mark at the beginning decides, else what was declared; without either the order of nearly all machines.
        order = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(raw[:2], "")
        name = order or ("utf-16-le" if encoding == "utf-16" else encoding)
        text = raw[: len(raw) // 2 * 2].decode(name, "surrogatepass")
        raw = text.encode("utf-8", "surrogatepass")
    elif encoding != "utf-8":
        raw = raw.decode(encoding, "surrogateescape").encode("utf-8", "surrogatepass")
    return raw.removeprefix(_BOM)


def read_header(data: bytes, dialect: Dialect) -> Header | None:
    """The header of a CSV drop in UTF-8; None when there is none that can be read."""
    offset = line_number = 0
    while offset < len(data):
        end = _line_end(data, offset)
        line_number += 1
        line = data[offset:end].rstrip(b"\r\n")
        offset = end
        if line:
            names, problem = _split(line, dialect)
            return None if problem or not _is_utf8(line) else Header(names, offset, line_number + 1)
    return None


def frame_csv(data: bytes, dialect: Dialect, field_count: int, offset: int = 0, line_number: int = 1) -> Frames:
    """The records of `data` (UTF-8) from `offset` on, whose first line has that number. Blank lines are no records."""
    if offset:
        data = data[offset:]
    quote = dialect.quote.encode()
    if not (quote and quote in data) and _is_plain(data):
        return _frame_plain(data, dialect.delimiter.encode(), field_count, line_number)
    return _frame_quoted(data, dialect, field_count, line_number)


def frame_lines(data: bytes) -> Frames:
    """The records of a JSON Lines drop: every line that is not blank."""
    frames = Frames()
    is_valid = _is_utf8(data)
    for line_number, raw in enumerate(data.split(b"\n"), start=1):
        line = raw.strip(b" \t\r")
        if not line:
            continue
        number = frames.count + 1
        if len(line) > LONGEST_RECORD:
            frames.refused.append(Refused(number, line_number, *_TOO_LONG, line.decode("utf-8", "replace")))
        elif is_valid or _is_utf8(line):
            _take(frames, line, number, line_number)
        else:
            frames.refused.append(_refuse_encoding(line, number, line_number))
    return frames


def _frame_plain(data: bytes, delimiter: bytes, field_count: int, line_number: int) -> Frames:
    """No quote, no stray control character, valid text: a line is a record."""
    lines = data.replace(b"\r\n", b"\n").split(b"\n") if b"\r" in data else data.split(b"\n")
    if lines and not lines[-1]:
        lines.pop()
    delimiters = field_count - 1
    if all(lines) and all(line.count(delimiter) == delimiters for line in lines):
        count = len(lines)
        return Frames(lines, array("q", range(1, count + 1)), array("q", range(line_number, line_number + count)))
    frames = Frames()
    for at, line in enumerate(lines, start=line_number):
        if line:
            found = line.count(delimiter)
            if found == delimiters:
                _take(frames, line, frames.count + 1, at)
            else:
                frames.refused.append(_refuse_fields(line, frames.count + 1, at, found + 1, field_count))
    return frames


def _frame_quoted(data: bytes, dialect: Dialect, field_count: int, line_number: int) -> Frames:
    frames = Frames()
    quote, delimiter = dialect.quote.encode(), dialect.delimiter.encode()
    pattern = re.compile(_record_pattern(delimiter, quote, field_count)) if quote else None
    position = 0
    while position < len(data):
        end = _line_end(data, position)
        line = data[position:end].rstrip(b"\r\n")
        number = frames.count + 1
        if not line:
            position, line_number = end, line_number + 1
            continue
        record, problem, is_short = line, None, False
        if len(line) > LONGEST_RECORD:
            problem = _TOO_LONG
        elif pattern and quote in line:
            found = pattern.match(data, position, min(position + LONGEST_RECORD, len(data)))
            if found and (found.end() == len(data) or data[found.end() - 1 : found.end()] == b"\n"):
                end = found.end()
                record = data[position:end].rstrip(b"\r\n")
            else:
                problem = _quote_problem(line, dialect, field_count)
                is_short = problem[0] == "FIELDS" and len(_split(line, dialect)[0]) < field_count
        elif line.count(delimiter) != field_count - 1:
            problem = ("FIELDS", _fields_detail(line.count(delimiter) + 1, field_count))
            is_short = line.count(delimiter) < field_count - 1
        elif b"\r" in line:
            problem = ("FIELDS", _CARRIAGE_RETURN)
        if not _is_utf8(record) or b"\0" in record:
            frames.refused.append(_refuse_encoding(record, number, line_number))
        elif record.startswith(_BOM):
            frames.refused.append(Refused(number, line_number, "ENCODING", _INNER_BOM, record.decode()))
        elif problem:
            frames.refused.append(Refused(number, line_number, *problem, record.decode(), is_short=is_short))
        else:
            _take(frames, record, number, line_number)
        line_number += data.count(b"\n", position, end) or 1
        position = end
    return frames


def _record_pattern(delimiter: bytes, quote: bytes, field_count: int) -> bytes:
    """A whole record of exactly that many fields. Possessive (`++`), so that nothing is ever tried twice."""
    d, q = re.escape(delimiter), re.escape(quote)
    one = b"(?:" + q + b"(?:[^" + q + b"]++|" + q + q + b")*+" + q + b"|[^" + q + d + b"\\r\\n]*+)"
    rest = b"(?:" + d + one + b"){%d}" % (field_count - 1) if field_count > 1 else b""
    return one + rest + b"(?:\\r?\\n|\\r?\\Z)"


def _quote_problem(line: bytes, dialect: Dialect, field_count: int) -> tuple[str, str]:
    """Why a line with quotes is no record: other fields, a quote that never closes, or one that has no place there."""
    fields, problem = _split(line, dialect)
    if problem == "UNTERMINATED_QUOTE":
        return problem, "a quote that opens in this line does not close in its place"
    if problem:
        return problem, "a quote inside a field that is not quoted, or text after a closing quote"
    if len(fields) == field_count:
        return "FIELDS", _CARRIAGE_RETURN
    return "FIELDS", _fields_detail(len(fields), field_count)


def _split(line: bytes, dialect: Dialect) -> tuple[tuple[str, ...], str]:
    """The fields of one line, and what is wrong with its quotes ('' when nothing is)."""
    text, quote = line.decode("utf-8", "replace"), dialect.quote
    if not quote or quote not in text:
        return tuple(one.strip() for one in text.split(dialect.delimiter)), ""
    q, d = re.escape(quote), re.escape(dialect.delimiter)
    one_field = re.compile(rf"{q}(?P<quoted>(?:[^{q}]++|{q}{q})*+){q}|(?P<bare>[^{q}{d}]*+)")
    fields, position = [], 0
    while found := one_field.match(text, position):
        is_quoted = found["quoted"] is not None
        fields.append(found["quoted"].replace(quote * 2, quote) if is_quoted else found["bare"].strip())
        position = found.end()
        if position == len(text):
            return tuple(fields), ""
        if text[position] != dialect.delimiter:
            opens = text[position] == quote and position == found.start()
            return (), "UNTERMINATED_QUOTE" if opens else "QUOTE"
        position += 1
    return (), "QUOTE"


def _take(frames: Frames, record: bytes, number: int, line_number: int) -> None:
    frames.good.append(record)
    frames.numbers.append(number)
    frames.lines.append(line_number)


def _refuse_fields(line: bytes, number: int, line_number: int, found: int, wanted: int) -> Refused:
    detail = _fields_detail(found, wanted)
    return Refused(number, line_number, "FIELDS", detail, line.decode(), is_short=found < wanted)


def _fields_detail(found: int, wanted: int) -> str:
    return f"{found} fields where the header has {wanted}"


def _refuse_encoding(line: bytes, number: int, line_number: int) -> Refused:
    try:
        text = re.sub("[\ud800-\udfff]", "�", line.decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError:
        text = line.decode("utf-8", "replace")
    text = text.replace("\0", "�")
    return Refused(number, line_number, "ENCODING", "bytes that are no text in the declared encoding", text)


def _is_plain(data: bytes) -> bool:
    is_text = _is_utf8(data) and b"\0" not in data and data.count(b"\r") == data.count(b"\r\n")
    return is_text and _BOM not in data and _has_no_long_line(data)


def _has_no_long_line(data: bytes) -> bool:
    if len(data) <= LONGEST_RECORD:
        return True
    position = 0
    while position + LONGEST_RECORD < len(data):
        end = data.rfind(b"\n", position, position + LONGEST_RECORD + 1) + 1
        if not end:
            return False
        position = end
    return True


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _line_end(data: bytes, position: int) -> int:
    """Where the line that starts at `position` ends, its line end included."""
    return data.find(b"\n", position) + 1 or len(data)
